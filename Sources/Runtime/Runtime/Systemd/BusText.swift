/// A value of D-Bus in GVariant's text form, as annotations have it: `true`, `uint64 5`, `'text'`, `['a', 'b']`,
/// `@t 7`, `(1, 'x')`, `<'any'>`, `b'bytes'`. Dictionaries, which no unit's property takes, are not among them.
struct BusText {
    /// Why a text is no value.
    struct Malformed: Error { let reason: String }

    private var rest: Substring.UTF8View
    private var depth = 0

    static func value(_ text: String) throws(Malformed) -> BusValue {
        var parser = BusText(rest: text[...].utf8)
        let value = try parser.value(of: nil)
        parser.skipBlanks()
        guard parser.rest.isEmpty else { throw Malformed(reason: "unexpected \"\(parser.remainder)\"") }
        return value
    }

    private var remainder: String { String(decoding: rest, as: UTF8.self) }

    /// - Parameter type: the signature that the value must have, where that is known already.
    private mutating func value(of type: String?) throws(Malformed) -> BusValue {
        depth += 1
        defer { depth -= 1 }
        guard depth < 16 else { throw Malformed(reason: "it is nested too deeply") }
        skipBlanks()
        guard let first = rest.first else { throw Malformed(reason: "unexpected end") }
        switch first {
        case UInt8(ascii: "'"), UInt8(ascii: "\""): return try string(of: type ?? "s")
        case UInt8(ascii: "["): return try array(of: type)
        case UInt8(ascii: "("): return try structure(of: type)
        case UInt8(ascii: "<"): return try variant(of: type)
        case UInt8(ascii: "@"):
            rest.removeFirst()
            return try annotated(word(), within: type)
        case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), 48...57: return try number(word(), of: type)
        default: return try named(type)
        }
    }

    /// What begins with a letter: a truth, a type's name, or bytes.
    private mutating func named(_ type: String?) throws(Malformed) -> BusValue {
        let after = rest.dropFirst().first
        if rest.first == UInt8(ascii: "b"), after == UInt8(ascii: "'") || after == UInt8(ascii: "\"") {
            rest.removeFirst()
            try Self.expect("ay", type)
            // A byte string of GVariant has a zero at its end.
            return .bytes(Array(try quoted().utf8) + [0])
        }
        let name = word()
        switch name {
        case "true", "false":
            try Self.expect("b", type)
            return .bool(name == "true")
        default:
            guard let signature = Self.keywords[name] else {
                throw Malformed(reason: "unexpected \"\(name)\(remainder)\"")
            }
            return try annotated(signature, within: type)
        }
    }

    private mutating func annotated(_ signature: String, within type: String?) throws(Malformed) -> BusValue {
        try Self.expect(signature, type)
        var codes = Array(signature.utf8)[...]
        guard Self.takeType(&codes), codes.isEmpty else { throw Malformed(reason: "\"\(signature)\" is no type") }
        let value = try value(of: signature)
        guard value.signature == signature else {
            throw Malformed(reason: "a value of type \"\(value.signature)\" is not of type \"\(signature)\"")
        }
        return value
    }

    /// Takes one complete type from the front of a signature.
    private static func takeType(_ codes: inout ArraySlice<UInt8>) -> Bool {
        guard let code = codes.popFirst() else { return false }
        if "ybnqiuxtdsogv".utf8.contains(code) { return true }
        if code == UInt8(ascii: "a") { return takeType(&codes) }
        guard code == 40, codes.first != 41 else { return false }
        while codes.first != 41 { if !takeType(&codes) { return false } }
        codes.removeFirst()
        return true
    }

    private static let keywords = [
        "boolean": "b", "byte": "y", "int16": "n", "uint16": "q", "int32": "i", "uint32": "u", "int64": "x",
        "uint64": "t", "double": "d", "string": "s", "objectpath": "o", "signature": "g",
    ]

    private static func expect(_ found: String, _ wanted: String?) throws(Malformed) {
        if let wanted, wanted != found {
            throw Malformed(reason: "a value of type \"\(found)\" is not of type \"\(wanted)\"")
        }
    }
}

// MARK: - Simple values

