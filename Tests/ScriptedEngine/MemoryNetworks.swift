import EngineAPI

/// The networks that need nothing.
extension MemoryEngine {
    package func networks(_ filter: NetworkFilter) -> [NetworkDetails] { NetworkDetails.builtIn }

    package func inspectNetwork(_ reference: String) throws(EngineError) -> NetworkDetails {
        guard let network = NetworkDetails.builtIn(reference) else {
            throw EngineError(.notFound, "network \(reference) not found", object: reference)
        }
        return network
    }

    package func removeNetwork(_ reference: String) throws(EngineError) {
        let name = try inspectNetwork(reference).spec.name
        throw EngineError(.denied, "\(name) is a pre-defined network and cannot be removed", object: name)
    }
}
