/// The options of one command, as runc's grammar has them: `--name value`, `--name=value`, `-n value`, one dash being as
/// good as two. Options end at the first word that is none.
struct CommandArguments {
    struct Option {
        var names: [String]
        var takesValue: Bool

        static func flag(_ names: String...) -> Option { Option(names: names, takesValue: false) }
        static func value(_ names: String...) -> Option { Option(names: names, takesValue: true) }
    }

    private var values: [String: [String]] = [:]
    private(set) var operands: [String] = []

    init(_ words: ArraySlice<String>, _ options: [Option]) throws(RuntimeError) {
        var rest = words
        while let word = rest.first {
            guard word.hasPrefix("-"), word != "-" else { break }
            rest = rest.dropFirst()
            if word == "--" { break }
            let body = word.drop { $0 == "-" }
            let parts = body.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard let option = options.first(where: { $0.names.contains(name) }) else {
                throw RuntimeError("flag provided but not defined: -\(name)")
            }
            let key = option.names[0]
            if parts.count == 2 {
                values[key, default: []].append(String(parts[1]))
            } else if option.takesValue {
                guard let value = rest.first else { throw RuntimeError("flag needs an argument: -\(name)") }
                rest = rest.dropFirst()
                values[key, default: []].append(value)
            } else {
                values[key, default: []].append("true")
            }
        }
        operands = Array(rest)
    }

    subscript(name: String) -> String? { values[name]?.last }
    /// An empty path is none.
    func path(_ name: String) -> String? { self[name].flatMap { $0.isEmpty ? nil : $0 } }
    func all(_ name: String) -> [String] { values[name] ?? [] }

    func flag(_ name: String) throws(RuntimeError) -> Bool {
        guard let text = self[name] else { return false }
        switch text {
        case "true", "1", "t", "T", "TRUE", "True": return true
        case "false", "0", "f", "F", "FALSE", "False": return false
        default: throw RuntimeError("invalid boolean value \"\(text)\" for -\(name)")
        }
    }

    func integer(_ name: String) throws(RuntimeError) -> Int32? {
        guard let text = self[name] else { return nil }
        guard let value = Int32(text) else { throw RuntimeError("invalid value \"\(text)\" for flag -\(name)") }
        return value
    }

    func expectOperands(_ command: String, exactly count: Int) throws(RuntimeError) {
        guard operands.count == count else {
            throw RuntimeError("\(Invocation.program): \"\(command)\" requires exactly \(count) argument(s)")
        }
    }

    func expectOperands(_ command: String, atLeast count: Int) throws(RuntimeError) {
        guard operands.count >= count else {
            throw RuntimeError("\(Invocation.program): \"\(command)\" requires a minimum of \(count) argument(s)")
        }
    }
}
