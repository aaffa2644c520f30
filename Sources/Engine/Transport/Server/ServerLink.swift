import NIOCore
import NIOHTTP1

/// The way from a task to its connection's event loop.
struct ServerLink: Sendable {
    let channel: any Channel
    let connection: NIOLoopBound<ServerConnection>
    let registration: ConnectionRegistration

    func take() async throws(TransportError) -> ServerConnection.Item? {
        try await onLoop { connection.value.take(on: channel.eventLoop) }.value()
    }

    /// What is here of the body of the request in hand; nothing for a task that is on another thread than the loop's.
    func takeHeldBody() -> [ServerConnection.Item] {
        channel.eventLoop.inEventLoop ? connection.value.takeHeldBody() : []
    }

    /// Runs steps of which each goes to the loop and waits for it, on the loop's own thread: threads are changed once for
    /// all of them, there and back.
    func together<Value>(
        _ steps: () async throws(TransportError) -> Value
    ) async throws(TransportError) -> Value {
        try await withTaskExecutorPreference(LoopExecutor(channel.eventLoop), operation: steps)
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
        try await onLoop {
            connection.value.awaitRequest(within: limit, isTrusted: isTrusted, on: channel.eventLoop)
        }.value()
    }

    func goOn(_ body: @escaping @Sendable () async -> Void) async {
        // A loop that is shut down has no connections.
        try? await channel.eventLoop.submit { connection.value.goOn(body) }.value()
    }

    /// After the request was read to its end, and the head of the answer is written.
    func becomeRaw() async throws(TransportError) {
        try await channel.eventLoop.flatSubmit { connection.value.becomeRaw(on: channel.eventLoop) }.value()
    }

    /// What carries a raw connection on without its channel; nil where it needs that.
    func partWithSocket() async throws(TransportError) -> SocketWire? {
        let (connection, registration) = (connection, registration)
        return try await channel.eventLoop.submit { connection.value.partWithSocket(registration) }.value()
    }

    /// At once where this is the loop's thread, as it is for all that is brief.
    private func onLoop(
        _ body: @escaping @Sendable () -> EventLoopFuture<ServerConnection.Item?>
    ) -> EventLoopFuture<ServerConnection.Item?> {
        channel.eventLoop.inEventLoop ? body() : channel.eventLoop.flatSubmit(body)
    }

    func write(_ part: HTTPServerResponsePart) async throws(TransportError) {
        try await channel.writeAndFlush(part).value()
    }
}
