import DockerAPI
import EngineAPI
import JSON

/// Ping, version, info, events, disk usage.
let systemRoutes: [Route] = [
    Route("GET", "/_ping") { exchange in try await sendPing(exchange) },
    Route("HEAD", "/_ping") { exchange in try await sendPing(exchange) },
    Route("GET", "/version") { exchange in
        try await exchange.send(200, try await exchange.engine.version().dockerBody)
    },
    Route("GET", "/info") { exchange in
        try await exchange.send(200, try await exchange.engine.info().dockerBody(for: exchange.version, now: .now()))
    },
    Route("GET", "/events") { exchange in
        let events = try await exchange.engine.events(EventRequest(dockerQuery: exchange.query))
        try await exchange.begin("application/json")
        for try await event in events { try await exchange.writeLine(event.dockerBody) }
        try await exchange.writer.end()
    },
    Route("GET", "/system/df") { exchange in
        let usage = try await exchange.engine.diskUsage(of: DiskUsagePart.parts(dockerQuery: exchange.query))
        try await exchange.send(200, usage.dockerBody(for: exchange.version, now: .now()))
    },
]

private func sendPing(_ exchange: Exchange) async throws {
    try await exchange.writer.send(200, exchange.ping.fields, body: Ping.body)
}
