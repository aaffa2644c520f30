/// A message of Protocol Buffers in its wire format: numbered fields, each a number or bytes. As much of it as CRIU's
/// protocol needs.
package struct ProtocolBuffer: Hashable, Sendable {
    package enum Value: Hashable, Sendable {
        case number(UInt64)
        case bytes([UInt8])
    }

    package private(set) var fields: [(field: Int, value: Value)] = []

    package init() {}

    /// Nil for bytes that are no message, or one with groups, which nobody makes any more.
    package init?(parsing bytes: some Sequence<UInt8>) {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            guard let key = Self.takeVarint(&rest), key >> 3 > 0, key >> 3 < 1 << 29 else { return nil }
            let field = Int(key >> 3)
            switch key & 7 {
            case 0:
                guard let number = Self.takeVarint(&rest) else { return nil }
                fields.append((field, .number(number)))
            case 2:
                guard let count = Self.takeVarint(&rest), count <= UInt64(rest.count) else { return nil }
                fields.append((field, .bytes(Array(rest.prefix(Int(count))))))
                rest = rest.dropFirst(Int(count))
            case let kind where kind == 1 || kind == 5:
                // Numbers of fixed width, which no field that is read here has.
                let width = kind == 1 ? 8 : 4
                guard rest.count >= width else { return nil }
                rest = rest.dropFirst(width)
            default: return nil
            }
        }
    }

    package var bytes: [UInt8] {
        var output: [UInt8] = []
        for (field, value) in fields {
            switch value {
            case .number(let number):
                Self.append(UInt64(field) << 3, to: &output)
                Self.append(number, to: &output)
            case .bytes(let bytes):
                Self.append(UInt64(field) << 3 | 2, to: &output)
                Self.append(UInt64(bytes.count), to: &output)
                output += bytes
            }
        }
        return output
    }

    // MARK: Writing

    /// A number of any kind: what is negative takes ten bytes, as the format has it.
    package mutating func put(_ field: Int, _ value: Int32) {
        fields.append((field, .number(UInt64(bitPattern: Int64(value)))))
    }

    package mutating func put(_ field: Int, _ value: Bool) { fields.append((field, .number(value ? 1 : 0))) }

    package mutating func put(_ field: Int, _ value: String) { fields.append((field, .bytes(Array(value.utf8)))) }

    package mutating func put(_ field: Int, _ value: ProtocolBuffer) { fields.append((field, .bytes(value.bytes))) }

    // MARK: Reading

    /// Of a field given twice, the last one counts.
    package func number(_ field: Int) -> UInt64? {
        if case .number(let value) = fields.last(where: { $0.field == field })?.value { value } else { nil }
    }

    package func int32(_ field: Int) -> Int32? { number(field).map { Int32(truncatingIfNeeded: $0) } }

    package func string(_ field: Int) -> String? {
        if case .bytes(let value) = fields.last(where: { $0.field == field })?.value {
            String(decoding: value, as: UTF8.self)
        } else {
            nil
        }
    }

    package func message(_ field: Int) -> ProtocolBuffer? {
        if case .bytes(let value) = fields.last(where: { $0.field == field })?.value {
            ProtocolBuffer(parsing: value)
        } else {
            nil
        }
    }

    package static func == (left: ProtocolBuffer, right: ProtocolBuffer) -> Bool { left.bytes == right.bytes }
    package func hash(into hasher: inout Hasher) { hasher.combine(bytes) }

    private static func append(_ number: UInt64, to output: inout [UInt8]) {
        var rest = number
        while rest >= 0x80 {
            output.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        output.append(UInt8(rest))
    }

    private static func takeVarint(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }
}
