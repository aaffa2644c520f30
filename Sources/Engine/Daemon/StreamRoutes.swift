import DockerAPI
import EngineAPI
import JSON
import Transport

/// Attach, logs, stats.
let streamRoutes: [Route] = [
    Route("POST", "/containers/{id}/attach") { exchange in try await attach(exchange) },
    Route("GET", "/containers/{id}/attach/ws") { exchange in try await attachByWebSocket(exchange) },
    Route("GET", "/containers/{id}/logs") { exchange in try await sendLogs(exchange) },
    Route("GET", "/containers/{id}/stats") { exchange in try await sendStats(exchange) },
]

private func attach(_ exchange: Exchange) async throws {
    let (facts, request, keys) = try await attachment(exchange)
    // By id: the name may have gone to another container meanwhile.
    let stream = try await exchange.engine.attach(facts.id, request)
    let isTerminal = facts.tty
    let connection = try await hijack(exchange, isFramed: !isTerminal, or: stream)
    if exchange.mayMissHead { await connection.waitUntilHeadIsRead() }
    // Docker's clients end their input also when they leave a terminal; ours say the one or the other, and are gone when
    // they leave.
    let isOnce = facts.stdinOnce && !isTerminal
    let session = StdioSession(
        connection: connection, stream: stream, isFramed: !isTerminal,
        detachKeys: isTerminal && !exchange.isFromGantry ? keys : nil, hasInput: request.stdin,
        closesInput: exchange.isFromGantry || isOnce, closesInputWhenGone: { isOnce && !exchange.isFromGantry })
    exchange.goOn(session)
}

/// Standard output and error come as they are, in one, as docker sends them over a websocket.
private func attachByWebSocket(_ exchange: Exchange) async throws {
    var (facts, request, keys) = try await attachment(exchange)
    // Before 1.42 the choice of streams was not looked at.
    if exchange.version < APIVersion(1, 42) {
        (request.stdin, request.stdout, request.stderr) = (facts.openStdin, true, true)
    }
    let stream = try await exchange.engine.attach(facts.id, request)
    let link: WebSocketLink
    do {
        link = try await exchange.webSocket()
    } catch {
        await stream.close()
        throw error
    }
    let isOnce = facts.stdinOnce && !facts.tty
    let session = StdioSession(
        connection: link, stream: stream, isFramed: false, detachKeys: facts.tty ? keys : nil,
        hasInput: request.stdin, closesInput: isOnce, closesInputWhenGone: { isOnce })
    exchange.goOn(session)
}

private func attachment(_ exchange: Exchange) async throws -> (StdioFacts, AttachRequest, DetachKeys) {
    let keys = try DetachKeys(parsing: exchange.query["detachKeys"])
    let facts = try await exchange.engine.stdioFacts(exchange.container)
    var request = AttachRequest(
        stdin: exchange.query.flag("stdin") && facts.openStdin, stdout: exchange.query.flag("stdout"),
        stderr: exchange.query.flag("stderr"))
    request.logs = exchange.query.flag("logs")
    request.stream = exchange.query.flag("stream")
    request.holdsBack = !exchange.query.flag(AttachRequest.mayLoseQuery)
    return (facts, request, keys)
}

/// Gives the connection up, or lets go of the stream that would have gone over it.
func hijack(
    _ exchange: Exchange, isFramed: Bool, or stream: any AttachedStream
) async throws -> HijackedConnection {
    do {
        return try await exchange.hijack(isFramed: isFramed)
    } catch {
        await stream.close()
        throw error
    }
}

private func sendLogs(_ exchange: Exchange) async throws {
    let request = try LogRequest(dockerQuery: exchange.query)
    let facts = try await exchange.engine.stdioFacts(exchange.container)
    let logs = try await exchange.engine.logs(facts.id, request)
    let isFramed = !facts.tty || exchange.framesTerminalLogs && request.wantsTimes
    let encoder = LogEncoder(
        isFramed: isFramed, hasTimes: request.times, hasDetails: request.details,
        joinsLines: exchange.isFromDockerCLI || exchange.isFromGantry && !request.wantsTimes)
    try await exchange.begin(exchange.streamType(isFramed: isFramed))
    // The disk is read while the client takes what was read before; no further ahead than that.
    var entries = try await logs.next()
    while let current = entries {
        async let following = logs.next()
        try await exchange.writer.write(encoder.encode(current))
        entries = try await following
    }
    try await exchange.writer.end()
}

private func sendStats(_ exchange: Exchange) async throws {
    let details = try await exchange.engine.inspect(exchange.container)
    let isStream = exchange.query.flag("stream", default: true)
    let isOneShot = exchange.query.flag("one-shot")
    if isOneShot, isStream { throw EngineError(.invalid, "cannot have stream=true and one-shot=true") }
    let interval: Duration? = isOneShot ? nil : .seconds(1)
    let samples = try await exchange.engine.stats([details.id], every: interval)
    if isStream { try await exchange.begin("application/json") }
    var previous: ContainerStats?
    for try await sample in samples {
        let current = sample.first
        // Without a stream docker takes two samples, a second apart, so that there is something to compute rates from.
        let isFirstOfTwo = !isStream && !isOneShot && previous == nil
        if isFirstOfTwo, let current {
            previous = current
            continue
        }
        let body =
            current?.dockerBody(previous: previous)
            ?? ContainerStats.emptyDockerBody(id: details.id, name: details.name)
        guard isStream else { return try await exchange.send(200, body) }
        try await exchange.writeLine(body)
        previous = current
    }
    guard isStream else {
        return try await exchange.send(200, ContainerStats.emptyDockerBody(id: details.id, name: details.name))
    }
    try await exchange.writer.end()
}
