import DockerAPI
import EngineAPI
import JSON

/// List, inspect, create, remove, connect, disconnect, prune.
let networkRoutes: [Route] = [
    Route("GET", "/networks") { exchange in
        let networks = try await exchange.engine.networks(NetworkFilter(dockerQuery: exchange.query))
        // Docker's list leaves the containers out, its inspection does not.
        let bodies = networks.map { network in
            var network = network
            network.members = [:]
            return network.dockerBody
        }
        try await exchange.send(200, .array(bodies))
    },
    Route("GET", "/networks/{id...}") { exchange in
        try await exchange.send(200, try await exchange.engine.inspectNetwork(exchange.parameter("id")).dockerBody)
    },
    Route("POST", "/networks/create") { exchange in
        let spec = try NetworkSpec(dockerBody: try await exchange.body())
        let id = try await exchange.engine.createNetwork(spec)
        try await exchange.send(201, ["Id": .string(id), "Warning": ""])
    },
    Route("DELETE", "/networks/{id...}") { exchange in
        try await exchange.engine.removeNetwork(exchange.parameter("id"))
        try await exchange.send(204)
    },
    Route("POST", "/networks/{id...}/connect") { exchange in
        let body = try await exchange.body()
        let spec = try EndpointSpec(dockerBody: try body.object("EndpointConfig"))
        try await exchange.engine.connect(try body.container, to: exchange.parameter("id"), spec)
        try await exchange.send(200)
    },
    Route("POST", "/networks/{id...}/disconnect") { exchange in
        let body = try await exchange.body()
        try await exchange.engine.disconnect(
            try body.container, from: exchange.parameter("id"), force: try body.flag("Force"))
        try await exchange.send(200)
    },
    Route("POST", "/networks/prune") { exchange in
        let result = try await exchange.engine.pruneNetworks(NetworkFilter(dockerQuery: exchange.query))
        try await exchange.send(
            200, ["NetworksDeleted": result.removed.isEmpty ? .null : .array(result.removed.map { .string($0) })])
    },
]

extension BodyReader {
    /// Who is to be connected, or disconnected.
    fileprivate var container: String {
        get throws(EngineError) {
            let name = try text("Container")
            guard !name.isEmpty else { throw EngineError(.invalid, "Container must not be empty") }
            return name
        }
    }
}
