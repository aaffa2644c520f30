import EngineAPI

/// Volumes, whoever hosts the engine.
extension FailoverEngine {
    func volumes(_ filter: VolumeFilter) async throws(EngineError) -> [VolumeDetails] {
        try await ask { engine throws(EngineError) in try await engine.volumes(filter) }
    }

    func inspectVolume(_ name: String) async throws(EngineError) -> VolumeDetails {
        try await ask { engine throws(EngineError) in try await engine.inspectVolume(name) }
    }

    func createVolume(_ spec: VolumeSpec) async throws(EngineError) -> VolumeDetails {
        try await act { engine throws(EngineError) in try await engine.createVolume(spec) }
    }

    func removeVolume(_ name: String, force: Bool) async throws(EngineError) {
        try await act { engine throws(EngineError) in try await engine.removeVolume(name, force: force) }
    }

    func pruneVolumes(_ filter: VolumeFilter) async throws(EngineError) -> PruneResult {
        try await act { engine throws(EngineError) in try await engine.pruneVolumes(filter) }
    }
}
