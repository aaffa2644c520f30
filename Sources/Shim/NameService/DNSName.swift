/// A domain name as a sequence of labels of bytes, small letters only: names are compared without regard to case.
package struct DNSName: Hashable, Sendable, CustomStringConvertible {
    /// Each 1 to 63 bytes; with a byte before each and one at the end, 255 at most.
    package private(set) var labels: [[UInt8]]

    /// Reads `web.example`, with or without a dot at the end; nil for what no message could carry.
    package init?(_ text: String) {
        var parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { Array($0) }
        if parts.last?.isEmpty == true { parts.removeLast() }
        self.init(labels: parts)
    }

    init?(labels: [[UInt8]]) {
        guard labels.allSatisfy({ (1...63).contains($0.count) }),
            labels.reduce(1, { $0 + $1.count + 1 }) <= 255
        else { return nil }
        self.labels = labels.map { $0.map { (65...90).contains($0) ? $0 | 0x20 : $0 } }
    }

    package var description: String {
        labels.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
    }

    /// As it stands in a message, without compression.
    package var wire: [UInt8] { labels.flatMap { [UInt8($0.count)] + $0 } + [0] }

    /// Reads a name at an offset of a message and moves the offset behind it.
    ///
    /// A pointer must lead to what was before the part that it ends: so following them comes to an end, whatever they are.
    init(_ message: [UInt8], at offset: inout Int) throws(DNSError) {
        var labels: [[UInt8]] = []
        var byteCount = 1
        var position = offset
        var end: Int?
        var bound = offset
        while true {
            guard position < message.count else { throw .cutOff }
            let length = Int(message[position])
            switch length {
            case 0:
                offset = end ?? position + 1
                guard let name = DNSName(labels: labels) else { throw .badName }
                self = name
                return
            case 1...63:
                guard position + 1 + length <= message.count else { throw .cutOff }
                byteCount += length + 1
                guard byteCount <= 255 else { throw .badName }
                labels.append(Array(message[position + 1...position + length]))
                position += 1 + length
            case 0xC0...:
                guard position + 1 < message.count else { throw .cutOff }
                let target = (length & 0x3F) << 8 | Int(message[position + 1])
                guard target < bound else { throw .badPointer }
                end = end ?? position + 2
                (position, bound) = (target, target)
            default: throw .badName
            }
        }
    }
}

/// Why bytes are no message of the domain name system.
package enum DNSError: Error, Hashable, Sendable {
    case cutOff
    case badName
    /// A compression pointer that does not lead backwards.
    case badPointer
    /// An answer, or something else that is no plain question.
    case noQuestion
}
