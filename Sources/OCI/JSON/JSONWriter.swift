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
        case .array(let elements):
            list(open: "[", close: "]", level: level, count: elements.count) { writer, index in
                writer.write(elements[index], level: level + 1)
            }
        case .object(let object):
            list(open: "{", close: "}", level: level, count: object.count) { writer, index in
                writer.string(object.members[index].name)
                writer.text(writer.indent == nil ? ":" : ": ")
                writer.write(object.members[index].value, level: level + 1)
            }
        }
    }

    private mutating func list(
        open: String, close: String, level: Int, count: Int, element: (inout JSONWriter, Int) -> Void
    ) {
        text(open)
        for index in 0..<count {
            if index > 0 { text(",") }
            line(level + 1)
            element(&self, index)
        }
        if count > 0 { line(level) }
        text(close)
    }

    private mutating func line(_ level: Int) {
        guard let indent else { return }
        output.append(10)
        for _ in 0..<level { output.append(contentsOf: indent) }
    }

    private mutating func text(_ text: String) { output.append(contentsOf: text.utf8) }

    private mutating func string(_ text: String) {
        output.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(contentsOf: [UInt8(ascii: "\\"), byte])
            case 10: self.text("\\n")
            case 13: self.text("\\r")
            case 9: self.text("\\t")
            case 0..<0x20, 0x7F:
                self.text("\\u00")
                output.append(contentsOf: [hexDigit(byte >> 4), hexDigit(byte & 15)])
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }

    private func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }
}
