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
    if exchange.isFromGantry {
        try await startThenHijack(details, request, exchange)
    } else {
        try await hijackThenStart(details, request, exchange)
    }
}

/// Our own clients take an error as the answer's status, know the exec, and look for detach keys themselves.
private func startThenHijack(_ details: ExecDetails, _ request: ExecStartRequest, _ exchange: Exchange) async throws {
    let goesOn = exchange.query.flag(ExecStartRequest.goesOnQuery)
    let stream =
        goesOn
        ? try await exchange.engine.attachExec(details.id)
        : try await exchange.engine.startExec(details.id, size: request.size)
    let isTerminal = details.spec.tty
    let connection = try await hijack(exchange, isFramed: !isTerminal, or: stream)
    let session = StdioSession(
        connection: connection, stream: stream, isFramed: !isTerminal, detachKeys: nil,
        hasInput: details.spec.attachStdin, closesInput: true,
        closesInputWhenGone: { [work = exchange.work, isResumed = exchange.isResumed] in
            !isTerminal && !(isResumed && work.isEnding)
        })
    exchange.goOn(session)
}

/// As docker: the answer's head goes out before the process begins, and its form follows the start's own `Tty`, not the
/// exec's. What fails from here on is told inside the stream; docker's clients take the exit code from the exec's
/// inspection.
///
/// The request is over with its head. What is left is talk with the shim and bytes that come from there, all of it on
/// the thread that waits for them.
private func hijackThenStart(_ details: ExecDetails, _ request: ExecStartRequest, _ exchange: Exchange) async throws {
    try await exchange.engine.checkExec(details.id)
    let (isTerminal, hasInput, isFramed) = (details.spec.tty, details.spec.attachStdin, !request.tty)
    let keys = isTerminal ? try DetachKeys(parsing: details.spec.detachKeys) : nil
    let connection = try await exchange.hijack(isFramed: isFramed)
    let pending = exchange.work.begin()
    let mayMissHead = exchange.mayMissHead
    exchange.writer.goOn(onWaitingThread: true) { [engine = exchange.engine, id = details.id, size = request.size] in
        let started: Result<any AttachedStream, EngineError>
        do throws(EngineError) { started = .success(try await engine.startExec(id, size: size)) } catch {
            started = .failure(error)
        }
        if mayMissHead { await connection.waitUntilHeadIsRead() }
        switch started {
        case .success(let stream):
            var session = StdioSession(
                connection: connection, stream: stream, isFramed: isFramed, detachKeys: keys,
                hasInput: hasInput, closesInput: !isTerminal, closesInputWhenGone: { !isTerminal })
            session.pending = pending
            await session.run()
        case .failure(let error):
            let text = Array("\(error.message)\r\n".utf8)
            // The client may be gone: then nobody is left to tell.
            try? await connection.write(isFramed ? StreamFrame.encode(.stdout, text) : text)
            await connection.closeOutput()
            await connection.close()
            pending.end()
        }
    }
}
