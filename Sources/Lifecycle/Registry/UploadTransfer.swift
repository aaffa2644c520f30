import OCI

/// What a registry says when an upload begins.
struct UploadStart {
    let location: WebAddress
    /// Only the last chunk may be shorter.
    let shortestChunkBytes: Int64
}

/// An upload under way: whole in one request, or chunk after chunk, asking after a break how far it had come.
struct UploadTransfer {
    enum Way { case whole, chunks }

    private let session: RegistrySession
    private let place: RegistryEndpoint
    private let blob: BlobSource
    let chunkBytes: Int64
    /// Each answer gives the next one: it holds the upload's state.
    private var location: WebAddress
    /// Whether the registry did not take the blob in this way, and may take it in the other.
    private(set) var isWayRefused = false

    init(_ session: RegistrySession, _ place: RegistryEndpoint, _ blob: BlobSource, _ start: UploadStart) {
        self.session = session
        self.place = place
        self.blob = blob
        location = start.location
        chunkBytes = max(1, session.client.configuration.uploadChunkBytes, start.shortestChunkBytes)
    }

    private var client: RegistryClient { session.client }
    private var what: String { "\(session.what): layer \(blob.digest)" }

    mutating func run(
        _ way: Way, _ progress: @escaping @Sendable (Int64) -> Void
    ) async throws(RegistryError) {
        if way == .whole { return try await finish(sending: blob.sizeBytes, progress) }
        var offset: Int64 = 0
        var resume = ResumePlan(client.retries)
        while offset < blob.sizeBytes {
            let length = min(chunkBytes, blob.sizeBytes - offset)
            do throws(RegistryError) {
                offset = try await sendChunk(from: offset, length, progress)
            } catch {
                guard error.kind == .unavailable,
                    let delay = resume.broke(at: offset, chance: client.randomChance())
                else { throw error }
                try await client.pause(delay)
                offset = try await position(upTo: offset + length, orElse: error)
            }
        }
        try await finish(sending: 0, progress)
    }

    /// - Throws: `unavailable` also for a registry that has no byte more afterwards: again and again, that is no way to the
    ///   end.
    private mutating func sendChunk(
        from offset: Int64, _ length: Int64, _ progress: @escaping @Sendable (Int64) -> Void
    ) async throws(RegistryError) -> Int64 {
        let fields = [
            WebField("Content-Type", "application/octet-stream"),
            WebField("Content-Range", "\(offset)-\(offset + length - 1)"),
        ]
        let request = WebBodyRequest("PATCH", location, fields, body(offset, length, progress))
        let response = try await send(request)
        guard response.status == 202 || response.status == 204 else { throw await refusal(response, location) }
        try follow(response)
        let end = try end(of: response, within: 0...offset + length) ?? offset + length
        guard end > offset else {
            throw RegistryError(
                .unavailable, "\(what): the registry took \(length) bytes from byte \(offset) on, and has \(end) in all"
            )
        }
        return end
    }

    /// Completes the upload, with what is left of the blob.
    private mutating func finish(
        sending length: Int64, _ progress: @escaping @Sendable (Int64) -> Void
    ) async throws(RegistryError) {
        let address = location.adding("digest", blob.digest.description)
        let content = length > 0 ? body(0, length, progress) : .none
        let fields = [WebField("Content-Type", "application/octet-stream")]
        let response = try await send(WebBodyRequest("PUT", address, fields, content))
        guard response.status == 201 || response.status == 204 else { throw await refusal(response, address) }
        progress(blob.sizeBytes)
    }

    /// Bad request, not found, no such method, a length or a range that is not liked: who says so means the form, as a rule.
    private mutating func refusal(_ response: WebResponse, _ address: WebAddress) async -> RegistryError {
        isWayRefused = [400, 404, 405, 411, 413, 416, 501].contains(response.status)
        return await session.failure(response, address)
    }

    /// How many bytes the registry has, of those that were sent.
    private mutating func position(upTo sent: Int64, orElse failure: RegistryError) async throws(RegistryError) -> Int64
    {
        let response = try await send(WebBodyRequest("GET", location, [], .none))
        guard response.status == 204 || response.status == 200, let end = try end(of: response, within: 0...sent) else {
            throw failure
        }
        try follow(response)
        return end
    }

    /// `Range: 0-LAST`; `0-0` means nothing to registries, not one byte, and so does `0--1`. Nil where nothing is said.
    ///
    /// - Throws: `invalid` for bytes that were never sent.
    private func end(of response: WebResponse, within sent: ClosedRange<Int64>) throws(RegistryError) -> Int64? {
        guard let field = response["Range"] else { return nil }
        let text = field.hasPrefix("bytes=") ? field.dropFirst(6) : field[...]
        guard text.hasPrefix("0-"), let last = Int64(text.dropFirst(2)), last >= -1 else { return nil }
        let end = last <= 0 ? 0 : last &+ 1
        // Of the highest number it is a negative one.
        guard sent.contains(end) else {
            throw RegistryError(.invalid, "\(what): the registry says to have bytes that it was not sent: \(field)")
        }
        return end
    }

    private mutating func follow(_ response: WebResponse) throws(RegistryError) {
        if let field = response["Location"] { location = try session.uploadAddress(field, from: location) }
    }

    private func send(_ request: WebBodyRequest) async throws(RegistryError) -> WebResponse {
        var whole = RegistryRequest(
            request.method, request.address, endpoint: place, what: what, fields: request.fields, body: request.body)
        whole.followsRedirects = false
        whole.isRepeatable = request.method == "GET"
        // A storage elsewhere gets the bytes; what authenticates at the registry it does not get.
        guard request.address.origin == place.origin else {
            return try await client.perform(whole, authorizer: nil)
        }
        return try await session.perform(whole)
    }

    private func body(
        _ offset: Int64, _ length: Int64, _ progress: @escaping @Sendable (Int64) -> Void
    ) -> WebRequest.Body {
        let blob = blob
        return .stream(lengthBytes: length) {
            let next = try await blob.read(offset, length)
            let counter = UploadCounter(from: offset, progress)
            return {
                guard let piece = try await next() else { return nil }
                await counter.add(piece.count)
                return piece
            }
        }
    }
}

private struct WebBodyRequest {
    let method: String
    let address: WebAddress
    let fields: [WebField]
    let body: WebRequest.Body

    init(_ method: String, _ address: WebAddress, _ fields: [WebField], _ body: WebRequest.Body) {
        self.method = method
        self.address = address
        self.fields = fields
        self.body = body
    }
}

private actor UploadCounter {
    private var count: Int64
    private let progress: @Sendable (Int64) -> Void

    init(from offset: Int64, _ progress: @escaping @Sendable (Int64) -> Void) {
        count = offset
        self.progress = progress
    }

    func add(_ bytes: Int) {
        count += Int64(bytes)
        progress(count)
    }
}
