/// What a server asks for in a `WWW-Authenticate` field (RFC 9110, section 11.6.1).
package struct AuthChallenge: Hashable, Sendable {
    /// In small letters: `bearer`, `basic`.
    package var scheme: String
    /// Names in small letters.
    package var parameters: [String: String]

    package init(scheme: String, parameters: [String: String] = [:]) {
        self.scheme = scheme
        self.parameters = parameters
    }

    /// The challenges of one field, in their order. What cannot be read ends the list: nothing is guessed.
    package static func list(_ field: String) -> [AuthChallenge] {
        var scanner = FieldScanner(rest: Array(field.utf8)[...])
        var challenges: [AuthChallenge] = []
        while challenges.count < 16 {
            scanner.skipSeparators()
            guard let word = scanner.token() else { return challenges }
            scanner.skipSpaces()
            if scanner.take(UInt8(ascii: "=")), let last = challenges.indices.last {
                scanner.skipSpaces()
                guard let value = scanner.value() else { return challenges }
                // Of a parameter given twice the first counts: a later one must not lead a token elsewhere.
                if challenges[last].parameters[word.lowercased()] == nil {
                    challenges[last].parameters[word.lowercased()] = value
                }
            } else {
                challenges.append(AuthChallenge(scheme: word.lowercased()))
            }
        }
        return challenges
    }
}

/// Tokens and quoted strings of HTTP fields.
private struct FieldScanner {
    var rest: ArraySlice<UInt8>

    mutating func skipSeparators() { rest = rest.drop { $0 == 32 || $0 == 9 || $0 == UInt8(ascii: ",") } }
    mutating func skipSpaces() { rest = rest.drop { $0 == 32 || $0 == 9 } }

    mutating func take(_ byte: UInt8) -> Bool {
        guard rest.first == byte else { return false }
        rest = rest.dropFirst()
        return true
    }

    mutating func token() -> String? {
        let word = rest.prefix(while: Self.isTokenByte)
        guard !word.isEmpty else { return nil }
        rest = rest.dropFirst(word.count)
        return String(decoding: word, as: UTF8.self)
    }

    mutating func value() -> String? {
        guard take(UInt8(ascii: "\"")) else {
            // Some servers leave the quotes away though the value holds slashes and colons.
            let word = rest.prefix { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: ",") }
            rest = rest.dropFirst(word.count)
            return word.isEmpty ? nil : String(decoding: word, as: UTF8.self)
        }
        var text: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            guard let escaped = rest.popFirst() else { return nil }
            text.append(escaped)
        }
        return nil
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
