/// Which file a packed one of a log was, so that who has that file open still finds its place among the others.
///
/// It stands in the header of the gzip file, as an extra field (RFC 1952, 2.3.1.1) with the id `Gn`: device and inode,
/// each of 8 bytes, the lowest first.
package struct PackedLogMark: Hashable, Sendable {
    /// What of a packed file's beginning must be read for `init(header:)`.
    package static let headerByteCount = 64

    package var device: UInt64
    package var inode: UInt64

    package init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }

    package var extraField: [UInt8] {
        let value = Self.bytes(device) + Self.bytes(inode)
        return [UInt8(ascii: "G"), UInt8(ascii: "n"), UInt8(value.count), 0] + value
    }

    /// Nil for another's gzip file, which has no such field or has it later.
    package init?(header: [UInt8]) {
        let hasExtra = header.count >= 12 && header[0] == 0x1F && header[1] == 0x8B && header[3] & 4 != 0
        guard hasExtra, header.count >= 32, header[12] == UInt8(ascii: "G"), header[13] == UInt8(ascii: "n"),
            header[14] == 16, header[15] == 0
        else { return nil }
        self.init(device: Self.number(header[16..<24]), inode: Self.number(header[24..<32]))
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
