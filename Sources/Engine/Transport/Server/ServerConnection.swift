import AsyncIO
import Linux
import NIOCore
import NIOHTTP1

/// A connection of the server, on its event loop: turns what NIO decodes into the items of an `Inlet`.
///
/// ```
/// http ──(end of a request that may be hijacked)──► raw
/// ```
/// A request that asks for an upgrade, or whose route hijacks, is the last of its connection: what comes after it passes
/// by the HTTP decoder, through the `RawGate`.
///
/// A request whose answer is prepared is answered here, where the connection waits for a request and nothing else; its
/// task does not hear of it. The bytes of such answers pass by the encoder, through the `RepeatGate`.
///
/// A connection that has become raw may go on without this, and without its channel: see `partWithSocket`.
final class ServerConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    enum Item: Sendable {
        case head(HTTPRequestHead)
        case bytes([UInt8])
        case end
    }

    struct Tally {
        var heads = 0
        var ends = 0
        /// Requests that were found to have a prepared answer.
        var prepared = 0
    }

    private let mayHijack: @Sendable (HTTPRequestHead) -> Bool
    private let whenActive: (any Channel, NIOLoopBound<ServerConnection>) -> Task<Void, Never>
    private var inlet = Inlet<Item>()
    private var ready: ReadyAnswers
    /// The answer to the request that is just being decoded, and whether it goes without its body.
    private var prepared: (answer: PreparedAnswer, isHead: Bool)?
    /// Puts the bytes of a prepared answer behind all that was written before.
    var sendBytes: ((ByteBuffer) -> Void)?
    /// Does something when all that was written before has left; at once where it has.
    var whenSent: ((@escaping () -> Void) -> Void)?
    /// Takes from the pipeline what speaks HTTP; nil once it has.
    var leaveHTTP: (() -> EventLoopFuture<Void>)?
    /// What was decoded so far.
    private(set) var tally = Tally()
    /// The last request that was answered so.
    private(set) var lastPrepared: (method: String, target: String)?
    private var context: ChannelHandlerContext?
    /// Nil while further requests may come.
    private(set) var httpBytesLeft: Int?
    private var isLastRequest = false
    private let serving = ServingTask()
    /// The channel's end is not the client's.
    private var hasParted = false
    /// When the next request must have begun; nil while one is served.
    private var requestDue: NIODeadline?
    private var idleLimit = TimeAmount.zero
    /// One for the whole connection, however many requests it takes: it looks at `requestDue` when it fires.
    private var idleTimer: Scheduled<Void>?

    init(
        ready: ReadyAnswers, mayHijack: @escaping @Sendable (HTTPRequestHead) -> Bool,
        whenActive: @escaping (any Channel, NIOLoopBound<ServerConnection>) -> Task<Void, Never>
    ) {
        self.ready = ready
        self.mayHijack = mayHijack
        self.whenActive = whenActive
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    /// The handlers that it would take away refer to this one.
    func handlerRemoved(context: ChannelHandlerContext) { leaveHTTP = nil }

    func channelActive(context: ChannelHandlerContext) {
        serving.set(whenActive(context.channel, NIOLoopBound(self, eventLoop: context.eventLoop)))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(var head):
            if head.uri.utf8.first != UInt8(ascii: "/") { head.uri = Self.originForm(head.uri) }
            tally.heads += 1
            if requestDue != nil, context.channel.isWritable, let answer = ready.answer(to: head) {
                prepared = (answer, head.method == .HEAD)
                tally.prepared += 1
                lastPrepared = (head.method.rawValue, head.uri)
                return
            }
            requestDue = nil
            isLastRequest = head.headers.contains(name: "upgrade") || mayHijack(head)
            if isLastRequest { httpBytesLeft = Self.bodyLength(head) }
            inlet.push(.head(head))
        case .body(let buffer): inlet.push(.bytes([UInt8](buffer: buffer)))
        case .end:
            tally.ends += 1
            if let prepared { return send(prepared.answer, withoutBody: prepared.isHead) }
            inlet.push(.end)
            if isLastRequest { httpBytesLeft = 0 }
        }
    }

    /// `http://host/path?query`, as clients write it to proxies, without what is before the path (RFC 9112, 3.2.2).
    private static func originForm(_ target: String) -> String {
        let lower = target.prefix(8).lowercased()
        guard let scheme = ["http://", "https://"].first(where: lower.hasPrefix) else { return target }
        let rest = target.dropFirst(scheme.count).drop { $0 != "/" && $0 != "?" }
        return rest.hasPrefix("/") ? String(rest) : "/" + rest
    }

    /// Answers a request that came before, if its answer is prepared now, and the connection waits for one.
    ///
    /// - Parameters: those of a request that was decoded, and found to be one for a prepared answer.
    func answerAgain(_ method: String, _ target: String, isWritable: Bool) -> Bool {
        guard requestDue != nil, isWritable, let answer = ready.answer(method: method, target: target) else {
            return false
        }
        send(answer, withoutBody: method == "HEAD")
        return true
    }

    private func send(_ answer: PreparedAnswer, withoutBody: Bool) {
        prepared = nil
        requestDue = .now() + idleLimit
        sendBytes?(answer.bytes(withoutBody: withoutBody))
    }

    /// Nil for a chunked body: its end is known when it is decoded.
    private static func bodyLength(_ head: HTTPRequestHead) -> Int? {
        if head.headers.contains(name: "transfer-encoding") { return nil }
        return head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
    }

    /// Takes bytes that are not HTTP.
    func receiveRaw(_ bytes: [UInt8]) { inlet.push(.bytes(bytes)) }

    func channelReadComplete(context: ChannelHandlerContext) {
        // One read ahead: to stop reading with each request and to begin again costs two system calls.
        if inlet.isWanted || !isLastRequest && inlet.isNearlyEmpty { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed = event else { return context.fireUserInboundEventTriggered(event) }
        // Prepared answers may still be on their way, which nobody waits for: who has asked and says no more reads on.
        guard requestDue != nil, let whenSent else { return endInput() }
        whenSent { [self] in endInput() }
    }

    private func endInput() {
        inlet.finish(.success(()))
        if !isLastRequest { serving.cancel() }
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
        // Before who reads learns of the end: it is to see both.
        if !hasParted { serving.cancel() }
        inlet.finish(.failure(.closed))
        self.context = nil
    }

    /// The next item; reads from the socket only now.
    func take(on loop: any EventLoop) -> EventLoopFuture<Item?> {
        let future = inlet.take(on: loop)
        if inlet.isWanted { context?.read() }
        return future
    }

    /// What has come of a request's body together with its head, and its end if that is here, too.
    func takeHeldBody() -> [Item] {
        var isAtEnd = false
        return inlet.takeHeld { item in
            if isAtEnd { return false }
            if case .end = item { isAtEnd = true }
            return true
        }
    }

    /// Closes the connection if no request has begun in time.
    ///
    /// - Parameter isTrusted: whoever is at the other end may have prepared answers, whatever becomes of permissions.
    func awaitRequest(within limit: TimeAmount, isTrusted: Bool, on loop: any EventLoop) -> EventLoopFuture<Item?> {
        let future = take(on: loop)
        if inlet.isWanted {
            requestDue = .now() + limit
            idleLimit = limit
            ready.isOn = isTrusted
        }
        watchIdleness(on: loop)
        return future
    }

    /// Runs what is left of the connection's life instead of its first task. A client that is gone meanwhile cancels it.
    func goOn(_ sequel: ResponseWriter.Sequel) {
        serving.set(
            sequel.isOnWaitingThread ? AsyncSocket.taskOnWaitingThread(sequel.run) : Task(operation: sequel.run))
        // No further request comes.
        idleTimer?.cancel()
        idleTimer = nil
    }

    /// From here on bytes go both ways as they are. What spoke HTTP goes: it is 2 KB of each client that is attached.
    func becomeRaw(on loop: any EventLoop) -> EventLoopFuture<Void> {
        defer { leaveHTTP = nil }
        return leaveHTTP?() ?? loop.makeSucceededVoidFuture()
    }

    /// Lets the socket of a raw connection go on by itself, with what has come and nobody has taken, and closes the channel.
    /// From a channel each piece would be copied for who reads it, and a reader beside the channel would not get all.
    ///
    /// - Returns: nil where there is more to the connection than its socket, or it is to end: it stays here.
    func partWithSocket(_ registration: ConnectionRegistration) -> SocketWire? {
        guard let context, !inlet.hasFailed, let socket = PlainSocket.duplicate(of: context.channel) else { return nil }
        let early = inlet.held.flatMap { item -> [UInt8] in
            if case .bytes(let bytes) = item { bytes } else { [] }
        }
        let serving = serving
        let wire = SocketWire(socket, early: early, tellsGoneFromDone: true) {
            registration.end()
            serving.cancel()
        }
        guard registration.goOn(by: wire) else {
            socket.close()
            return nil
        }
        hasParted = true
        // The duplicate keeps the connection.
        context.close(promise: nil)
        do throws(KernelError) { try socket.whenHungUp { serving.cancel() } } catch {
            // The server's end has closed it already.
            serving.cancel()
        }
        return wire
    }

    private func watchIdleness(on loop: any EventLoop) {
        guard idleTimer == nil, context != nil, let due = requestDue else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        idleTimer = loop.scheduleTask(deadline: due) { bound.value.endIdleness(on: loop) }
    }

    private func endIdleness(on loop: any EventLoop) {
        idleTimer = nil
        guard let due = requestDue else { return }
        guard due <= .now(), let whenSent else { return watchIdleness(on: loop) }
        // Who takes long to read a prepared answer is not idle.
        var isSent = false
        whenSent { isSent = true }
        guard !isSent else {
            context?.close(promise: nil)
            return
        }
        requestDue = .now() + idleLimit
        watchIdleness(on: loop)
    }
}
