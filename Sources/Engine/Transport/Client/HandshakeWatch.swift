import NIOCore
import NIOSSL
import NIOTLS

/// Stands behind the TLS handler until what speaks HTTP does: reads for it up to the end of the handshake, because nothing
/// else reads a connection that nobody has asked for anything, and tells how it went.
final class HandshakeWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private var promise: EventLoopPromise<Void>?
    /// What went wrong after the handshake, and before anybody stood behind this: that is over for the client before the
    /// server has looked at the client's certificate (RFC 8446, 2).
    private(set) var lateFailure: TransportError?

    init(_ promise: EventLoopPromise<Void>) { self.promise = promise }

    func handlerAdded(context: ChannelHandlerContext) { context.read() }

    func channelReadComplete(context: ChannelHandlerContext) {
        if promise != nil { context.read() }
        context.fireChannelReadComplete()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event { finish(nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard promise != nil else {
            lateFailure = lateFailure ?? TransportError(error)
            return context.fireErrorCaught(error)
        }
        finish(TLSFailure.reason(error) ?? TransportError(error))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(.closed)
        context.fireChannelInactive()
    }

    private func finish(_ error: TransportError?) {
        guard let promise else { return }
        self.promise = nil
        if let error { promise.fail(error) } else { promise.succeed() }
    }
}
