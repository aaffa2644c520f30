import OCI

/// Bytes to be pushed, which can be read again from any point after a break.
package struct BlobSource: Sendable {
    package typealias Reader = @Sendable () async throws -> [UInt8]?

    package var digest: Digest
    package var sizeBytes: Int64
    /// Pieces of `lengthBytes` bytes from `offset` on, then nil.
    package var read: @Sendable (_ offset: Int64, _ lengthBytes: Int64) async throws -> Reader

    package init(
        digest: Digest, sizeBytes: Int64,
        read: @escaping @Sendable (_ offset: Int64, _ lengthBytes: Int64) async throws -> Reader
    ) {
        self.digest = digest
        self.sizeBytes = sizeBytes
        self.read = read
    }
}

/// How a blob came to be in the registry.
package enum UploadResult: Hashable, Sendable {
    case existed
    /// From another repository of the registry.
    case mounted(from: String)
    case uploaded
}

extension RegistrySession {
    /// Whether the repository has the blob.
    package func hasBlob(_ digest: Digest) async throws(RegistryError) -> Bool {
        try await atFirstPlace { (place) throws(RegistryError) in
            let address = place.address("\(reference.path)/blobs/\(digest)")
            let response = try await perform(RegistryRequest("HEAD", address, endpoint: place, what: what))
            if response.status == 404 { return false }
            guard response.status == 200 else { throw await failure(response, address) }
            return true
        }
    }

    /// Brings a blob into the repository, by the least that it takes.
    ///
    /// - Parameters:
    ///   - mountFrom: another repository of this registry that may have it: `library/alpine`.
    ///   - progress: the bytes so far; must not block.
    package func upload(
        _ blob: BlobSource, mountFrom: String? = nil, progress: @escaping @Sendable (Int64) -> Void
    ) async throws(RegistryError) -> UploadResult {
        var resume = ResumePlan(client.retries)
        while true {
            // Also after a break: the last answer may have been lost alone.
            if try await hasBlob(blob.digest) { return .existed }
            do throws(RegistryError) {
                return try await uploadOnce(blob, mountFrom, progress)
            } catch {
                guard error.kind == .unavailable, let delay = resume.broke(at: 0, chance: client.randomChance()) else {
                    throw error
                }
                try await client.pause(delay)
            }
        }
    }

    private func uploadOnce(
        _ blob: BlobSource, _ mountFrom: String?, _ progress: @escaping @Sendable (Int64) -> Void
    ) async throws(RegistryError) -> UploadResult {
        try await atFirstPlace { (place) throws(RegistryError) in
            guard let start = try await begin(blob, mountFrom, place) else {
                return .mounted(from: mountFrom ?? "")
            }
            var transfer = UploadTransfer(self, place, blob, start)
            let isLong = blob.sizeBytes > transfer.chunkBytes
            do throws(RegistryError) { try await transfer.run(isLong ? .chunks : .whole, progress) } catch {
                // Some registries take no chunks, and something before others no long requests.
                guard transfer.isWayRefused, let start = try await begin(blob, nil, place) else { throw error }
                var other = UploadTransfer(self, place, blob, start)
                let refusal = error
                do throws(RegistryError) { try await other.run(isLong ? .whole : .chunks, progress) } catch {
                    throw other.isWayRefused ? refusal : error
                }
            }
            return .uploaded
        }
    }

    /// Nil where the blob was mounted instead.
    private func begin(
        _ blob: BlobSource, _ mountFrom: String?, _ place: RegistryEndpoint
    ) async throws(RegistryError) -> UploadStart? {
        var address = place.address("\(reference.path)/blobs/uploads/")
        var scopes = [scope(reference.path)]
        if let mountFrom, mountFrom != reference.path {
            address = address.adding("mount", blob.digest.description).adding("from", mountFrom)
            scopes.append("repository:\(mountFrom):pull")
        }
        let request = RegistryRequest("POST", address, endpoint: place, what: what)
        let response = try await perform(request, scopes: scopes)
        switch response.status {
        case 201: return nil
        case 202:
            return UploadStart(
                location: try uploadAddress(response["Location"] ?? "", from: address),
                shortestChunkBytes: response["OCI-Chunk-Min-Length"].flatMap { Int64($0) } ?? 0)
        // Who may not read the other repository uploads.
        case 401 where mountFrom != nil, 403 where mountFrom != nil: return try await begin(blob, nil, place)
        default: throw await failure(response, address)
        }
    }

    /// Where an upload goes on by a `Location` field of an answer from `address`.
    ///
    /// - Throws: `denied` for a place where the layer would go in the clear, of a registry that is asked by TLS. The registry
    ///   itself is none: behind a proxy that ends TLS it may not know how it is asked.
    func uploadAddress(_ location: String, from address: WebAddress) throws(RegistryError) -> WebAddress {
        guard var next = address.resolving(location) else {
            throw RegistryError(.invalid, "\(what): the registry names no address to upload to")
        }
        guard address.isSafer(than: next) else { return next }
        guard next.origin.host == address.origin.host, [80, address.origin.port].contains(next.origin.port) else {
            throw RegistryError(.denied, "\(what): \(address.bare) sends the upload from https to http")
        }
        next.origin = address.origin
        return next
    }

    /// Names what was uploaded; the tag, or the digest alone.
    package func put(
        _ manifest: [UInt8], mediaType: String, as name: String
    ) async throws(RegistryError) -> Digest? {
        try await atFirstPlace { (place) throws(RegistryError) in
            let address = place.address("\(reference.path)/manifests/\(name)")
            let request = RegistryRequest(
                "PUT", address, endpoint: place, what: what, fields: [WebField("Content-Type", mediaType)],
                body: .bytes(manifest))
            let response = try await perform(request)
            guard response.status == 201 || response.status == 200 else { throw await failure(response, address) }
            return response["Docker-Content-Digest"].flatMap { Digest($0) }
        }
    }

    /// Removes a manifest from the repository. Many registries do not allow it (`unsupported`).
    package func delete(_ manifest: Digest) async throws(RegistryError) {
        try await atFirstPlace { (place) throws(RegistryError) in
            let address = place.address("\(reference.path)/manifests/\(manifest)")
            let response = try await perform(RegistryRequest("DELETE", address, endpoint: place, what: what))
            guard [200, 202, 404].contains(response.status) else { throw await failure(response, address) }
        }
    }
}
