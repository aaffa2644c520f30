/// Reads values back from the bytes of a message, which another program wrote: whatever they are, it ends with a value or
/// an error.
struct BusReader {
    private let bytes: ArraySlice<UInt8>
    private let start: Int
    private var position: Int
    private let depthLimit = 16

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        start = bytes.startIndex
        position = bytes.startIndex
    }

    /// The values of a signature, one complete type after the other.
    mutating func values(_ signature: String) throws(BusError) -> [BusValue] {
        var rest = Array(signature.utf8)[...]
        var found: [BusValue] = []
        while !rest.isEmpty { found.append(try value(&rest, depth: 0)) }
        return found
    }

    static func alignment(of code: UInt8) -> Int {
        switch code {
        case UInt8(ascii: "y"), UInt8(ascii: "g"), UInt8(ascii: "v"): 1
        case UInt8(ascii: "n"), UInt8(ascii: "q"): 2
        case UInt8(ascii: "x"), UInt8(ascii: "t"), UInt8(ascii: "d"), UInt8(ascii: "("): 8
        default: 4
        }
    }

    private mutating func value(_ signature: inout ArraySlice<UInt8>, depth: Int) throws(BusError) -> BusValue {
        guard depth < depthLimit, let code = signature.popFirst() else { throw .malformed }
        switch code {
        case UInt8(ascii: "y"): return .byte(try number())
        case UInt8(ascii: "b"): return .bool(try number(UInt32.self) != 0)
        case UInt8(ascii: "n"): return .int16(Int16(bitPattern: try number()))
        case UInt8(ascii: "q"): return .uint16(try number())
        case UInt8(ascii: "i"): return .int32(Int32(bitPattern: try number()))
        case UInt8(ascii: "u"), UInt8(ascii: "h"): return .uint32(try number())
        case UInt8(ascii: "x"): return .int64(Int64(bitPattern: try number()))
        case UInt8(ascii: "t"): return .uint64(try number())
        case UInt8(ascii: "d"): return .double(Double(bitPattern: try number()))
        case UInt8(ascii: "s"): return .string(try text(Int(try number(UInt32.self))))
        case UInt8(ascii: "o"): return .path(try text(Int(try number(UInt32.self))))
        case UInt8(ascii: "g"): return .signature(try text(Int(try number(UInt8.self))))
        case UInt8(ascii: "v"):
            var inner = Array(try text(Int(try number(UInt8.self))).utf8)[...]
            return .variant(try value(&inner, depth: depth + 1))
        case UInt8(ascii: "a"): return try array(&signature, depth: depth)
        case UInt8(ascii: "("): return .structure(try members(&signature, until: UInt8(ascii: ")"), depth: depth))
        // An entry of a dictionary is a structure of two.
        case UInt8(ascii: "{"): return .structure(try members(&signature, until: UInt8(ascii: "}"), depth: depth))
        default: throw .malformed
        }
    }

    private mutating func array(_ signature: inout ArraySlice<UInt8>, depth: Int) throws(BusError) -> BusValue {
        let length = Int(try number(UInt32.self))
        let element = try Self.completeType(signature)
        try align(Self.alignment(of: element.first == UInt8(ascii: "{") ? UInt8(ascii: "(") : element.first ?? 0))
        guard length <= bytes.endIndex - position else { throw .malformed }
        let end = position + length
        var values: [BusValue] = []
        while position < end {
            var inner = element
            values.append(try value(&inner, depth: depth + 1))
        }
        guard position == end else { throw .malformed }
        signature = signature.dropFirst(element.count)
        return .array(of: String(decoding: element, as: UTF8.self), values)
    }

    private mutating func members(
        _ signature: inout ArraySlice<UInt8>, until end: UInt8, depth: Int
    ) throws(BusError) -> [BusValue] {
        try align(8)
        var members: [BusValue] = []
        while signature.first != end { members.append(try value(&signature, depth: depth + 1)) }
        signature = signature.dropFirst()
        // A structure has members; elements without any would have no end.
        guard !members.isEmpty else { throw .malformed }
        return members
    }

    /// The first complete type of a signature: brackets closed, an array with its element.
    private static func completeType(_ signature: ArraySlice<UInt8>) throws(BusError) -> ArraySlice<UInt8> {
        var open = 0
        for (index, code) in zip(signature.indices, signature) {
            switch code {
            case UInt8(ascii: "("), UInt8(ascii: "{"): open += 1
            case UInt8(ascii: ")"), UInt8(ascii: "}"): open -= 1
            case UInt8(ascii: "a"): continue
            default: break
            }
            if open == 0 { return signature[signature.startIndex...index] }
        }
        throw .malformed
    }

    private mutating func align(_ size: Int) throws(BusError) {
        while (position - start) % size != 0 { position += 1 }
        guard position <= bytes.endIndex else { throw .malformed }
    }

    private mutating func number<Number: FixedWidthInteger & UnsignedInteger>(
        _ type: Number.Type = Number.self
    ) throws(BusError) -> Number {
        let size = Number.bitWidth / 8
        try align(size)
        guard bytes.endIndex - position >= size else { throw .malformed }
        var number: Number = 0
        for index in 0..<size { number |= Number(bytes[position + index]) << (index * 8) }
        position += size
        return number
    }

    private mutating func text(_ count: Int) throws(BusError) -> String {
        guard bytes.endIndex - position > count else { throw .malformed }
        let text = String(decoding: bytes[position..<(position + count)], as: UTF8.self)
        position += count + 1
        return text
    }
}
