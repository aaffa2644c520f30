import DockerAPI
import EngineAPI
import Transport

/// A container's files over the wire.
extension DockerEngine {
    package func statPath(_ reference: String, path: String) async throws(EngineError) -> PathStat {
        let response = try await client.send(
            "HEAD", containerPath(reference, "archive"), Self.query(path), object: reference)
        _ = try await client.bytes(of: response)
        return try Self.stat(response, reference)
    }

    /// By a route of our own; an engine that lacks it sends the directory whole.
    package func listDirectory(_ reference: String, path: String) async throws(EngineError) -> [PathStat] {
        do throws(EngineError) {
            let body = try await client.json(
                "GET", containerPath(reference, "directory"), Self.query(path), object: reference)
            return (body.array ?? []).map { PathStat(dockerBody: $0) }
        } catch {
            // The route is missing; of the container and the path the archive's own route tells.
            guard error.kind == .unsupported else { throw error }
            return try await archivedMembers(reference, path)
        }
    }

    private func archivedMembers(_ reference: String, _ path: String) async throws(EngineError) -> [PathStat] {
        do throws(EngineError) {
            let follows = path.hasSuffix("/") ? path + "." : path + "/."
            return try await copyOut(reference, path: follows).directoryMembers(path)
        } catch {
            // Docker's words for it, of status 500, tell a path of its host.
            throw error.message.hasSuffix(": not a directory") ? PathArchive.isNoDirectory(path) : error
        }
    }

    package func copyOut(_ reference: String, path: String) async throws(EngineError) -> PathArchive {
        let response = try await client.send(
            "GET", containerPath(reference, "archive"), Self.query(path), object: reference)
        return PathArchive(stat: try Self.stat(response, reference), bytes: bytes(of: response, "read the archive"))
    }

    package func copyIn(
        _ reference: String, path: String, archive: EngineStream<[UInt8]>, options: CopyOptions
    ) async throws(EngineError) {
        var query = Self.query(path)
        query.add("noOverwriteDirNonDir", options.keepsKinds)
        query.add("copyUIDGID", options.takesOwner)
        let response = try await client.send(
            "PUT", containerPath(reference, "archive"), query, body: .stream { try await archive.next() },
            object: reference)
        _ = try await client.bytes(of: response)
    }

    package func changes(_ reference: String) async throws(EngineError) -> [PathChange] {
        let body = try await client.json("GET", containerPath(reference, "changes"), object: reference)
        return (body.array ?? []).compactMap { PathChange(dockerBody: $0) }
    }

    package func export(_ reference: String) async throws(EngineError) -> EngineStream<[UInt8]> {
        let response = try await client.send("GET", containerPath(reference, "export"), object: reference)
        return bytes(of: response, "read the archive")
    }

    package func pruneContainers(_ filter: PruneFilter) async throws(EngineError) -> PruneResult {
        PruneResult(
            containersDockerBody: try await client.json("POST", "/containers/prune", filter.dockerQuery))
    }

    private static func query(_ path: String) -> QueryString {
        var query = QueryString()
        query.add("path", path)
        return query
    }

    private static func stat(_ response: HTTPResponse, _ reference: String) throws(EngineError) -> PathStat {
        guard let stat = response.fields[PathStat.dockerField].flatMap({ PathStat(dockerHeader: $0) }) else {
            throw unreadable("path", reference)
        }
        return stat
    }

    func bytes(of response: HTTPResponse, _ what: String) -> EngineStream<[UInt8]> {
        let (body, client) = (response.body, client)
        return EngineStream {
            try await client.perform(what) { _ throws(TransportError) in try await body.next() }
        }
    }
}
