import Linux

/// The attributes of a message from the kernel, by their types. What is cut off or has a length that cannot be is left
/// out with all that follows it.
package struct NetlinkAttributes: Sendable {
    private var values: [UInt16: ArraySlice<UInt8>] = [:]

    package init(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while rest.count >= 4 {
            let length = Int(rest.number(at: 0) as UInt16)
            // The two upper bits say that it is nested, or in the network's order.
            let type = (rest.number(at: 2) as UInt16) & 0x3FFF
            guard length >= 4, length <= rest.count else { return }
            values[type] = rest[rest.startIndex + 4..<rest.startIndex + length]
            rest = rest.dropFirst((length + 3) & ~3)
        }
    }

    package subscript(type: UInt16) -> ArraySlice<UInt8>? { values[type] }

    /// Text up to its closing zero.
    package func text(_ type: UInt16) -> String? {
        values[type].map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    package func number<Number: FixedWidthInteger>(_ type: UInt16) -> Number? {
        values[type].flatMap { $0.count >= MemoryLayout<Number>.size ? $0.number(at: 0) : nil }
    }

    package func address(_ type: UInt16) -> IPAddress? { values[type].flatMap(IPAddress.init(bytes:)) }

    package func nested(_ type: UInt16) -> NetlinkAttributes { NetlinkAttributes(values[type] ?? []) }
}

extension ArraySlice<UInt8> {
    /// The number at an offset from the slice's beginning, in the host's order; it must lie within.
    func number<Number: FixedWidthInteger>(at offset: Int) -> Number {
        withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Number.self) }
    }
}
