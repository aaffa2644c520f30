extension JSONValue {
    /// The value as JSON text without white space.
    public var compactBytes: [UInt8] { bytes(indent: nil) }

    /// The value as JSON text, a member a line.
    ///
    /// - Parameter indent: what a level is indented by; runc writes tabs, docker four spaces.
    public func prettyBytes(indent: String = "    ") -> [UInt8] { bytes(indent: Array(indent.utf8)) }

    public var compactText: String { String(decoding: compactBytes, as: UTF8.self) }

    private func bytes(indent: [UInt8]?) -> [UInt8] {
        var writer = JSONWriter(indent: indent)
        writer.write(self, level: 0)
        return writer.output
    }
}

private struct JSONWriter {
    let indent: [UInt8]?
    var output: [UInt8] = []

    init(indent: [UInt8]?) { self.indent = indent }

    mutating func write(_ value: JSONValue, level: Int) {
        switch value {
        case .null: text("null")
        case .bool(let value): text(value ? "true" : "false")
        case .integer(let value): text(String(value))
        case .unsigned(let value): text(String(value))
        case .number(let value): text(value.isFinite ? String(value) : "null")
        case .string(let value): string(value)
        case .array(let elements): array(elements, level: level)
        case .object(let object): self.object(object, level: level)
        }
    }

    private mutating func array(_ elements: [JSONValue], level: Int) {
        output.append(UInt8(ascii: "["))
        for index in elements.indices {
            separate(index, level)
            write(elements[index], level: level + 1)
        }
        if !elements.isEmpty { line(level) }
        output.append(UInt8(ascii: "]"))
    }

    private mutating func object(_ object: JSONObject, level: Int) {
        output.append(UInt8(ascii: "{"))
        for index in object.members.indices {
            separate(index, level)
            string(object.members[index].name)
            output.append(UInt8(ascii: ":"))
            if indent != nil { output.append(UInt8(ascii: " ")) }
            write(object.members[index].value, level: level + 1)
        }
        if object.count > 0 { line(level) }
        output.append(UInt8(ascii: "}"))
    }

    private mutating func separate(_ index: Int, _ level: Int) {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        line(level + 1)
    }

    private mutating func line(_ level: Int) {
        guard let indent else { return }
        output.append(10)
        for _ in 0..<level { output.append(contentsOf: indent) }
    }

    private mutating func text(_ text: String) {
        var text = text
        text.withUTF8 { output.append(contentsOf: $0) }
    }

    /// Nearly all strings have nothing to escape: what needs nothing is copied as it is, a stretch at a time.
    private mutating func string(_ text: String) {
        var text = text
        output.append(UInt8(ascii: "\""))
        text.withUTF8 { bytes in
            var plain = 0
            for index in bytes.indices where Self.isEscaped(bytes[index]) {
                output.append(contentsOf: bytes[plain..<index])
                escape(bytes[index])
                plain = index + 1
            }
            output.append(contentsOf: bytes[plain...])
        }
        output.append(UInt8(ascii: "\""))
    }

    private static func isEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7F
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(contentsOf: [UInt8(ascii: "\\"), byte])
        case 10: text("\\n")
        case 13: text("\\r")
        case 9: text("\\t")
        default:
            text("\\u00")
            output.append(contentsOf: [hexDigit(byte >> 4), hexDigit(byte & 15)])
        }
    }

    private func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }
}