extension BusText {
    private mutating func skipBlanks() {
        while let first = rest.first, first == 32 || first == 9 || first == 10 || first == 13 { rest.removeFirst() }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipBlanks()
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    /// Up to a blank or a mark.
    private mutating func word() -> String {
        let taken = rest.prefix { !" \t\r\n,:])>".utf8.contains($0) }
        rest = rest.dropFirst(taken.count)
        // A signature has brackets of its own.
        var text = String(decoding: taken, as: UTF8.self)
        while text.utf8.filter({ $0 == 40 }).count > text.utf8.filter({ $0 == 41 }).count, rest.first == 41 {
            text.append(")")
            rest.removeFirst()
        }
        return text
    }

    private func number(_ text: String, of type: String?) throws(Malformed) -> BusValue {
        let isFraction = !text.hasPrefix("0x") && text.utf8.contains { ".eE".utf8.contains($0) }
        func whole<Number: FixedWidthInteger>(_ wrap: (Number) -> BusValue) throws(Malformed) -> BusValue {
            let isHexadecimal = text.hasPrefix("0x")
            let isOctal = !isHexadecimal && text.hasPrefix("0") && text.utf8.count > 1
            let digits = isHexadecimal ? text.dropFirst(2) : text[...]
            guard let number = Number(digits, radix: isHexadecimal ? 16 : isOctal ? 8 : 10) else {
                throw Malformed(reason: "\"\(text)\" is no number of type \"\(type ?? "i")\"")
            }
            return wrap(number)
        }
        switch type ?? (isFraction ? "d" : "i") {
        case "y": return try whole(BusValue.byte)
        case "n": return try whole(BusValue.int16)
        case "q": return try whole(BusValue.uint16)
        case "i": return try whole(BusValue.int32)
        case "u": return try whole(BusValue.uint32)
        case "x": return try whole(BusValue.int64)
        case "t": return try whole(BusValue.uint64)
        case "d":
            guard let number = Double(text) else { throw Malformed(reason: "\"\(text)\" is no number") }
            return .double(number)
        case let other: throw Malformed(reason: "a number is not of type \"\(other)\"")
        }
    }

    private mutating func string(of type: String) throws(Malformed) -> BusValue {
        let text = try quoted()
        switch type {
        case "s": return .string(text)
        case "o": return .path(text)
        case "g": return .signature(text)
        default: throw Malformed(reason: "a string is not of type \"\(type)\"")
        }
    }

    private mutating func quoted() throws(Malformed) -> String {
        let quote = rest.removeFirst()
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == quote { return String(decoding: bytes, as: UTF8.self) }
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            guard let escape = rest.popFirst() else { break }
            switch escape {
            case UInt8(ascii: "a"): bytes.append(7)
            case UInt8(ascii: "b"): bytes.append(8)
            case UInt8(ascii: "f"): bytes.append(12)
            case UInt8(ascii: "n"): bytes.append(10)
            case UInt8(ascii: "r"): bytes.append(13)
            case UInt8(ascii: "t"): bytes.append(9)
            case UInt8(ascii: "v"): bytes.append(11)
            case UInt8(ascii: "u"): bytes += try scalar(digits: 4)
            case UInt8(ascii: "U"): bytes += try scalar(digits: 8)
            case 10: break
            default: bytes.append(escape)
            }
        }
        throw Malformed(reason: "a string has no end")
    }

    private mutating func scalar(digits: Int) throws(Malformed) -> [UInt8] {
        let text = String(decoding: rest.prefix(digits), as: UTF8.self)
        guard text.utf8.count == digits, let number = UInt32(text, radix: 16), number != 0,
            let scalar = Unicode.Scalar(number)
        else { throw Malformed(reason: "\"\(text)\" is no character's number") }
        rest = rest.dropFirst(digits)
        return Array(String(Character(scalar)).utf8)
    }
}

// MARK: - Values of values

extension BusText {
    private mutating func array(of type: String?) throws(Malformed) -> BusValue {
        rest.removeFirst()
        var element: String?
        if let type {
            guard type.utf8.first == UInt8(ascii: "a") else {
                throw Malformed(reason: "an array is not of type \"\(type)\"")
            }
            element = String(type.dropFirst())
        }
        var values: [BusValue] = []
        if take("]") {
            guard let element else { throw Malformed(reason: "the type of an empty array must be said") }
            return .array(of: element, [])
        }
        repeat {
            let value = try value(of: element)
            element = element ?? value.signature
            values.append(value)
        } while take(",")
        guard take("]") else { throw Malformed(reason: "unexpected \"\(remainder)\"") }
        return .array(of: element ?? "", values)
    }

    private mutating func structure(of type: String?) throws(Malformed) -> BusValue {
        rest.removeFirst()
        var wanted = try type.map(Self.members)?[...]
        var values: [BusValue] = []
        while !take(")") {
            if wanted?.isEmpty == true { throw Malformed(reason: "a tuple has too many members") }
            values.append(try value(of: wanted?.popFirst()))
            guard take(",") || rest.first == UInt8(ascii: ")") else {
                throw Malformed(reason: "unexpected \"\(remainder)\"")
            }
        }
        guard !values.isEmpty, wanted?.isEmpty != false else { throw Malformed(reason: "a tuple has too few members") }
        return .structure(values)
    }

    /// The types of a structure's members: `(sasb)` has three.
    private static func members(_ signature: String) throws(Malformed) -> [String] {
        let codes = Array(signature.utf8)
        guard codes.first == 40, codes.last == 41 else {
            throw Malformed(reason: "a tuple is not of type \"\(signature)\"")
        }
        var types: [String] = []
        var (current, open): ([UInt8], Int) = ([], 0)
        for code in codes.dropFirst().dropLast() {
            current.append(code)
            if code == 40 { open += 1 }
            if code == 41 { open -= 1 }
            guard open == 0, code != UInt8(ascii: "a") else { continue }
            types.append(String(decoding: current, as: UTF8.self))
            current = []
        }
        return types
    }

    private mutating func variant(of type: String?) throws(Malformed) -> BusValue {
        rest.removeFirst()
        try Self.expect("v", type)
        let inner = try value(of: nil)
        guard take(">") else { throw Malformed(reason: "unexpected \"\(remainder)\"") }
        return .variant(inner)
    }
}
