import NIOCore
import NIOTLS

/// Stands before TLS until the handshake is over, and lets a refusal reach its client. What says why is sent, and the
/// connection closed, while the client's first request is on its way already: bytes that nobody has read then are
/// answered by the kernel with a reset, which takes from the client what it has not read yet (RFC 9112, 9.6).
///
/// Instead nothing more is said, and what comes is read and forgotten up to the client's own end, for a short time.
final class OrderlyRefusal: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        case handshake(hasRead: Bool)
        case parting(Parting)
        case closing
    }

    private struct Parting {
        var left = ServerSession.partingLimitBytes
        var promises: [EventLoopPromise<Void>] = []
        let limit: Scheduled<Void>
    }

    private var state = State.handshake(hasRead: false)
    private var clientHasEnded = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch state {
        case .handshake:
            state = .handshake(hasRead: true)
            context.fireChannelRead(data)
        case .parting(var parting):
            parting.left -= Self.unwrapInboundIn(data).readableBytes
            state = .parting(parting)
            if parting.left <= 0 { end(context) }
        case .closing: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if case .parting = state { context.read() } else { context.fireChannelReadComplete() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { clientHasEnded = true }
        if case .parting = state, clientHasEnded { return end(context) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        // Closed by the client: what is left is to say so.
        end(context)
        context.fireChannelInactive()
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch state {
        case .handshake(hasRead: true) where mode == .all && !clientHasEnded: part(context, promise)
        case .parting(var parting):
            if let promise { parting.promises.append(promise) }
            state = .parting(parting)
        case .handshake, .closing: context.close(mode: mode, promise: promise)
        }
    }

    private func part(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let limit = context.eventLoop.scheduleTask(in: TimeAmount(ServerSession.partingTime)) {
            let (refusal, context) = bound.value
            refusal.end(context)
        }
        var parting = Parting(limit: limit)
        if let promise { parting.promises.append(promise) }
        state = .parting(parting)
        context.close(mode: .output, promise: nil)
        context.read()
    }

    private func end(_ context: ChannelHandlerContext) {
        guard case .parting(let parting) = state else { return }
        state = .closing
        parting.limit.cancel()
        let closed = context.eventLoop.makePromise(of: Void.self)
        for promise in parting.promises { closed.futureResult.cascade(to: promise) }
        context.close(promise: closed)
    }
}

/// Stands behind TLS and takes the `OrderlyRefusal` away once the client is let in.
final class Admission: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let refusal: OrderlyRefusal

    init(_ refusal: OrderlyRefusal) { self.refusal = refusal }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent {
            let pipeline = context.pipeline.syncOperations
            pipeline.removeHandler(refusal, promise: nil)
            pipeline.removeHandler(self, promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
    }
}
