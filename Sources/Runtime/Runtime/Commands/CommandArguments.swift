/// The options of one command, as runc's grammar has them: `--name value`, `--name=value`, `-n value`, one dash being as
/// good as two. They stand before and behind the operands, up to `--`; where operands are another program's words the
/// first of them ends the options.
struct CommandArguments {
    /// What a command knows: `bundle|b= no-pivot` is an option that takes a value and has a short name, and a flag.
    ///
    /// One text, which is looked through: lists of a type of their own take Swift's runtime longer to make than all words of
    /// a command line to be read.
    struct Options: ExpressibleByStringLiteral {
        private let text: String

        init(stringLiteral text: String) { self.text = text }
        private init(_ text: String) { self.text = text }

        static func + (first: Options, second: Options) -> Options { Options("\(first.text) \(second.text)") }

        /// The first name of the option that is called so, and whether it takes a value; nil where there is none.
        func find(_ name: String) -> (name: String, takesValue: Bool)? {
            var rest = Substring(text).utf8
            while !rest.isEmpty {
                let word = rest.prefix { $0 != UInt8(ascii: " ") }
                rest = rest.dropFirst(word.count + 1)
                let takesValue = word.last == UInt8(ascii: "=")
                var names = takesValue ? word.dropLast() : word
                let first = names.prefix { $0 != UInt8(ascii: "|") }
                while !names.isEmpty {
                    let own = names.prefix { $0 != UInt8(ascii: "|") }
                    if own.elementsEqual(name.utf8) { return (String(Substring(first)), takesValue) }
                    names = names.dropFirst(own.count + 1)
                }
            }
            return nil
        }
    }

    /// The name and the value of each that was given, in their order. A table would cost more than looking through the few
    /// there are.
    private var given: [String] = []
    private(set) var operands: [String] = []

    /// - Parameters:
    ///   - others: further ones, for a command that has no time to put its options together.
    ///   - operandsEndOptions: what follows the first operand is not for this program.
    init(
        _ words: ArraySlice<String>, _ options: Options, _ others: Options = "", operandsEndOptions: Bool = false
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
            guard let (key, takesValue) = options.find(name) ?? others.find(name) else {
                // Behind an operand it is one, too: `kill ID -9`.
                guard operands.isEmpty else {
                    operands.append(word)
                    continue
                }
                throw RuntimeError("flag provided but not defined: -\(name)")
            }
            if let equals {
                add(key, String(Substring(body[body.index(after: equals)...])))
            } else if takesValue {
                guard let value = rest.first else { throw RuntimeError("flag needs an argument: -\(name)") }
                rest = rest.dropFirst()
                add(key, value)
            } else {
                add(key, "true")
            }
        }
        operands += rest
    }

    private mutating func add(_ name: String, _ value: String) {
        given.append(name)
        given.append(value)
    }

    /// The last one counts.
    subscript(name: String) -> String? {
        for index in stride(from: given.count - 2, through: 0, by: -2) where given[index] == name {
            return given[index + 1]
        }
        return nil
    }

    /// An empty path is none.
    func path(_ name: String) -> String? { self[name].flatMap { $0.isEmpty ? nil : $0 } }
    func all(_ name: String) -> [String] {
        stride(from: 0, to: given.count, by: 2).filter { given[$0] == name }.map { given[$0 + 1] }
    }

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
