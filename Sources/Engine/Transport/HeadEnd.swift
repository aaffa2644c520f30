import Glibc
import NIOCore

/// Looks for the end of an HTTP head (CR LF CR LF) in bytes that come piece by piece.
struct HeadEnd {
    /// How much of it the bytes so far are the beginning of.
    private var matched = 0

    /// The bytes up to and with an end, which may have begun in an earlier piece; nil where none ends here.
    mutating func length(in buffer: ByteBuffer) -> Int? {
        buffer.withUnsafeReadableBytes { bytes in
            guard let start = bytes.baseAddress else { return nil }
            var offset = 0
            while offset < bytes.count {
                if matched == 0 {
                    // Nearly all bytes are of lines and bodies: what cannot begin an end is passed over by the C library.
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
            return nil
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
