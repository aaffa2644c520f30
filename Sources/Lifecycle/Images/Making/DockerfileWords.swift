/// The words of a Dockerfile's instruction, as docker's builder reads them: quotes and backslashes as a shell has them,
/// and variables replaced. Pure.
struct DockerfileWords {
    /// `$NAME` becomes what this gives; nothing where it gives nil.
    let variables: [String: String]

    /// - Parameter environment: `NAME=value`.
    init(environment: [String]) {
        var variables: [String: String] = [:]
        for entry in environment {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            variables[String(parts[0])] = parts.count == 2 ? String(parts[1]) : ""
        }
        self.variables = variables
    }

    /// The text as one word.
    func word(_ text: some StringProtocol) -> String { scan(text, splits: false).first?.text ?? "" }

    /// The text parted at white space outside of quotes.
    func words(_ text: some StringProtocol) -> [String] { scan(text, splits: true).map(\.text) }

    /// `NAME=value …`, or the older `NAME value to the end of the line`; nil where it is neither.
    func pairs(_ text: String) -> [(name: String, value: String)]? {
        let text = text.trimmed
        let words = scan(text, splits: true)
        if words.first?.equals == nil {
            let name = text.prefix { !$0.isWhitespace }
            guard !name.isEmpty, name.count < text.count else { return nil }
            return [(String(name), word(String(text.dropFirst(name.count)).trimmed))]
        }
        var pairs: [(name: String, value: String)] = []
        for word in words {
            guard let equals = word.equals, equals > 0 else { return nil }
            let bytes = Array(word.text.utf8)
            pairs.append(
                (
                    String(decoding: bytes[..<equals], as: UTF8.self),
                    String(decoding: bytes[(equals + 1)...], as: UTF8.self)
                )
            )
        }
        return pairs
    }

    private struct Word {
        var bytes: [UInt8] = []
        /// Where the first `=` is that the line itself has, outside of variables.
        var equals: Int?
        var text: String { String(decoding: bytes, as: UTF8.self) }

        func adding(_ more: String) -> Word {
            var longer = self
            longer.bytes += Array(more.utf8)
            return longer
        }
    }

    private func scan(_ text: some StringProtocol, splits: Bool) -> [Word] {
        var rest = Array(text.utf8)[...]
        var words: [Word] = []
        var word: Word?
        var quote: UInt8?
        while let byte = rest.popFirst() {
            switch (byte, quote) {
            case (UInt8(ascii: "'"), nil), (UInt8(ascii: "\""), nil):
                quote = byte
                word = word ?? Word()
            case (_, byte?): quote = nil
            case (_, UInt8(ascii: "'")?): word?.bytes.append(byte)
            case (UInt8(ascii: "\\"), _): word = Self.escape(&rest, word, isQuoted: quote != nil)
            case (UInt8(ascii: "$"), _): word = (word ?? Word()).adding(variable(&rest))
            case (UInt8(ascii: " "), nil) where splits, (UInt8(ascii: "\t"), nil) where splits:
                if let word { words.append(word) }
                word = nil
            default:
                var longer = word ?? Word()
                if byte == UInt8(ascii: "="), longer.equals == nil { longer.equals = longer.bytes.count }
                longer.bytes.append(byte)
                word = longer
            }
        }
        if let word { words.append(word) }
        return words
    }

    private static func escape(_ rest: inout ArraySlice<UInt8>, _ word: Word?, isQuoted: Bool) -> Word {
        var word = word ?? Word()
        guard let next = rest.popFirst() else {
            word.bytes.append(UInt8(ascii: "\\"))
            return word
        }
        let special: [UInt8] = [UInt8(ascii: "\""), UInt8(ascii: "$"), UInt8(ascii: "\\")]
        if isQuoted, !special.contains(next) { word.bytes.append(UInt8(ascii: "\\")) }
        word.bytes.append(next)
        return word
    }

    /// What stands after a `$`: `NAME`, `{NAME}`, `{NAME:-otherwise}`, `{NAME:+instead}`.
    private func variable(_ rest: inout ArraySlice<UInt8>) -> String {
        guard rest.first == UInt8(ascii: "{"), let end = rest.firstIndex(of: UInt8(ascii: "}")) else {
            let name = rest.prefix(while: Self.isNameByte)
            guard !name.isEmpty else { return "$" }
            rest = rest.dropFirst(name.count)
            return variables[String(decoding: name, as: UTF8.self)] ?? ""
        }
        let inner = rest[rest.index(after: rest.startIndex)..<end]
        rest = rest[rest.index(after: end)...]
        let name = inner.prefix(while: Self.isNameByte)
        let value = variables[String(decoding: name, as: UTF8.self)] ?? ""
        let modifier = inner.dropFirst(name.count)
        let alternative = String(decoding: modifier.dropFirst(2), as: UTF8.self)
        switch String(decoding: modifier.prefix(2), as: UTF8.self) {
        case ":-": return value.isEmpty ? word(alternative) : value
        case ":+": return value.isEmpty ? "" : word(alternative)
        default: return value
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (97...122).contains(byte | 0x20) || byte == 95
    }
}

extension String {
    /// Without white space at both ends.
    var trimmed: String {
        let rest = drop { $0.isWhitespace }
        guard let last = rest.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(rest[...last])
    }
}
