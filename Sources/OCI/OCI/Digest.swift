/// The name of content by its hash: `sha256:` and 64 digits (OCI image specification, "Digests").
package struct Digest: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The registered algorithms; the specification requires the first and allows the second.
    package enum Algorithm: String, Hashable, Sendable, CaseIterable {
        case sha256, sha512

        package var hexDigits: Int { self == .sha256 ? 64 : 128 }
    }

    package let algorithm: Algorithm
    /// Small hexadecimal digits, as many as the algorithm gives.
    package let hex: String

    /// Nil unless `hex` has exactly the algorithm's number of small hexadecimal digits.
    package init?(_ algorithm: Algorithm, hex: some StringProtocol) {
        guard hex.utf8.count == algorithm.hexDigits, hex.utf8.allSatisfy(Self.isHexDigit) else { return nil }
        self.algorithm = algorithm
        self.hex = String(hex)
    }

    /// Nil unless `text` is a whole digest of a known algorithm.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let algorithm = Algorithm(rawValue: String(parts[0])) else { return nil }
        self.init(algorithm, hex: parts[1])
    }

    /// - Parameter bytes: the hash itself: 32 bytes for sha256, 64 for sha512.
    package init?(_ algorithm: Algorithm, bytes: some Collection<UInt8>) {
        let digits = Array("0123456789abcdef".utf8)
        var hex: [UInt8] = []
        hex.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            hex.append(digits[Int(byte >> 4)])
            hex.append(digits[Int(byte & 15)])
        }
        self.init(algorithm, hex: String(decoding: hex, as: UTF8.self))
    }

    package var description: String { "\(algorithm.rawValue):\(hex)" }

    /// The first twelve digits, as docker shows ids.
    package var short: String { String(hex.prefix(12)) }

    package static func < (left: Digest, right: Digest) -> Bool { left.description < right.description }

    static func isHexDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) || (97...102).contains(byte) }
}
