import NIOCore
import NIOHTTP1

/// A connection of the server, on its event loop: turns what NIO decodes into the items of an `Inlet`.
///
/// ```
/// http ──(end of a request that may be hijacked)──► raw
/// ```
/// A request that asks for an upgrade, or whose route hijacks, is the last of its connection: what comes after it passes
/// by the HTTP decoder, through the `RawGate`.
final class ServerConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart

    enum Item: Sendable {
        case head(HTTPRequestHead)
        case bytes([UInt8])
        case end
    }

    private let mayHijack: @Sendable (HTTPRequestHead) -> Bool
    private let whenActive: (any Channel, NIOLoopBound<ServerConnection>) -> Task<Void, Never>
    private var inlet = Inlet<Item>()
    private var context: ChannelHandlerContext?
    /// Nil while further requests may come.
    private(set) var httpBytesLeft: Int?
    private var isLastRequest = false
    private var task: Task<Void, Never>?
    /// When the next request must have begun; nil while one is served.
    private var requestDue: NIODeadline?
    /// One for the whole connection, however many requests it takes: it looks at `requestDue` when it fires.
    private var idleTimer: Scheduled<Void>?

    init(
        mayHijack: @escaping @Sendable (HTTPRequestHead) -> Bool,
        whenActive: @escaping (any Channel, NIOLoopBound<ServerConnection>) -> Task<Void, Never>
    ) {
        self.mayHijack = mayHijack
        self.whenActive = whenActive
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func channelActive(context: ChannelHandlerContext) {
        task = whenActive(context.channel, NIOLoopBound(self, eventLoop: context.eventLoop))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            requestDue = nil
            isLastRequest = head.headers.contains(name: "upgrade") || mayHijack(head)
            if isLastRequest { httpBytesLeft = Self.bodyLength(head) }
            inlet.push(.head(head))
        case .body(let buffer): inlet.push(.bytes([UInt8](buffer: buffer)))
        case .end:
            inlet.push(.end)
            if isLastRequest { httpBytesLeft = 0 }
        }
    }

    /// Nil for a chunked body: its end is known when it is decoded.
    private static func bodyLength(_ head: HTTPRequestHead) -> Int? {
        if head.headers.contains(name: "transfer-encoding") { return nil }
        return head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
    }

    /// Takes bytes that are not HTTP.
    func receiveRaw(_ bytes: [UInt8]) { inlet.push(.bytes(bytes)) }

    func channelReadComplete(context: ChannelHandlerContext) {
        if inlet.isWanted { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed = event else { return context.fireUserInboundEventTriggered(event) }
        inlet.finish(.success(()))
        if !isLastRequest { task?.cancel() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The end of raw bytes is no mistake in HTTP.
        if httpBytesLeft == 0, error is HTTPParserError { return }
        inlet.finish(.failure(TransportError(error)))
        // A malformed request is answered by the connection's task, which then closes; what comes after the first
        // mistake only repeats it. Anything else has broken the connection.
        if error is HTTPParserError || error is ByteToMessageDecoderError { return }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        idleTimer?.cancel()
        inlet.finish(.failure(.closed))
        task?.cancel()
        self.context = nil
    }

    /// The next item; reads from the socket only now.
    func take(on loop: any EventLoop) -> EventLoopFuture<Item?> {
        let future = inlet.take(on: loop)
        if inlet.isWanted { context?.read() }
        return future
    }

    /// Closes the connection if no request has begun in time.
    func awaitRequest(within limit: TimeAmount, on loop: any EventLoop) -> EventLoopFuture<Item?> {
        requestDue = .now() + limit
        let future = take(on: loop)
        watchIdleness(on: loop)
        return future
    }

    private func watchIdleness(on loop: any EventLoop) {
        guard idleTimer == nil, context != nil, let due = requestDue else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        idleTimer = loop.scheduleTask(deadline: due) { bound.value.endIdleness(on: loop) }
    }

    private func endIdleness(on loop: any EventLoop) {
        idleTimer = nil
        guard let due = requestDue else { return }
        if due <= .now() { context?.close(promise: nil) } else { watchIdleness(on: loop) }
    }
}

/// The way from a task to its connection's event loop.
struct ServerLink: Sendable {
    let channel: any Channel
    let connection: NIOLoopBound<ServerConnection>

    func take() async throws(TransportError) -> ServerConnection.Item? {
        try await onLoop { connection.value.take(on: channel.eventLoop) }.value()
    }

    func awaitRequest(within limit: TimeAmount) async throws(TransportError) -> ServerConnection.Item? {
        try await onLoop { connection.value.awaitRequest(within: limit, on: channel.eventLoop) }.value()
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
