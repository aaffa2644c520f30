/// The options of one command, as runc's grammar has them: `--name value`, `--name=value`, `-n value`, one dash being as
/// good as two. They stand before and behind the operands, up to `--`; where operands are another program's words the
/// first of them ends the options.
struct CommandArguments {
    struct Option {
        var names: [String]
        var takesValue: Bool

        static func flag(_ names: String...) -> Option { Option(names: names, takesValue: false) }
        static func value(_ names: String...) -> Option { Option(names: names, takesValue: true) }
    }

    /// Those that were given, in their order. A table would cost more than looking through the few there are.
    private var values: [(name: String, value: String)] = []
    private(set) var operands: [String] = []

    /// - Parameter operandsEndOptions: what follows the first operand is not for this program.
    init(
        _ words: ArraySlice<String>, _ options: [Option], operandsEndOptions: Bool = false
    ) throws(RuntimeError) {
        let dash = UInt8(ascii: "-")
        var rest = words
        while let word = rest.first {
            guard word.utf8.first == dash, word != "-" else {
                if operandsEndOptions { break }
                operands.append(word)
                rest = rest.dropFirst()
                continue
            }
            rest = rest.dropFirst()
            if word == "--" { break }
            let body = word.utf8.drop { $0 == dash }
            let equals = body.firstIndex(of: UInt8(ascii: "="))
            let name = String(Substring(body[..<(equals ?? body.endIndex)]))
            guard let option = options.first(where: { $0.names.contains(name) }) else {
                // Behind an operand it is one, too: `kill ID -9`.
                guard operands.isEmpty else {
                    operands.append(word)
                    continue
                }
                throw RuntimeError("flag provided but not defined: -\(name)")
            }
            let key = option.names[0]
            if let equals {
                values.append((key, String(Substring(body[body.index(after: equals)...]))))
            } else if option.takesValue {
                guard let value = rest.first else { throw RuntimeError("flag needs an argument: -\(name)") }
                rest = rest.dropFirst()
                values.append((key, value))
            } else {
                values.append((key, "true"))
            }
        }
        operands += rest
    }

    subscript(name: String) -> String? { values.last { $0.name == name }?.value }
    /// An empty path is none.
    func path(_ name: String) -> String? { self[name].flatMap { $0.isEmpty ? nil : $0 } }
    func all(_ name: String) -> [String] { values.filter { $0.name == name }.map(\.value) }

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
