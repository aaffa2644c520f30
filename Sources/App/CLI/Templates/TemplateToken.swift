/// A word of an action `{{…}}` of a Go template, and where it stands.
struct TemplateToken: Hashable {
    enum Kind: Hashable {
        /// `.Name`, without its dot.
        case field(String)
        /// `.` alone.
        case dot
        /// `$` or `$name`, with its sign.
        case variable(String)
        /// A keyword, a function's name, `true`, `false` or `nil`.
        case word(String)
        case text(String)
        case whole(Int64)
        case number(Double)
        case open, close, pipe, comma, assign, declare
        case space
    }

    let kind: Kind
    /// As it is written, for messages.
    let source: String
    /// Bytes from the template's beginning.
    let offset: Int
}

/// Text between actions, or the words of an action.
enum TemplatePiece {
    case text(String)
    case action([TemplateToken], source: String, offset: Int)
}

/// Cuts a template into text and actions, as Go's text/template/parse does: trim markers (`{{- `, ` -}}`) take the white
/// space beside them, comments vanish.
struct TemplateLexer {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    private static let blanks: [UInt8] = [0x20, 0x09, 0x0D, 0x0A]

    mutating func pieces() throws(TemplateFailure) -> [TemplatePiece] {
        var pieces: [TemplatePiece] = []
        var start = 0
        var trims = false
        func cut(_ end: Int, trimsEnd: Bool) -> TemplatePiece? {
            var range = bytes[start..<end]
            if trims { range = range.drop { Self.blanks.contains($0) } }
            while trimsEnd, let last = range.last, Self.blanks.contains(last) { range.removeLast() }
            return range.isEmpty ? nil : .text(String(decoding: range, as: UTF8.self))
        }
        while position < bytes.count {
            guard starts(with: "{{") else {
                position += 1
                continue
            }
            let open = position
            position += 2
            let trimsBefore =
                starts(with: "-") && position + 1 < bytes.count && Self.blanks.contains(bytes[position + 1])
            if trimsBefore { position += 2 }
            if let text = cut(open, trimsEnd: trimsBefore) { pieces.append(text) }
            if starts(with: "/*") {
                trims = try skipComment()
            } else {
                let (tokens, trimsAfter) = try action()
                trims = trimsAfter
                pieces.append(
                    .action(tokens, source: String(decoding: bytes[open..<position], as: UTF8.self), offset: open))
            }
            start = position
        }
        if let text = cut(bytes.count, trimsEnd: false) { pieces.append(text) }
        return pieces
    }

