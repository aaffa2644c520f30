/// Text of others, written so that a terminal shows it and obeys nothing in it.
extension String {
    /// As Go's strconv.Quote writes it, and docker its `COMMAND`: in quotes, with escapes for quotes, backslashes and what
    /// does not print.
    var goQuoted: String {
        var text = "\""
        for scalar in unicodeScalars {
            let isMark = scalar == "\"" || scalar == "\\"
            if isMark { text += "\\" }
            text += isMark || scalar.isPrintableInGo ? String(scalar) : scalar.goEscape
        }
        return text + "\""
    }

    /// As it is, but for characters that control a terminal or turn its text around, which stand as `goQuoted` has them.
    var withControlsEscaped: String {
        guard unicodeScalars.contains(where: \.isControl) else { return self }
        return unicodeScalars.reduce(into: "") { $0 += $1.isControl ? $1.goEscape : String($1) }
    }
}

extension Unicode.Scalar {
    /// Controls, separators of lines, and the explicit marks of UAX #9 (bidirectional text).
    fileprivate var isControl: Bool {
        switch value {
        case 0x20...0x7E: false
        case ..<0xA0, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    /// Go's unicode.IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space.
    fileprivate var isPrintableInGo: Bool {
        if isASCII { return (0x20...0x7E).contains(value) }
        return switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            false
        default: true
        }
    }

    fileprivate var goEscape: String {
        switch value {
        case 0x07: "\\a"
        case 0x08: "\\b"
        case 0x09: "\\t"
        case 0x0A: "\\n"
        case 0x0B: "\\v"
        case 0x0C: "\\f"
        case 0x0D: "\\r"
        case ..<0x80: "\\x" + hexadecimal(digits: 2)
        case ..<0x10000: "\\u" + hexadecimal(digits: 4)
        default: "\\U" + hexadecimal(digits: 8)
        }
    }

    private func hexadecimal(digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
