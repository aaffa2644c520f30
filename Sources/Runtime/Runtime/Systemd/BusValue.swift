/// A value of D-Bus, with its type: those that systemd's calls take and answer with.
package indirect enum BusValue: Hashable, Sendable {
    case byte(UInt8)
    case bool(Bool)
    case int16(Int16)
    case uint16(UInt16)
    case int32(Int32)
    case uint32(UInt32)
    case int64(Int64)
    case uint64(UInt64)
    case double(Double)
    case string(String)
    case path(String)
    case signature(String)
    /// Of elements that all have this signature.
    case array(of: String, [BusValue])
    case structure([BusValue])
    case variant(BusValue)

    package var signature: String {
        switch self {
        case .byte: "y"
        case .bool: "b"
        case .int16: "n"
        case .uint16: "q"
        case .int32: "i"
        case .uint32: "u"
        case .int64: "x"
        case .uint64: "t"
        case .double: "d"
        case .string: "s"
        case .path: "o"
        case .signature: "g"
        case .array(let element, _): "a" + element
        case .structure(let members): "(" + members.map(\.signature).joined() + ")"
        case .variant: "v"
        }
    }

    package static func strings(_ values: [String]) -> BusValue { .array(of: "s", values.map(BusValue.string)) }
    package static func bytes(_ values: [UInt8]) -> BusValue { .array(of: "y", values.map(BusValue.byte)) }
}

/// Bytes of a message: little-endian, each value aligned to its own size from the beginning.
struct BusWriter {
    private(set) var bytes: [UInt8] = []

    mutating func align(_ size: Int) {
        while bytes.count % size != 0 { bytes.append(0) }
    }

    mutating func write(_ number: some FixedWidthInteger & UnsignedInteger) {
        let size = number.bitWidth / 8
        align(size)
        for index in 0..<size { bytes.append(UInt8(truncatingIfNeeded: number >> (index * 8))) }
    }

    mutating func write(_ value: BusValue) {
        switch value {
        case .byte(let number): write(number)
        case .bool(let flag): write(flag ? UInt32(1) : 0)
        case .int16(let number): write(UInt16(bitPattern: number))
        case .uint16(let number): write(number)
        case .int32(let number): write(UInt32(bitPattern: number))
        case .uint32(let number): write(number)
        case .int64(let number): write(UInt64(bitPattern: number))
        case .uint64(let number): write(number)
        case .double(let number): write(number.bitPattern)
        case .string(let text), .path(let text):
            write(UInt32(text.utf8.count))
            bytes += Array(text.utf8) + [0]
        case .signature(let text): bytes += [UInt8(truncatingIfNeeded: text.utf8.count)] + Array(text.utf8) + [0]
        case .array(let element, let values): write(values, of: element)
        case .structure(let members):
            align(8)
            for member in members { write(member) }
        case .variant(let value):
            write(.signature(value.signature))
            write(value)
        }
    }

    /// The length counts neither itself nor the gap before the first element.
    private mutating func write(_ values: [BusValue], of element: String) {
        write(UInt32(0))
        let place = bytes.count - 4
        align(BusReader.alignment(of: element.utf8.first ?? 0))
        let start = bytes.count
        for value in values { write(value) }
        let length = UInt32(bytes.count - start)
        for index in 0..<4 { bytes[place + index] = UInt8(truncatingIfNeeded: length >> (index * 8)) }
    }
}
