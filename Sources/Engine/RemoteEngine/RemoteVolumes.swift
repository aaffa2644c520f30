import DockerAPI
import EngineAPI
import JSON
import Transport

extension DockerEngine {
    package func volumes(_ filter: VolumeFilter) async throws(EngineError) -> [VolumeDetails] {
        let body = try await client.json("GET", "/volumes", filter.dockerQuery)
        return body.elements("Volumes").compactMap { VolumeDetails(dockerBody: $0) }
    }

    package func inspectVolume(_ name: String) async throws(EngineError) -> VolumeDetails {
        let body = try await client.json("GET", volumePath(name), object: name)
        guard let details = VolumeDetails(dockerBody: body) else { throw Self.unreadable("inspection", name) }
        return details
    }

    package func createVolume(_ spec: VolumeSpec) async throws(EngineError) -> VolumeDetails {
        let body = try await client.json(
            "POST", "/volumes/create", QueryString(), body: spec.dockerCreateBody, object: spec.name)
        guard let details = VolumeDetails(dockerBody: body) else { throw Self.unreadable("creation", spec.name) }
        return details
    }

    package func removeVolume(_ name: String, force: Bool) async throws(EngineError) {
        var query = QueryString()
        query.add("force", force)
        try await client.perform("DELETE", volumePath(name), query, object: name)
    }

    package func exportVolume(_ name: String) async throws(EngineError) -> EngineStream<[UInt8]> {
        let response = try await client.send("GET", archivePath(name), object: name)
        return bytes(of: response, "read the archive")
    }

    package func importVolume(_ name: String, archive: EngineStream<[UInt8]>) async throws(EngineError) {
        let response = try await client.send(
            "PUT", archivePath(name), body: .stream { try await archive.next() }, object: name)
        _ = try await client.bytes(of: response)
    }

    private func archivePath(_ name: String) -> String { "/gantry/volumes/\(Percent.encoded(name))/archive" }

    package func pruneVolumes(_ filter: VolumeFilter) async throws(EngineError) -> PruneResult {
        let body = try await client.json("POST", "/volumes/prune", filter.dockerQuery)
        return PruneResult(removed: body.texts("VolumesDeleted"), reclaimedBytes: body.whole("SpaceReclaimed") ?? 0)
    }

    private func volumePath(_ name: String) -> String { "/volumes/\(Percent.encoded(name))" }
}
