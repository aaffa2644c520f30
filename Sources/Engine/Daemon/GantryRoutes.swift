import DockerAPI
import EngineAPI
import JSON

/// Routes of Gantry's own, for what the Docker API cannot tell; `GET /version` announces them.
let gantryRoutes: [Route] = [
    // Samples of many containers over one connection: a line per tick, an array of docker's stats bodies in each.
    Route("GET", "/gantry/stats") { exchange in
        let ids = (exchange.query["ids"] ?? "").split(separator: ",").map(String.init)
        let milliseconds = exchange.query["interval"].flatMap { Int64($0) }
        if let milliseconds, milliseconds < 10 {
            throw EngineError(.invalid, "the interval of \(milliseconds) ms is too short")
        }
        let samples = try await exchange.engine.stats(ids, every: milliseconds.map { .milliseconds($0) })
        try await exchange.begin("application/json")
        for try await sample in samples {
            try await exchange.writeLine(.array(sample.map { $0.dockerBody(previous: nil) }))
        }
        try await exchange.writer.end()
    },
    Route("GET", "/gantry/containers/{id}/processes") { exchange in
        let nodes = try await exchange.engine.processes(exchange.container)
        try await exchange.send(200, .array(nodes.map(\.gantryBody)))
    },
    Route("GET", "/gantry/volumes/{name}/archive") { exchange in
        let bytes = try await exchange.engine.exportVolume(exchange.parameter("name"))
        try await exchange.begin("application/x-tar")
        for try await piece in bytes { try await exchange.writer.write(piece) }
        try await exchange.writer.end()
    },
    Route("PUT", "/gantry/volumes/{name}/archive") { exchange in
        let body = exchange.request.body
        try await exchange.engine.importVolume(
            exchange.parameter("name"), archive: EngineStream { try await body.next() })
        try await exchange.send(204)
    },
    // A directory on the engine's own machine. Who may use the socket may mount any path into a container anyway.
    Route("POST", "/gantry/images/load") { exchange in
        guard let path = exchange.query["path"], path.hasPrefix("/") else {
            throw EngineError(.invalid, "the path must be absolute: `\(exchange.query["path"] ?? "")`")
        }
        try await loadImages(.path(path), exchange)
    },
]
