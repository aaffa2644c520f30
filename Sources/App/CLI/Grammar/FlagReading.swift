import EngineAPI

/// A command line as pflag reads it. Pure.
struct FlagReading: Hashable, Sendable {
    struct Value: Hashable, Sendable {
        let flag: FlagTable.Flag
        let text: String
    }

    struct Switch: Hashable, Sendable {
        let flag: FlagTable.Flag
        let isSet: Bool
    }

    /// In the order of the line.
    var values: [Value] = []
    /// What was said of flags without a value, in the order of the line; what was said last counts.
    private(set) var switches: [Switch] = []
    /// What is no flag and no value of one.
    var words: [String] = []
    /// `--help`, or `-h` where that is nothing else: the rest was not looked at.
    var asksForHelp = false

    /// What is wrong with a line, in pflag's words.
    struct Failure: Error, Hashable, Sendable {
        let message: String
    }

    init(_ line: [String], by table: FlagTable) throws(Failure) {
        var rest = line[...]
        while let word = rest.popFirst(), !asksForHelp {
            if word == "--" {
                words += rest
                return
            }
            guard word.hasPrefix("-"), word.count > 1 else {
                words.append(word)
                guard table.endsAtFirstWord else { continue }
                words += rest
                return
            }
            if word.hasPrefix("--") {
                try takeLong(word, &rest, table)
            } else {
                try takeShorthands(word, &rest, table)
            }
        }
    }

    /// `--name`, `--name=value`, `--name value`
    private mutating func takeLong(
        _ word: String, _ rest: inout ArraySlice<String>, _ table: FlagTable
    ) throws(Failure) {
        let body = word.dropFirst(2)
        let name = String(body.prefix { $0 != "=" })
        guard !name.isEmpty, !name.hasPrefix("-") else { throw Failure(message: "bad flag syntax: \(word)") }
        let value = name.count < body.count ? String(body.dropFirst(name.count + 1)) : nil
        guard name.count > 1, let flag = table.flag(name) else {
            if name == "help" { return asksForHelp = true }
            throw Failure(message: "unknown flag: --\(name)")
        }
        guard flag.takesValue else { return try set(flag, value ?? "true") }
        guard let text = value ?? rest.popFirst() else { throw Failure(message: "flag needs an argument: --\(name)") }
        values.append(Value(flag: flag, text: text))
    }

    /// `-it`, `-e=A=b`, `-eA=b`, `-an1`, `-n 1`
    private mutating func takeShorthands(
        _ word: String, _ rest: inout ArraySlice<String>, _ table: FlagTable
    ) throws(Failure) {
        var letters = word.dropFirst()
        while let letter = letters.popFirst() {
            guard let flag = table.flag(String(letter)) else {
                if letter == "h" { return asksForHelp = true }
                throw Failure(message: "unknown shorthand flag: '\(letter)' in \(word)")
            }
            if letters.count > 1, letters.first == "=" {
                let text = String(letters.dropFirst())
                return flag.takesValue ? values.append(Value(flag: flag, text: text)) : try set(flag, text)
            }
            guard flag.takesValue else {
                try set(flag, "true")
                continue
            }
            guard let text = letters.isEmpty ? rest.popFirst() : String(letters) else {
                throw Failure(message: "flag needs an argument: '\(letter)' in \(word)")
            }
            return values.append(Value(flag: flag, text: text))
        }
    }

    private mutating func set(_ flag: FlagTable.Flag, _ text: String) throws(Failure) {
        guard let value = GoBool.parse(text) else {
            throw Failure(
                message: "invalid argument \"\(text)\" for \"\(flag.title)\" flag: strconv.ParseBool: parsing "
                    + "\"\(text)\": invalid syntax")
        }
        switches.append(Switch(flag: flag, isSet: value))
    }

    func isSet(_ name: String) -> Bool { switches.last { $0.flag.name == name }?.isSet ?? false }
}
