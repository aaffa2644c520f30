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
    let others = (reading + writing).map { method, pattern in
        Route(method, pattern) { _ in throw notASwarmManager }
    }
    let ways = ["/swarm/init", "/swarm/join"].map { pattern in
        Route("POST", pattern) { _ in throw EngineError(.unsupported, "this engine does not take part in swarms") }
    }
    let leaving = Route("POST", "/swarm/leave") { _ in
        throw EngineError(.unavailable, "This node is not part of a swarm")
    }
    return others + ways + [leaving]
}()

private let pluginRoutes: [Route] = {
    let unsupported = EngineError(.unsupported, "managed plugins are not supported by this engine")
    let missing = ["/plugins/{name...}/json", "/plugins/{name...}"].map { pattern in
        Route("GET", pattern) { exchange in
            throw EngineError(.notFound, "plugin \"\(exchange.parameter("name"))\" not found")
        }
    }
    let acting = [
        ("GET", "/plugins/privileges"), ("POST", "/plugins/{name...}"), ("DELETE", "/plugins/{name...}"),
    ].map { method, pattern in Route(method, pattern) { _ in throw unsupported } }
    return [Route("GET", "/plugins") { exchange in try await exchange.send(200, []) }] + missing + acting
}()

private let unsupportedRoutes: [Route] =
    [
        ("POST", "/build", "building images is"),
        ("POST", "/session", "BuildKit is"), ("POST", "/grpc", "BuildKit is"),
        ("GET", "/containers/{id}/checkpoints", "checkpointing containers is"),
        ("POST", "/containers/{id}/checkpoints", "checkpointing containers is"),
        ("DELETE", "/containers/{id}/checkpoints/{name}", "checkpointing containers is"),
        ("PUT", "/volumes/{name}", "making cluster volumes is"),
    ].map { method, pattern, subject in
        Route(method, pattern) { _ in
            throw EngineError(.unsupported, "\(subject) not supported yet by this engine")
        }
    } + [
        // Nothing is built, so nothing of it is kept: `docker system prune` asks for this among others.
        Route("POST", "/build/prune") { exchange in
            try await exchange.send(200, ["CachesDeleted": .null, "SpaceReclaimed": 0])
        },
        Route("POST", "/build/cancel") { exchange in try await exchange.send(204) },
    ]
