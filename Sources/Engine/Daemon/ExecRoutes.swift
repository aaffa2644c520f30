import DockerAPI
import EngineAPI
import JSON
import Transport

/// Further processes in containers.
let execRoutes: [Route] = [
    Route("POST", "/containers/{id}/exec") { exchange in
        let spec = try ExecSpec(dockerBody: try await exchange.body())
        let id = try await exchange.engine.createExec(exchange.container, spec)
        try await exchange.send(201, ["Id": .string(id)])
    },
    Route("POST", "/exec/{id}/start") { exchange in try await startExec(exchange) },
    Route("POST", "/exec/{id}/resize") { exchange in
        let size = try TerminalSize(dockerQuery: exchange.query)
        try await exchange.engine.resizeExec(exchange.parameter("id"), to: size)
        try await exchange.send(200)
    },
    Route("GET", "/exec/{id}/json") { exchange in
        try await exchange.send(200, try await exchange.engine.inspectExec(exchange.parameter("id")).dockerBody)
    },
]

private func startExec(_ exchange: Exchange) async throws {
    let id = exchange.parameter("id")
    let request = try ExecStartRequest(dockerBody: try await exchange.body())
    if request.detach {
        try await exchange.engine.startExecDetached(id)
        return try await exchange.send(200)
    }
    let details = try await exchange.engine.inspectExec(id)
    let stream: any AttachedStream
    do throws(EngineError) {
        stream = try await exchange.engine.startExec(id, size: request.size)
    } catch {
        return try await sendStartFailure(error, details, exchange)
    }
    let isTerminal = details.spec.tty
    let connection = try await hijack(exchange, isFramed: !isTerminal, or: stream)
    await StdioSession(
        connection: connection, stream: stream, isFramed: !isTerminal,
        detachKeys: isTerminal && !exchange.isFromGantry ? .standard : nil, hasInput: details.spec.attachStdin,
        closesInput: exchange.isFromGantry || !isTerminal
    ).run()
}

/// A command that cannot be run is told of inside the stream, where docker's clients look for it: they take the exit
/// code from the exec's inspection afterwards.
private func sendStartFailure(_ error: EngineError, _ details: ExecDetails, _ exchange: Exchange) async throws {
    let isCommand = error.kind == .commandNotFound || error.kind == .commandNotExecutable
    guard isCommand, !exchange.isFromGantry else { throw error }
    let connection = try await exchange.hijack(isFramed: !details.spec.tty)
    let text = Array("\(error.message)\r\n".utf8)
    try await connection.write(details.spec.tty ? text : StreamFrame.encode(.stderr, text))
    await connection.closeOutput()
    await connection.close()
}
