import DockerAPI
import EngineAPI
import JSON
import Linux
import Transport

extension DockerEngine {
    package func images(_ filter: ImageFilter) async throws(EngineError) -> [ImageSummary] {
        let body = try await client.json("GET", "/images/json", filter.dockerQuery)
        return (body.array ?? []).compactMap { ImageSummary(dockerBody: $0) }
    }

    package func diskUsage(of parts: Set<DiskUsagePart>) async throws(EngineError) -> DiskUsage {
        var query = QueryString()
        for part in parts.map(\.rawValue).sorted() { query.add("type", part) }
        return DiskUsage(dockerBody: try await client.json("GET", "/system/df", query))
    }

    package func inspectImage(_ reference: String) async throws(EngineError) -> ImageDetails {
        let body = try await client.json("GET", imagePath(reference) + "/json", object: reference)
        guard let details = ImageDetails(dockerBody: body) else { throw Self.unreadable("inspection", reference) }
        return details
    }

    package func removeImage(
        _ reference: String, force: Bool, prune: Bool
    ) async throws(EngineError) -> [ImageRemoval] {
        var query = QueryString()
        query.add("force", force)
        query.add("noprune", !prune)
        let body = try await client.json("DELETE", imagePath(reference), query, object: reference)
        return (body.array ?? []).compactMap { ImageRemoval(dockerBody: $0) }
    }

    package func loadImages(_ source: ImageLoadSource) async throws(EngineError) -> EngineStream<ImageLoadProgress> {
        let response: HTTPResponse
        switch source {
        case .path(let path): response = try await sendFile(path)
        case .bytes(let bytes):
            response = try await sendArchive {
                var iterator = bytes.makeAsyncIterator()
                return try await iterator.next()
            }
        }
        return client.lines(of: response).compactMapped { line in
            if let error = ProgressError.error(line) { throw error }
            return ImageLoadProgress(dockerBody: line)
        }
    }

    private func imagePath(_ reference: String) -> String { "/images/\(Percent.encodedPath(reference))" }

    private func sendArchive(_ next: @escaping @Sendable () async throws -> [UInt8]?) async throws(EngineError)
        -> HTTPResponse
    {
        var query = QueryString()
        query.add("quiet", "0")
        return try await client.send("POST", "/images/load", query, body: .stream(next))
    }

    /// Sends a file of this machine. A directory can only be read in place, by a Gantry on this machine.
    private func sendFile(_ path: String) async throws(EngineError) -> HTTPResponse {
        do {
            guard try await FileBytes.isDirectory(path) else {
                let file = try await FileBytes(path: path)
                return try await sendArchive { try await file.next() }
            }
        } catch let error as EngineError {
            throw error
        } catch {
            throw EngineError(.invalid, "\(error)", object: path)
        }
        guard case .unix = client.http.endpoint, try await client.server().isGantry else {
            throw EngineError(.unsupported, "a directory cannot be sent to this engine: `\(path)`", object: path)
        }
        var query = QueryString()
        query.add("path", path)
        return try await client.send("POST", "/gantry/images/load", query, object: path)
    }
}
