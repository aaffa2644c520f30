/// A request to a subsystem of the kernel as it goes over the socket: header, the type's own header, attributes.
///
/// ```
/// ┌────────────┬──────┬───────┬──────────┬─────┬─────────────┬───────────────────────────────┐
/// │ length u32 │ type │ flags │ sequence │ pid │ type's head │ (length u16, type u16, data)… │
/// └────────────┴──────┴───────┴──────────┴─────┴─────────────┴───────────────────────────────┘
/// ```
/// Numbers are in the host's order; each attribute begins at a multiple of four bytes.
package struct NetlinkMessage: Sendable {
    package struct Flags: OptionSet, Sendable {
        package let rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        package static let request = Flags(rawValue: 0x001)
        package static let acknowledge = Flags(rawValue: 0x004)
        /// NLM_F_ROOT and NLM_F_MATCH: all there is.
        package static let dump = Flags(rawValue: 0x300)
        package static let replace = Flags(rawValue: 0x100)
        package static let exclusive = Flags(rawValue: 0x200)
        package static let create = Flags(rawValue: 0x400)
    }

    static let headerByteCount = 16

    private var bytes: [UInt8]

    package init(_ type: UInt16, _ flags: Flags, head: [UInt8]) {
        bytes = []
        bytes.reserveCapacity(256)
        bytes.put(UInt32(0))
        bytes.put(type)
        bytes.put(flags.rawValue | Flags.request.rawValue)
        bytes.put(UInt64(0))
        bytes += head
        bytes.alignToFour()
    }

    package mutating func put(_ attribute: UInt16, _ data: some Collection<UInt8>) {
        bytes.put(UInt16(4 + data.count))
        bytes.put(attribute)
        bytes += data
        bytes.alignToFour()
    }

    package mutating func put(_ attribute: UInt16, _ number: some FixedWidthInteger) {
        var data: [UInt8] = []
        data.put(number)
        put(attribute, data)
    }

    /// Text, closed by a zero.
    package mutating func put(_ attribute: UInt16, text: String) { put(attribute, Array(text.utf8) + [0]) }

    /// An attribute that consists of what `body` puts.
    package mutating func nest(_ attribute: UInt16, _ body: (inout NetlinkMessage) -> Void) {
        let start = bytes.count
        bytes.put(UInt16(0))
        // NLA_F_NESTED: strict parsers of newer attributes insist.
        bytes.put(attribute | 0x8000)
        body(&self)
        bytes.set(UInt16(bytes.count - start), at: start)
    }

    /// Bytes of a head inside of an attribute: a veth's peer is described by a whole message of its own.
    mutating func put(head: [UInt8]) {
        bytes += head
        bytes.alignToFour()
    }

    func encoded(sequence: UInt32) -> [UInt8] {
        var result = bytes
        result.set(UInt32(result.count), at: 0)
        result.set(sequence, at: 8)
        return result
    }
}

extension [UInt8] {
    mutating func put(_ number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number) { append(contentsOf: $0) }
    }

    fileprivate mutating func set(_ number: some FixedWidthInteger, at offset: Int) {
        Swift.withUnsafeBytes(of: number) { replaceSubrange(offset..<offset + $0.count, with: $0) }
    }

    fileprivate mutating func alignToFour() {
        while count % 4 != 0 { append(0) }
    }
}
