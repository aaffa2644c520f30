import EngineAPI
import JSON

/// Routes of the Docker API that have no engine behind them: each says so, rather than that the page is unknown.
let absentRoutes: [Route] = swarmRoutes + pluginRoutes + unsupportedRoutes

private let notASwarmManager = EngineError(
    .unavailable,
    "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm "
        + "and try again.")

private let swarmRoutes: [Route] = {
    let lists = ["/swarm", "/nodes", "/services", "/tasks", "/secrets", "/configs"]
    let reading = lists.flatMap { [("GET", $0), ("GET", "\($0)/{id...}")] }
    let writing = lists.flatMap { [("POST", "\($0)/{id...}"), ("DELETE", "\($0)/{id...}")] }
    return (reading + writing).map { method, pattern in
        Route(method, pattern) { _ in throw notASwarmManager }
    }
}()

private let pluginRoutes: [Route] = [
    Route("GET", "/plugins") { exchange in try await exchange.send(200, []) },
    Route("GET", "/plugins/{name...}") { exchange in
        throw EngineError(.notFound, "plugin \"\(exchange.parameter("name"))\" not found")
    },
]

private let unsupportedRoutes: [Route] = [
    ("GET", "/images/search", "searching registries"),
    ("POST", "/build", "building images"), ("POST", "/build/prune", "building images"),
    ("POST", "/session", "sessions of BuildKit"),
    ("POST", "/grpc", "BuildKit"),
    ("GET", "/containers/{id}/attach/ws", "attaching by websocket"),
    ("GET", "/containers/{id}/checkpoints", "checkpoints"), ("POST", "/containers/{id}/checkpoints", "checkpoints"),
].map { method, pattern, subject in
    Route(method, pattern) { _ in throw EngineError(.unsupported, "\(subject) is not supported yet by this engine") }
}
