import NIOCore
import NIOHTTP1

/// The way from a task to its connection's event loop.
struct ServerLink: Sendable {
    let channel: any Channel
    let connection: NIOLoopBound<ServerConnection>
    let registration: ConnectionRegistration

    func take() async throws(TransportError) -> ServerConnection.Item? {
        try await onLoop { connection, loop in connection.take(on: loop) }.value()
    }

    /// What is here of the body of the request in hand; nothing for a task that is on another thread than the loop's.
    func takeHeldBody() -> [ServerConnection.Item] {
        channel.eventLoop.inEventLoop ? connection.value.takeHeldBody() : []
    }

    /// Waits for what is missing of that body, as far as it comes; nothing for a task that is on another thread.
    func takeBody(_ held: inout [ServerConnection.Item]) async {
        guard channel.eventLoop.inEventLoop else { return }
        // Who reads the body meets its early end again, and tells of it.
        while !held.isWhole, let item = try? await take() { held.append(item) }
    }

    /// Runs steps of which each goes to the loop and waits for it, on the loop's own thread: threads are changed once for
    /// all of them, there and back.
    func together<Value>(
        _ steps: () async throws(TransportError) -> Value
    ) async throws(TransportError) -> Value {
        if channel.eventLoop.inEventLoop { return try await steps() }
        return try await withTaskExecutorPreference(LoopExecutor(channel.eventLoop), operation: steps)
    }

    /// Reads for nobody, to the end of the connection or of a number of bytes.
    func forget(atMost limitBytes: Int) async {
        var left = limitBytes
        // Whichever way it ends, nobody waits for more.
        while left > 0, let item = try? await take() {
            if case .bytes(let bytes) = item { left -= bytes.count }
        }
    }

    func awaitRequest(
        within limit: TimeAmount, isTrusted: Bool
    ) async throws(TransportError) -> ServerConnection.Item? {
        try await onLoop { connection, loop in
            connection.awaitRequest(within: limit, isTrusted: isTrusted, on: loop)
        }.value()
    }

    func goOn(_ sequel: ResponseWriter.Sequel) async {
        // A loop that is shut down has no connections.
        try? await onLoop { connection, loop in
            connection.goOn(sequel)
            return loop.makeSucceededVoidFuture()
        }.value()
    }

    /// After the request was read to its end, and the head of the answer is written.
    func becomeRaw() async throws(TransportError) {
        try await onLoop { connection, loop in connection.becomeRaw(on: loop) }.value()
    }

    /// What carries a raw connection on without its channel; nil where it needs that.
    func partWithSocket() async throws(TransportError) -> SocketWire? {
        let registration = registration
        return try await onLoop { connection, loop in
            loop.makeSucceededFuture(connection.partWithSocket(registration))
        }.value()
    }

    /// At once where this is the loop's thread, as it is for all that is brief.
    private func onLoop<Value: Sendable>(
        _ body: @escaping @Sendable (ServerConnection, any EventLoop) -> EventLoopFuture<Value>
    ) -> EventLoopFuture<Value> {
        let (loop, connection) = (channel.eventLoop, connection)
        return loop.inEventLoop
            ? body(connection.value, loop) : loop.flatSubmit { body(connection.value, loop) }
    }

    func write(_ part: HTTPServerResponsePart) async throws(TransportError) {
        try await channel.writeAndFlush(part).value()
    }
}
