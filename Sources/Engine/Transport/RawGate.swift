import NIOCore

/// Stands before the HTTP decoder and keeps from it what is not HTTP any more.
///
/// Whether a message gives the connection up is known once its head is decoded. So the bytes are handed on up to the
/// end of each head (CR LF CR LF) first, and the connection is asked then how much more of them is HTTP. A decoder that
/// had seen more would take raw bytes for a further message, or lose them when the peer closes at once.
final class RawGate: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let httpBytesLeft: () -> Int?
    private let receiveRaw: ([UInt8]) -> Void
    private var headEnd = HeadEnd()
    private var left: Int?

    /// - Parameters:
    ///   - httpBytesLeft: how many bytes after the last head belong to HTTP before the connection is raw; nil while it is
    ///     not to become raw.
    ///   - receiveRaw: takes raw bytes.
    init(httpBytesLeft: @escaping () -> Int?, receiveRaw: @escaping ([UInt8]) -> Void) {
        self.httpBytesLeft = httpBytesLeft
        self.receiveRaw = receiveRaw
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = Self.unwrapInboundIn(data)
        while buffer.readableBytes > 0 {
            if left == nil { left = httpBytesLeft() }
            if left == 0 { return receiveRaw([UInt8](buffer: buffer)) }
            let length =
                left.map { min($0, buffer.readableBytes) } ?? headEnd.length(in: buffer) ?? buffer.readableBytes
            guard let piece = buffer.readSlice(length: length) else { return }
            if let left { self.left = left - length }
            context.fireChannelRead(Self.wrapInboundOut(piece))
        }
    }
}
