import EngineAPI

/// Networks, whoever hosts the engine.
extension FailoverEngine {
    func networks(_ filter: NetworkFilter) async throws(EngineError) -> [NetworkDetails] {
        try await ask { engine throws(EngineError) in try await engine.networks(filter) }
    }

    func inspectNetwork(_ reference: String) async throws(EngineError) -> NetworkDetails {
        try await ask { engine throws(EngineError) in try await engine.inspectNetwork(reference) }
    }

    func createNetwork(_ spec: NetworkSpec) async throws(EngineError) -> String {
        try await act { engine throws(EngineError) in try await engine.createNetwork(spec) }
    }

    func removeNetwork(_ reference: String) async throws(EngineError) {
        try await act { engine throws(EngineError) in try await engine.removeNetwork(reference) }
    }

    func connect(_ container: String, to network: String, _ spec: EndpointSpec) async throws(EngineError) {
        try await act { engine throws(EngineError) in try await engine.connect(container, to: network, spec) }
    }

    func disconnect(_ container: String, from network: String, force: Bool) async throws(EngineError) {
        try await act { engine throws(EngineError) in
            try await engine.disconnect(container, from: network, force: force)
        }
    }

    func pruneNetworks(_ filter: NetworkFilter) async throws(EngineError) -> PruneResult {
        try await act { engine throws(EngineError) in try await engine.pruneNetworks(filter) }
    }
}
