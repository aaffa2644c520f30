import DockerAPI
import EngineAPI
import JSON
import Transport

extension DockerEngine {
    package func networks(_ filter: NetworkFilter) async throws(EngineError) -> [NetworkDetails] {
        let body = try await client.json("GET", "/networks", filter.dockerQuery)
        return (body.array ?? []).compactMap { NetworkDetails(dockerBody: $0) }
    }

    package func inspectNetwork(_ reference: String) async throws(EngineError) -> NetworkDetails {
        let body = try await client.json("GET", networkPath(reference), object: reference)
        guard let details = NetworkDetails(dockerBody: body) else { throw Self.unreadable("inspection", reference) }
        return details
    }

    package func createNetwork(_ spec: NetworkSpec) async throws(EngineError) -> String {
        let body = try await client.json(
            "POST", "/networks/create", QueryString(), body: spec.dockerCreateBody, object: spec.name)
        guard let id = body.filledText("Id") else { throw Self.unreadable("creation", spec.name) }
        return id
    }

    package func removeNetwork(_ reference: String) async throws(EngineError) {
        try await client.perform("DELETE", networkPath(reference), object: reference)
    }

    package func connect(
        _ container: String, to network: String, _ spec: EndpointSpec
    ) async throws(EngineError) {
        let body: JSONValue = ["Container": .string(container), "EndpointConfig": spec.dockerBody]
        try await client.perform("POST", networkPath(network) + "/connect", body: body, object: network)
    }

    package func disconnect(
        _ container: String, from network: String, force: Bool
    ) async throws(EngineError) {
        let body: JSONValue = ["Container": .string(container), "Force": .bool(force)]
        try await client.perform("POST", networkPath(network) + "/disconnect", body: body, object: network)
    }

    package func pruneNetworks(_ filter: NetworkFilter) async throws(EngineError) -> PruneResult {
        let body = try await client.json("POST", "/networks/prune", filter.dockerQuery)
        return PruneResult(removed: body.texts("NetworksDeleted"))
    }

    private func networkPath(_ reference: String) -> String { "/networks/\(Percent.encoded(reference))" }
}
