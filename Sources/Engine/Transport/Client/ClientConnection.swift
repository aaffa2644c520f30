import NIOCore
import NIOHTTP1

/// A connection of the client, on its event loop.
final class ClientConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    enum Item: Sendable {
        case head(HTTPResponseHead)
        case bytes([UInt8])
        case end
    }

    private var inlet = Inlet<Item>()
    private var context: ChannelHandlerContext?
    private var mayHijack = false
    private var isRaw = false
    private var lastActivity = NIODeadline.now()

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        // The server went before this was here: nobody will tell of it again.
        if !context.channel.isActive { inlet.finish(.failure(.closed)) }
    }

    /// The next answer may give the connection up.
    func expectHijack() { mayHijack = true }

    /// For the `RawGate`: after the head of an answer that gives the connection up nothing is HTTP.
    var httpBytesLeft: Int? { isRaw ? 0 : nil }

    func receiveRaw(_ bytes: [UInt8]) { inlet.push(.bytes(bytes)) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What the decoder says of the end of raw bytes.
        if isRaw { return }
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            isRaw = mayHijack && (head.status == .switchingProtocols || head.status == .ok)
            inlet.push(.head(head))
        case .body(let buffer): inlet.push(.bytes([UInt8](buffer: buffer)))
        case .end: inlet.push(.end)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if inlet.isWanted { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed = event else { return context.fireUserInboundEventTriggered(event) }
        inlet.finish(.success(()))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The end of raw bytes is no mistake in HTTP.
        if isRaw, error is HTTPParserError { return }
        inlet.finish(.failure(TransportError(error)))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        // NIO closes a channel whose output is closed already without a further word when its input ends.
        inlet.finish(isRaw ? .success(()) : .failure(.closed))
        self.context = nil
    }

    /// - Parameter silenceLimit: how long the server may send nothing meanwhile; nil for ever.
    func take(on loop: any EventLoop, silenceLimit: TimeAmount?) -> EventLoopFuture<Item?> {
        let future = inlet.take(on: loop)
        guard inlet.isWanted else { return future }
        context?.read()
        guard let silenceLimit else { return future }
        noteActivity()
        let timer = RepeatedLook(loop, every: silenceLimit) { [self] in
            guard NIODeadline.now() - lastActivity >= silenceLimit else { return }
            inlet.finish(.failure(.timedOut("wait for the server")))
            context?.close(promise: nil)
        }
        future.assumeIsolated().whenComplete { _ in timer.stop() }
        return future
    }

    /// Something has moved: an upload's bytes count, while the answer is awaited.
    func noteActivity() { lastActivity = .now() }
}

/// The way from a task to its connection's event loop. Cancelling a task that reads closes the connection: an exchange
/// that was given up half way leaves nothing that another could use.
struct ClientLink: Sendable {
    let channel: any Channel
    let connection: NIOLoopBound<ClientConnection>
    /// The program that the connection goes through; nil for a socket.
    let command: CommandConnection?
    /// How long the server may send nothing while something is awaited of it; nil for ever.
    var silenceLimit: TimeAmount?

    func take() async throws(TransportError) -> ClientConnection.Item? {
        let channel = channel
        let (connection, silenceLimit) = (connection, silenceLimit)
        let result = await withTaskCancellationHandler {
            do throws(TransportError) {
                let item = try await channel.eventLoop.flatSubmit {
                    connection.value.take(on: channel.eventLoop, silenceLimit: silenceLimit)
                }.value()
                return Result<ClientConnection.Item?, TransportError>.success(item)
            } catch {
                return .failure(error)
            }
        } onCancel: {
            channel.close(promise: nil)
        }
        return try result.get()
    }

    func expectHijack() async throws(TransportError) {
        let connection = connection
        try await channel.eventLoop.submit { connection.value.expectHijack() }.value()
    }

    func noteActivity() async throws(TransportError) {
        let connection = connection
        try await channel.eventLoop.submit { connection.value.noteActivity() }.value()
    }

    func write(_ part: HTTPClientRequestPart) async throws(TransportError) {
        try await channel.writeAndFlush(part).value()
    }

    func close() { channel.close(promise: nil) }
}

/// Looks again and again whether it is too late, on one event loop.
private final class RepeatedLook {
    private var next: Scheduled<Void>?
    private var isStopped = false

    init(_ loop: any EventLoop, every interval: TimeAmount, _ look: @escaping () -> Void) {
        schedule(loop, interval, look)
    }

    private func schedule(_ loop: any EventLoop, _ interval: TimeAmount, _ look: @escaping () -> Void) {
        next = loop.assumeIsolated().scheduleTask(in: interval) { [weak self] in
            look()
            guard let self, !isStopped else { return }
            schedule(loop, interval, look)
        }
    }

    func stop() {
        isStopped = true
        next?.cancel()
        next = nil
    }
}
