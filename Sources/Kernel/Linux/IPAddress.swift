import Glibc

/// An address of the internet protocol, version 4 or 6.
package struct IPAddress: Hashable, Sendable {
    package enum Family: UInt8, Hashable, Sendable, Codable {
        /// AF_INET
        case v4 = 2
        /// AF_INET6
        case v6 = 10

        package var bitCount: Int { self == .v4 ? 32 : 128 }
    }

    package let family: Family
    /// As a number, in the host's order of bytes.
    package let value: UInt128

    package init(_ family: Family, _ value: UInt128) {
        self.family = family
        self.value = family == .v4 ? value & 0xFFFF_FFFF : value
    }

    /// Four or sixteen bytes in the network's order; nil for another count.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.init(bytes.count == 4 ? .v4 : .v6, bytes.reduce(0) { $0 << 8 | UInt128($1) })
    }

    /// In the network's order.
    package var bytes: [UInt8] {
        let count = family.bitCount / 8
        return (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt128(8 * (count - 1 - $0))) }
    }

    package var isUnspecified: Bool { value == 0 }

    package var isLoopback: Bool { family == .v4 ? value >> 24 == 127 : value == 1 }

    /// 169.254.0.0/16 or fe80::/10.
    package var isLinkLocal: Bool { family == .v4 ? value >> 16 == 0xA9FE : value >> 118 == 0x3FA }

    /// 224.0.0.0/4 or ff00::/8.
    package var isMulticast: Bool { family == .v4 ? value >> 28 == 0xE : value >> 120 == 0xFF }

    /// The address that many places further; nil where the family has none.
    package func advanced(by distance: UInt128) -> IPAddress? {
        let (sum, overflows) = value.addingReportingOverflow(distance)
        guard !overflows, family == .v6 || sum <= 0xFFFF_FFFF else { return nil }
        return IPAddress(family, sum)
    }
}

extension IPAddress: LosslessStringConvertible {
    /// Reads what inet_pton(3) reads: dotted numbers, or the text form of version 6; no zone, no brackets.
    package init?(_ text: String) {
        let family: Family = text.utf8.contains(UInt8(ascii: ":")) ? .v6 : .v4
        var bytes = [UInt8](repeating: 0, count: family.bitCount / 8)
        guard !text.utf8.contains(0), inet_pton(Int32(family.rawValue), text, &bytes) == 1 else { return nil }
        self.init(bytes: bytes)
    }

    /// As inet_ntop(3) writes it.
    package var description: String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let bytes = bytes
        guard inet_ntop(Int32(family.rawValue), bytes, &buffer, socklen_t(buffer.count)) != nil else { return "?" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension IPAddress: Comparable {
    /// Version 4 before version 6, then by number.
    package static func < (left: IPAddress, right: IPAddress) -> Bool {
        (left.family.rawValue, left.value) < (right.family.rawValue, right.value)
    }
}

extension IPAddress: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let address = IPAddress(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "`\(text)` is no address")
        }
        self = address
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
