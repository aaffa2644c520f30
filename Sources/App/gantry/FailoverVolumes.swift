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

    func exportVolume(_ name: String) async throws(EngineError) -> EngineStream<[UInt8]> {
        try await act { engine throws(EngineError) in try await engine.exportVolume(name) }
    }

    func importVolume(_ name: String, archive: EngineStream<[UInt8]>) async throws(EngineError) {
        try await act { engine throws(EngineError) in try await engine.importVolume(name, archive: archive) }
    }

    func pruneVolumes(_ filter: VolumeFilter) async throws(EngineError) -> PruneResult {
        try await act { engine throws(EngineError) in try await engine.pruneVolumes(filter) }
    }
}
