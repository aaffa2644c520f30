import Content
import OCI

/// Where the bytes of a download go. Used by one task at a time.
package protocol BlobSink: Sendable {
    /// How many bytes have been taken.
    var sizeBytes: Int64 { get }
    /// Takes bytes; returns when they are written.
    func write(_ bytes: [UInt8]) async throws
    /// Forgets what has been taken: the next byte is the blob's first.
    func startAnew() async throws
    /// Keeps what has been taken, if it is what the descriptor names.
    ///
    /// - Throws: `wrongDigest` and `wrongSize` where it is not; `startAnew` may follow then.
    func finish(_ blob: ContentDescriptor) async throws(ContentError)
}

extension RegistrySession {
    /// Brings a blob's bytes to the sink: no more than its descriptor says, and not fewer. Goes on after breaks where the
    /// sink stands; but no place is trusted to go on with another's bytes, and one whose bytes are not the blob's has not
    /// given it.
    ///
    /// - Parameter progress: the bytes so far, after each piece; must not block.
    package func download(
        _ blob: ContentDescriptor, to sink: any BlobSink, progress: @Sendable (Int64) -> Void
    ) async throws(RegistryError) {
        guard blob.other["urls"]?.array?.isEmpty ?? true || blob.mediaType.contains(".foreign.") == false else {
            throw RegistryError(.unsupported, "\(what): layer \(blob.digest) is kept outside of the registry")
        }
        try await atFirstPlace { (place) throws(RegistryError) in
            var resume = ResumePlan(client.retries)
            if sink.sizeBytes > 0 { try await startAnew(sink) }
            while sink.sizeBytes < blob.sizeBytes {
                do throws(RegistryError) {
                    try await transfer(blob, from: place, to: sink, progress)
                } catch {
                    guard error.kind == .unavailable,
                        let delay = resume.broke(at: sink.sizeBytes, chance: client.randomChance())
                    else { throw error }
                    try await client.pause(delay)
                }
            }
            try await finish(blob, sink)
        }
    }

    private func startAnew(_ sink: any BlobSink) async throws(RegistryError) {
        do { try await sink.startAnew() } catch { throw Task.isCancelled ? .cancelled : RegistryError(local: error) }
    }

    private func finish(_ blob: ContentDescriptor, _ sink: any BlobSink) async throws(RegistryError) {
        do throws(ContentError) { try await sink.finish(blob) } catch {
            switch error {
            case .wrongDigest, .wrongSize: throw RegistryError(.invalid, "\(what): layer \(blob.digest): \(error)")
            default: throw Task.isCancelled ? .cancelled : RegistryError(local: error)
            }
        }
    }

    /// One answer's worth of it.
    private func transfer(
        _ blob: ContentDescriptor, from place: RegistryEndpoint, to sink: any BlobSink,
        _ progress: @Sendable (Int64) -> Void
    ) async throws(RegistryError) {
        let start = sink.sizeBytes
        let address = place.address("\(reference.path)/blobs/\(blob.digest)")
        var request = RegistryRequest("GET", address, endpoint: place, what: "\(what): layer \(blob.digest)")
        if start > 0 { request.fields.append(WebField("Range", "bytes=\(start)-")) }
        let response = try await perform(request)
        var skip = try await bytesToSkip(response, start, address)
        while let piece = try await next(response, blob) {
            let new = skip > 0 ? Array(piece.dropFirst(Int(clamping: skip))) : piece
            skip -= min(skip, Int64(piece.count))
            guard sink.sizeBytes + Int64(new.count) <= blob.sizeBytes else {
                throw RegistryError(
                    .invalid, "\(request.what): the registry sends more than the \(blob.sizeBytes) bytes of its size")
            }
            if new.isEmpty { continue }
            do { try await sink.write(new) } catch { throw Task.isCancelled ? .cancelled : RegistryError(local: error) }
            progress(sink.sizeBytes)
        }
        guard sink.sizeBytes >= blob.sizeBytes else {
            throw RegistryError(
                .unavailable,
                "\(request.what): the registry sent \(sink.sizeBytes) of the \(blob.sizeBytes) bytes of its size")
        }
    }

    /// What the answer repeats of what is here already.
    private func bytesToSkip(
        _ response: WebResponse, _ start: Int64, _ address: WebAddress
    ) async throws(RegistryError) -> Int64 {
        switch response.status {
        case 200: return start
        case 206:
            guard let range = response["Content-Range"].flatMap({ ContentRange($0) }), range.first <= start else {
                throw RegistryError(.invalid, "\(what): \(address.bare) answered with another range than was asked for")
            }
            return start - range.first
        default: throw await failure(response, address)
        }
    }

    private func next(_ response: WebResponse, _ blob: ContentDescriptor) async throws(RegistryError) -> [UInt8]? {
        do throws(WebFailure) { return try await response.next() } catch {
            if Task.isCancelled || error == .cancelled { throw .cancelled }
            throw RegistryError(.unavailable, "\(what): layer \(blob.digest): \(error)")
        }
    }
}
