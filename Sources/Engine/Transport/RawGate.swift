import Glibc
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
    private var matched = 0
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
            let length = left.map { min($0, buffer.readableBytes) } ?? lengthToHeadEnd(buffer)
            guard let piece = buffer.readSlice(length: length) else { return }
            if let left { self.left = left - length }
            context.fireChannelRead(Self.wrapInboundOut(piece))
        }
    }

    /// The bytes up to the end of a head, which may have begun in an earlier read; all of them where none ends here.
    private func lengthToHeadEnd(_ buffer: ByteBuffer) -> Int {
        buffer.withUnsafeReadableBytes { bytes in
            guard let start = bytes.baseAddress else { return 0 }
            var offset = 0
            while offset < bytes.count {
                if matched == 0 {
                    // Nearly all bytes are of bodies: what cannot begin an end is passed over by the C library.
                    guard let found = memchr(start + offset, 13, bytes.count - offset) else { break }
                    offset = start.distance(to: UnsafeRawPointer(found))
                }
                matched = Self.matched(after: matched, bytes[offset])
                offset += 1
                if matched == 4 {
                    matched = 0
                    return offset
                }
            }
            return bytes.count
        }
    }

    /// How much of CR LF CR LF the bytes up to and with this one are the beginning of.
    private static func matched(after count: Int, _ byte: UInt8) -> Int {
        switch (count, byte) {
        case (0, 13), (2, 13), (1, 10), (3, 10): count + 1
        case (_, 13): 1
        default: 0
        }
    }
}
