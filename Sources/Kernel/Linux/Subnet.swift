/// A block of addresses: those that begin with the same bits.
package struct Subnet: Hashable, Sendable {
    /// The block's first address: all bits after the prefix are zero.
    package let base: IPAddress
    package let prefixLength: Int

    /// The block that holds an address; nil where the family has no such prefix.
    package init?(containing address: IPAddress, prefixLength: Int) {
        guard (0...address.family.bitCount).contains(prefixLength) else { return nil }
        base = IPAddress(address.family, address.value & ~Self.hostBits(address.family, prefixLength))
        self.prefixLength = prefixLength
    }

    private static func hostBits(_ family: IPAddress.Family, _ prefixLength: Int) -> UInt128 {
        let count = family.bitCount - prefixLength
        return count == 128 ? .max : (UInt128(1) << UInt128(count)) - 1
    }

    package var family: IPAddress.Family { base.family }

    package var last: IPAddress { IPAddress(family, base.value | Self.hostBits(family, prefixLength)) }

    /// All ones, in version 4; nil where there is none: in version 6, and in blocks of one or two addresses.
    package var broadcast: IPAddress? { family == .v4 && prefixLength < 31 ? last : nil }

    package func contains(_ address: IPAddress) -> Bool {
        address.family == family && address.value & ~Self.hostBits(family, prefixLength) == base.value
    }

    package func contains(_ other: Subnet) -> Bool { prefixLength <= other.prefixLength && contains(other.base) }

    package func overlaps(_ other: Subnet) -> Bool { contains(other.base) || other.contains(base) }
}

extension Subnet: LosslessStringConvertible {
    /// Reads `172.17.0.0/16`; bits after the prefix are dropped.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(String(parts[0])), parts[1].utf8.first != UInt8(ascii: "+"),
            let length = Int(parts[1])
        else { return nil }
        self.init(containing: address, prefixLength: length)
    }

    package var description: String { "\(base)/\(prefixLength)" }
}

extension Subnet: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let subnet = Subnet(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "`\(text)` is no subnet")
        }
        self = subnet
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
