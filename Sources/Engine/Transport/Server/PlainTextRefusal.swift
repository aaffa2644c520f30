import NIOCore

/// Stands before TLS and tells a client that speaks HTTP without it what is wrong, as Go's servers do: by the first byte,
/// which is 22 in a handshake (RFC 8446, 5.1) and a letter in a request.
final class PlainTextRefusal: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let answer =
        "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"

    private var hasRefused = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = Self.unwrapInboundIn(data)
        if hasRefused { return }
        guard let first = buffer.readableBytesView.first else { return context.fireChannelRead(data) }
        guard (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) else {
            context.fireChannelRead(data)
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
            return
        }
        hasRefused = true
        let (channel, answer) = (context.channel, context.channel.allocator.buffer(string: Self.answer))
        context.writeAndFlush(Self.wrapOutboundOut(answer)).whenComplete { _ in channel.close(promise: nil) }
    }
}
