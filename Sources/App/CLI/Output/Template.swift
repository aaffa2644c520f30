import JSON

/// The part of Go's templates that scripts use with `--format`: `{{.Name}}`, `{{.State.Status}}`,
/// `{{json .Config}}`, `{{index .Config.Labels "key"}}`, `{{range .Mounts}}…{{end}}`, `{{len .Args}}`,
/// `{{upper .Name}}`, `{{lower .Name}}`.
struct Template {
    indirect enum Part: Hashable {
        case text(String)
        case value(function: String?, path: [String], argument: String?)
        case range(path: [String], body: [Part])
        case condition(path: [String], then: [Part], otherwise: [Part])
    }

    struct Failure: Error {
        let message: String
    }

    let parts: [Part]

    init(_ text: String) throws(Failure) {
        var rest = Self.unescaped(text)[...]
        parts = try Self.parse(&rest, nested: false).parts
        guard rest.isEmpty else { throw Failure(message: "template parsing error: unexpected {{end}}") }
    }

    /// docker reads `\t` and `\n` in a format as the characters.
    private static func unescaped(_ text: String) -> String {
        var result = ""
        var isEscaped = false
        for character in text {
            if isEscaped {
                result += character == "t" ? "\t" : character == "n" ? "\n" : "\\\(character)"
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                result.append(character)
            }
        }
        return isEscaped ? result + "\\" : result
    }

    private static func parse(
        _ rest: inout Substring, nested: Bool
    ) throws(Failure) -> (parts: [Part], end: String) {
        var parts: [Part] = []
        while let open = rest.firstRange(of: "{{") {
            if open.lowerBound > rest.startIndex { parts.append(.text(String(rest[..<open.lowerBound]))) }
            guard let close = rest[open.upperBound...].firstRange(of: "}}") else {
                throw Failure(message: "template parsing error: unclosed action")
            }
            let words = Self.words(rest[open.upperBound..<close.lowerBound])
            rest = rest[close.upperBound...]
            switch words.first {
            case "end", "else":
                guard nested else { throw Failure(message: "template parsing error: unexpected {{\(words[0])}}") }
                return (parts, words[0])
            case "range": parts.append(.range(path: try path(words.last), body: try parse(&rest, nested: true).parts))
            case "if": parts.append(try condition(words, &rest))
            default: parts.append(try value(words))
            }
        }
        guard !nested else { throw Failure(message: "template parsing error: unexpected EOF") }
        if !rest.isEmpty { parts.append(.text(String(rest))) }
        rest = ""
        return (parts, "")
    }

    private static func condition(_ words: [String], _ rest: inout Substring) throws(Failure) -> Part {
        let path = try path(words.last)
        let first = try parse(&rest, nested: true)
        let otherwise = first.end == "else" ? try parse(&rest, nested: true).parts : []
        return .condition(path: path, then: first.parts, otherwise: otherwise)
    }

    /// Words parted by spaces; a quoted one keeps its spaces and its opening quote.
    private static func words(_ text: Substring) -> [String] {
        var words: [String] = []
        var word = ""
        var isQuoted = false
        for character in text {
            if character == "\"" {
                isQuoted.toggle()
                if isQuoted { word.append(character) }
            } else if character == " ", !isQuoted {
                if !word.isEmpty { words.append(word) }
                word = ""
            } else if !(character == "-" && (words.isEmpty && word.isEmpty)) {
                word.append(character)
            }
        }
        return word.isEmpty ? words : words + [word]
    }

    private static func value(_ words: [String]) throws(Failure) -> Part {
        let functions = ["json", "index", "len", "upper", "lower", "println", "title", "join", "truncate"]
        guard let first = words.first else { throw Failure(message: "template parsing error: missing value") }
        if first.hasPrefix(".") { return .value(function: nil, path: try path(first), argument: nil) }
        if first.hasPrefix("\"") { return .text(String(first.dropFirst())) }
        guard functions.contains(first), words.count > 1 else {
            throw Failure(message: "template parsing error: function \"\(first)\" not defined")
        }
        let argument = words.count > 2 ? words[2].drop { $0 == "\"" } : nil
        return .value(function: first, path: try path(words[1]), argument: argument.map(String.init))
    }

    private static func path(_ word: String?) throws(Failure) -> [String] {
        guard let word, word.hasPrefix(".") else {
            throw Failure(message: "template parsing error: unexpected \"\(word ?? "}}")\"")
        }
        return word.split(separator: ".").map(String.init)
    }
}

extension Template {
    /// Fills the template in from a JSON value; a name that is not there is an error, as in docker.
    func render(_ value: JSONValue) throws(Failure) -> String { try Self.render(parts, value) }

    private static func render(_ parts: [Part], _ value: JSONValue) throws(Failure) -> String {
        var text = ""
        for part in parts {
            switch part {
            case .text(let literal): text += literal
            case .value(let function, let path, let argument):
                text += try apply(function, try find(path, in: value), argument)
            case .range(let path, let body):
                let found = try find(path, in: value)
                for element in found.array ?? found.object?.members.map(\.value) ?? [] {
                    text += try render(body, element)
                }
            case .condition(let path, let then, let otherwise):
                text += try render(isTrue(try find(path, in: value)) ? then : otherwise, value)
            }
        }
        return text
    }

    private static func find(_ path: [String], in value: JSONValue) throws(Failure) -> JSONValue {
        var found = value
        for name in path {
            guard case .object(let object) = found else {
                if found.isNull { return .null }
                throw Failure(message: "template: :1: can't evaluate field \(name)")
            }
            guard let next = object[name] else {
                throw Failure(message: "template: :1: map has no entry for key \"\(name)\"")
            }
            found = next
        }
        return found
    }

    private static func apply(_ function: String?, _ value: JSONValue, _ argument: String?) throws(Failure) -> String {
        switch function {
        case "json": return value.compactText
        case "len": return String(value.array?.count ?? value.object?.count ?? value.string?.count ?? 0)
        case "upper": return plain(value).uppercased()
        case "lower": return plain(value).lowercased()
        case "println": return plain(value) + "\n"
        case "join": return (value.array ?? []).map(plain).joined(separator: argument ?? "")
        case "truncate": return String(plain(value).prefix(argument.flatMap { Int($0) } ?? Int.max))
        case "index":
            if let argument, let index = Int(argument), let array = value.array {
                guard array.indices.contains(index) else { throw Failure(message: "index out of range: \(index)") }
                return plain(array[index])
            }
            return argument.flatMap { value[$0] }.map(plain) ?? ""
        default: return plain(value)
        }
    }

    private static func isTrue(_ value: JSONValue) -> Bool {
        switch value {
        case .null, .bool(false), .integer(0), .string(""): false
        case .array(let elements): !elements.isEmpty
        case .object(let object): !object.isEmpty
        default: true
        }
    }

    /// A value as Go's `%v` prints it.
    private static func plain(_ value: JSONValue) -> String {
        switch value {
        case .null: "<no value>"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .unsigned(let value): String(value)
        case .number(let value): Int64(exactly: value).map { String($0) } ?? String(value)
        case .string(let value): value
        case .array(let elements): "[" + elements.map(plain).joined(separator: " ") + "]"
        case .object(let object):
            "map["
                + object.members.sorted { $0.name < $1.name }.map { "\($0.name):\(plain($0.value))" }
                .joined(separator: " ") + "]"
        }
    }
}
