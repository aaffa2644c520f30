/// One line of comma-separated values, RFC 4180, as Go's encoding/csv reads it: a field that holds a comma stands in
/// quotes, a quote in it is doubled.
enum CommaSeparated {
    struct Failure: Error, Hashable, Sendable {
        let message: String
    }

    static func fields(_ line: String) throws(Failure) -> [String] {
        guard !line.isEmpty else { throw Failure(message: "EOF") }
        var fields: [String] = []
        var rest = Substring(line)
        while true {
            fields.append(rest.first == "\"" ? try quoted(&rest) : try plain(&rest))
            guard rest.popFirst() != nil else { return fields }
        }
    }

    /// Up to the comma, which is left.
    private static func plain(_ rest: inout Substring) throws(Failure) -> String {
        let field = rest.prefix { $0 != "," }
        guard !field.contains("\"") else { throw Failure(message: "parse error: bare \" in non-quoted-field") }
        rest = rest[field.endIndex...]
        return String(field)
    }

    private static func quoted(_ rest: inout Substring) throws(Failure) -> String {
        rest.removeFirst()
        var field = ""
        while let character = rest.popFirst() {
            guard character == "\"" else {
                field.append(character)
                continue
            }
            if rest.first == "\"" {
                field.append(rest.removeFirst())
            } else if rest.isEmpty || rest.first == "," {
                return field
            } else {
                break
            }
        }
        throw Failure(message: "parse error: extraneous or missing \" in quoted-field")
    }
}