    private func starts(with text: StaticString) -> Bool {
        bytes[min(position, bytes.count)...].starts(
            with: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Whether the action ends here, and whether what follows it is trimmed.
    private mutating func end() -> Bool? {
        if starts(with: "}}") {
            position += 2
            return false
        }
        guard position < bytes.count, Self.blanks.contains(bytes[position]) else { return nil }
        let before = position
        position += 1
        if starts(with: "-}}") {
            position += 3
            return true
        }
        position = before
        return nil
    }

    private mutating func skipComment() throws(TemplateFailure) -> Bool {
        while position < bytes.count, !starts(with: "*/") { position += 1 }
        guard position < bytes.count else { throw .parsing("unclosed comment") }
        position += 2
        guard let trims = end() else { throw .parsing("comment ends before closing delimiter") }
        return trims
    }

    private mutating func action() throws(TemplateFailure) -> ([TemplateToken], trims: Bool) {
        var tokens: [TemplateToken] = []
        while true {
            if let trims = end() { return (tokens, trims) }
            guard position < bytes.count else { throw .parsing("unclosed action") }
            tokens.append(try token())
        }
    }
}

extension TemplateLexer {
    private mutating func token() throws(TemplateFailure) -> TemplateToken {
        let start = position
        let kind = try kind()
        return TemplateToken(
            kind: kind, source: String(decoding: bytes[start..<position], as: UTF8.self), offset: start)
    }

    private mutating func kind() throws(TemplateFailure) -> TemplateToken.Kind {
        let byte = bytes[position]
        switch byte {
        case _ where Self.blanks.contains(byte):
            // The blank before `-}}` belongs to the marker.
            while position < bytes.count, Self.blanks.contains(bytes[position]) {
                let before = position
                if let _ = end() {
                    position = before
                    break
                }
                position += 1
            }
            return .space
        case UInt8(ascii: "("): return sign(.open)
        case UInt8(ascii: ")"): return sign(.close)
        case UInt8(ascii: "|"): return sign(.pipe)
        case UInt8(ascii: ","): return sign(.comma)
        case UInt8(ascii: "="): return sign(.assign)
        case UInt8(ascii: ":") where position + 1 < bytes.count && bytes[position + 1] == UInt8(ascii: "="):
            position += 1
            return sign(.declare)
        case UInt8(ascii: "\""): return .text(try interpreted(until: byte, "unterminated quoted string"))
        case UInt8(ascii: "`"): return .text(try raw())
        case UInt8(ascii: "'"):
            let text = try interpreted(until: byte, "unterminated character constant")
            guard let scalar = text.unicodeScalars.first, text.unicodeScalars.count == 1 else {
                throw .parsing("malformed character constant: '\(text)'")
            }
            return .whole(Int64(scalar.value))
        case UInt8(ascii: "$"):
            position += 1
            return .variable("$" + name())
        case UInt8(ascii: ".") where position + 1 == bytes.count || !Self.isDigit(bytes[position + 1]):
            position += 1
            let name = name()
            return name.isEmpty ? .dot : .field(name)
        case UInt8(ascii: "."), UInt8(ascii: "+"), UInt8(ascii: "-"),
            _ where Self.isDigit(byte):
            return try number()
        default:
            let name = name()
            guard !name.isEmpty else {
                let rest = String(decoding: bytes[position...], as: UTF8.self)
                throw .parsing("unexpected \"\(rest.first.map(String.init) ?? "")\" in command")
            }
            return .word(name)
        }
    }

    private mutating func sign(_ kind: TemplateToken.Kind) -> TemplateToken.Kind {
        position += 1
        return kind
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    /// Letters, digits and underscores; every byte beyond ASCII counts as a letter.
    private mutating func name() -> String {
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            let isLetter = (0x61...0x7A).contains(byte | 0x20) || byte == 0x5F || byte >= 0x80
            guard isLetter || Self.isDigit(byte) else { break }
            position += 1
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func raw() throws(TemplateFailure) -> String {
        position += 1
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: "`") { position += 1 }
        guard position < bytes.count else { throw .parsing("unterminated raw quoted string") }
        position += 1
        return String(decoding: bytes[start..<position - 1], as: UTF8.self)
    }

    /// A string in quotes with Go's escapes.
    private mutating func interpreted(until quote: UInt8, _ missing: String) throws(TemplateFailure) -> String {
        position += 1
        var text: [UInt8] = []
        while position < bytes.count, bytes[position] != UInt8(ascii: "\n") {
            let byte = bytes[position]
            position += 1
            if byte == quote { return String(decoding: text, as: UTF8.self) }
            if byte == UInt8(ascii: "\\") { text += try escape(quote) } else { text.append(byte) }
        }
        throw .parsing(missing)
    }

    private mutating func escape(_ quote: UInt8) throws(TemplateFailure) -> [UInt8] {
        guard position < bytes.count else { throw .parsing("unterminated quoted string") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "n"): return [10]
        case UInt8(ascii: "t"): return [9]
        case UInt8(ascii: "r"): return [13]
        case UInt8(ascii: "a"): return [7]
        case UInt8(ascii: "b"): return [8]
        case UInt8(ascii: "f"): return [12]
        case UInt8(ascii: "v"): return [11]
        case UInt8(ascii: "\\"), quote: return [byte]
        case UInt8(ascii: "x"): return [UInt8(truncatingIfNeeded: try digits(2, radix: 16))]
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            guard let scalar = Unicode.Scalar(try digits(byte == UInt8(ascii: "u") ? 4 : 8, radix: 16)) else { break }
            return Array(String(Character(scalar)).utf8)
        case 0x30...0x37:
            position -= 1
            return [UInt8(truncatingIfNeeded: try digits(3, radix: 8))]
        default: break
        }
        throw .parsing("invalid syntax")
    }

    private mutating func digits(_ count: Int, radix: Int) throws(TemplateFailure) -> UInt32 {
        guard position + count <= bytes.count,
            let value = UInt32(String(decoding: bytes[position..<position + count], as: UTF8.self), radix: radix)
        else { throw .parsing("invalid syntax") }
        position += count
        return value
    }

    private mutating func number() throws(TemplateFailure) -> TemplateToken.Kind {
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            let isExponent = position > start && bytes[position - 1] | 0x20 == UInt8(ascii: "e")
            let isSign = byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
            let belongs = Self.isDigit(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == UInt8(ascii: ".")
            guard belongs || byte == UInt8(ascii: "_") || (isSign && (position == start || isExponent)) else { break }
            position += 1
        }
        let source = String(decoding: bytes[start..<position], as: UTF8.self)
        let plain = source.replacing("_", with: "").lowercased()
        let isNegative = plain.hasPrefix("-")
        let digits = plain.drop { $0 == "-" || $0 == "+" }
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where digits.hasPrefix(prefix) {
            guard let value = Int64((isNegative ? "-" : "") + digits.dropFirst(2), radix: radix) else { break }
            return .whole(value)
        }
        if let value = Int64(plain) { return .whole(value) }
        if let value = Double(plain), value.isFinite { return .number(value) }
        throw .parsing("bad number syntax: \"\(source)\"")
    }
}
