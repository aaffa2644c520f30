import DockerAPI
import EngineAPI
import JSON
import Transport

/// Start, stop, restart, kill, pause, unpause, wait, resize.
let lifecycleRoutes: [Route] = [
    Route("POST", "/containers/{id}/start") { exchange in
        try await checkStart(exchange)
        try await exchange.engine.start(exchange.container)
        try await exchange.send(204)
    },
    Route("POST", "/containers/{id}/stop") { exchange in
        try await exchange.engine.stop(
            exchange.container, signal: exchange.signal, timeoutSeconds: try exchange.timeoutSeconds())
        try await exchange.send(204)
    },
    Route("POST", "/containers/{id}/restart") { exchange in
        try await exchange.engine.restart(
            exchange.container, signal: exchange.signal, timeoutSeconds: try exchange.timeoutSeconds())
        try await exchange.send(204)
    },
    Route("POST", "/containers/{id}/kill") { exchange in
        try await exchange.engine.kill(exchange.container, signal: exchange.signal ?? "KILL")
        try await exchange.send(204)
    },
    Route("POST", "/containers/{id}/pause") { exchange in
        try await exchange.engine.pause(exchange.container)
        try await exchange.send(204)
    },
    Route("POST", "/containers/{id}/unpause") { exchange in
        try await exchange.engine.unpause(exchange.container)
        try await exchange.send(204)
    },
    Route("POST", "/containers/{id}/resize") { exchange in
        let size = try TerminalSize(dockerQuery: exchange.query)
        // Ours may give a container its size before it starts; docker's are told, and ask again.
        if !exchange.isFromGantry { try await checkRuns(exchange) }
        try await exchange.engine.resize(exchange.container, to: size)
        try await exchange.send(200)
    },
    Route("POST", "/containers/{id}/wait") { exchange in try await waitForContainer(exchange) },
]

extension Exchange {
    fileprivate var signal: String? { query["signal"].flatMap { $0.isEmpty ? nil : $0 } }

    fileprivate func timeoutSeconds() throws -> Int? {
        guard let text = query["t"], !text.isEmpty else { return nil }
        guard let seconds = Int(text) else { throw EngineError(.invalid, "invalid timeout: \"\(text)\"") }
        return seconds
    }
}

/// A start has no configuration of its own since 1.24, and nothing to be restored from.
private func checkStart(_ exchange: Exchange) async throws {
    if let checkpoint = exchange.query["checkpoint"], !checkpoint.isEmpty {
        throw EngineError(
            .unsupported, "starting containers from checkpoints is not supported yet by this engine: \(checkpoint)")
    }
    // What says nothing, such as `{}` or `null`, is as good as none.
    guard try await exchange.body().value.object?.isEmpty ?? true else {
        throw EngineError(
            .invalid,
            "starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24")
    }
}

private func checkRuns(_ exchange: Exchange) async throws {
    let details = try await exchange.engine.inspect(exchange.container)
    guard !details.state.isAlive else { return }
    throw EngineError(.conflict, "container \(details.id) is not running", object: exchange.container)
}

/// The head goes out once the wait stands: docker's CLI starts the container only then.
private func waitForContainer(_ exchange: Exchange) async throws {
    let text = exchange.query["condition"] ?? ""
    guard let condition = text.isEmpty ? .notRunning : WaitCondition(rawValue: text) else {
        throw EngineError(.invalid, "invalid condition: \"\(text)\"")
    }
    let wait = try await exchange.engine.beginWait(exchange.container, for: condition)
    try await exchange.begin("application/json")
    do throws(EngineError) {
        try await exchange.writeLine(try await wait.result())
    } catch {
        if error.kind == .cancelled { return }
        // The kind is for a client of ours; docker's shows the message.
        let detail: JSONValue = ["Message": .string(error.message), "Kind": .string(error.kind.rawValue)]
        try await exchange.writeLine(["StatusCode": -1, "Error": detail])
    }
    try await exchange.writer.end()
}

extension Exchange {
    fileprivate func writeLine(_ result: WaitResult) async throws(EngineError) {
        do {
            try await writeLine(result.dockerBody)
        } catch {
            throw EngineError(.cancelled, "the client went away")
        }
    }
}
