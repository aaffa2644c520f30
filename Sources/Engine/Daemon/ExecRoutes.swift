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
    let (stream, connection) =
        exchange.isFromGantry
        ? try await startThenHijack(details, request, exchange)
        : try await hijackThenStart(details, request, exchange)
    guard let stream else { return }
    let isTerminal = details.spec.tty
    let session = StdioSession(
        connection: connection, stream: stream, isFramed: isFramed(details, request, exchange),
        detachKeys: isTerminal && !exchange.isFromGantry ? try DetachKeys(parsing: details.spec.detachKeys) : nil,
        hasInput: details.spec.attachStdin,
        closesInput: exchange.isFromGantry || !isTerminal,
        closesInputWhenGone: { [work = exchange.work, isResumed = exchange.isResumed] in
            !isTerminal && !(isResumed && work.isEnding)
        })
    exchange.goOn(session)
}

/// As docker, whose answer follows the start's own `Tty` and not the exec's. Our own clients know the exec.
private func isFramed(_ details: ExecDetails, _ request: ExecStartRequest, _ exchange: Exchange) -> Bool {
    exchange.isFromGantry ? !details.spec.tty : !request.tty
}

/// Our own clients take an error as the answer's status.
private func startThenHijack(
    _ details: ExecDetails, _ request: ExecStartRequest, _ exchange: Exchange
) async throws -> ((any AttachedStream)?, HijackedConnection) {
    let goesOn = exchange.query.flag(ExecStartRequest.goesOnQuery)
    let stream =
        goesOn
        ? try await exchange.engine.attachExec(details.id)
        : try await exchange.engine.startExec(details.id, size: request.size)
    return (stream, try await hijack(exchange, isFramed: isFramed(details, request, exchange), or: stream))
}

/// As docker: the answer's head goes out before the process begins. What fails from here on is told inside the stream;
/// docker's clients take the exit code from the exec's inspection.
private func hijackThenStart(
    _ details: ExecDetails, _ request: ExecStartRequest, _ exchange: Exchange
) async throws -> ((any AttachedStream)?, HijackedConnection) {
    try await exchange.engine.checkExec(details.id)
    let isFramed = isFramed(details, request, exchange)
    let connection = try await exchange.hijack(isFramed: isFramed)
    do throws(EngineError) {
        let stream = try await exchange.engine.startExec(details.id, size: request.size)
        await exchange.waitUntilHeadIsRead(of: connection)
        return (stream, connection)
    } catch {
        await exchange.waitUntilHeadIsRead(of: connection)
        let text = Array("\(error.message)\r\n".utf8)
        try await connection.write(isFramed ? StreamFrame.encode(.stdout, text) : text)
        await connection.closeOutput()
        await connection.close()
        return (nil, connection)
    }
}
