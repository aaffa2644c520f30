import Glibc
import NIOCore

/// Stands before all of HTTP, answers a request that came before on this connection, byte for byte, where its answer is
/// prepared, and sends the bytes of prepared answers.
///
/// Who looks at something again and again sends the same request each time. Once it was decoded as one that may have a
/// prepared answer, and made up a read of its own between two messages, the same bytes in the same place mean the same:
/// to read and to compare them costs a small part of decoding them.
final class RepeatGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A request as it came, with what it asks for.
    private final class Repeated {
        let method: String
        let target: String
        private let bytes: [UInt8]

        init(_ bytes: [UInt8], method: String, target: String) {
            self.bytes = bytes
            self.method = method
            self.target = target
        }

        func isSame(as buffer: ByteBuffer) -> Bool {
            guard buffer.readableBytes == bytes.count else { return false }
            return buffer.withUnsafeReadableBytes { other in
                bytes.withUnsafeBytes { own in
                    own.baseAddress.map { memcmp($0, other.baseAddress ?? $0, own.count) == 0 } ?? true
                }
            }
        }
    }

    private let connection: ServerConnection
    private var repeated: Repeated?
    /// All that was read is whole messages: the next byte begins one.
    private var isBetweenMessages = true
    private var hasUnflushed = false
    /// Something of what was read went on to the others.
    private var hasPassedOn = false
    /// What is longer is decoded each time: every idle connection keeps its last request.
    private static let limitBytes = 1024

    init(_ connection: ServerConnection) { self.connection = connection }

    func handlerAdded(context: ChannelHandlerContext) {
        connection.sendBytes = { [unowned self] in send($0, context) }
        connection.whenSent = { body in
            let sent = context.eventLoop.makePromise(of: Void.self)
            sent.futureResult.assumeIsolated().whenComplete { _ in body() }
            // It has its turn behind all that waits.
            context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer()), promise: sent)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        connection.sendBytes = nil
        connection.whenSent = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = Self.unwrapInboundIn(data)
        if isBetweenMessages, let repeated, repeated.isSame(as: buffer),
            connection.answerAgain(repeated.method, repeated.target, isWritable: context.channel.isWritable)
        {
            return
        }
        let before = connection.tally
        let beganBetween = isBetweenMessages
        isBetweenMessages = false
        hasPassedOn = true
        context.fireChannelRead(data)
        let after = connection.tally
        guard beganBetween, after.heads == before.heads + 1, after.ends == before.ends + 1, Self.isOneHead(buffer)
        else { return }
        isBetweenMessages = true
        guard after.prepared == before.prepared + 1, buffer.readableBytes <= Self.limitBytes,
            let (method, target) = connection.lastPrepared
        else { return }
        repeated = Repeated([UInt8](buffer: buffer), method: method, target: target)
    }

    /// The first end of a head in the buffer is its end: with a whole request decoded of it, no byte is left over.
    private static func isOneHead(_ buffer: ByteBuffer) -> Bool {
        var end = HeadEnd()
        return end.length(in: buffer) == buffer.readableBytes
    }

    private func send(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        context.write(Self.wrapOutboundOut(bytes), promise: nil)
        hasUnflushed = true
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        let isAnswered = hasUnflushed && !hasPassedOn
        if hasUnflushed {
            hasUnflushed = false
            context.flush()
        }
        hasPassedOn = false
        // The others have had nothing: the connection waits for a request as before, and need not be asked for that.
        if isAnswered { context.read() } else { context.fireChannelReadComplete() }
    }
}
