import EngineAPI

/// No volumes: the list is empty, and none is found.
extension MemoryEngine {
    package func volumes(_ filter: VolumeFilter) -> [VolumeDetails] { [] }

    package func inspectVolume(_ name: String) throws(EngineError) -> VolumeDetails {
        throw EngineError(.notFound, "get \(name): no such volume", object: name)
    }
}
