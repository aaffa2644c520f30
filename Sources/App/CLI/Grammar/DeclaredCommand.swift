/// A command with what it declares.
struct DeclaredCommand {
    let value: any Command
    let configuration: CommandConfiguration
    private let path: [String]
    let flags: [Declarations.Flag]
    let words: [Declarations.Words]

    /// - Parameter path: the names of its groups.
    init(_ type: any Command.Type, path: [String] = []) {
        configuration = type.configuration
        self.path = path
        let (value, declarations) = Declarations.of { () -> any Command in type.init() }
        self.value = value
        (flags, words) = (declarations.flags, declarations.words)
    }

    /// `gantry container run`
    var name: String { (["gantry"] + path + [configuration.name]).joined(separator: " ") }

    var table: FlagTable { FlagTable(flags.map(\.flag), endsAtFirstWord: words.contains(where: \.isHandedOn)) }

    /// `gantry logs [OPTIONS] CONTAINER`, one for each form.
    var usages: [String] {
        let start = name + (flags.contains { $0.help != nil } ? " [OPTIONS]" : "")
        guard configuration.usages.isEmpty else { return configuration.usages.map { "\(start) \($0)" } }
        return [([start] + words.map(\.usage)).joined(separator: " ")]
    }

    /// Puts into the command's properties what a line says of them.
    ///
    /// - Returns: false where the line asks for help instead.
    func take(_ line: [String]) throws(UsageError) -> Bool {
        let reading: FlagReading
        do throws(FlagReading.Failure) {
            reading = try FlagReading(line, by: table)
            guard !reading.asksForHelp else { return false }
            try take(reading)
        } catch { throw UsageError(message: "\(error.message)\nSee '\(name) --help'.") }
        try take(words: reading.words)
        return true
    }

    private func take(_ reading: FlagReading) throws(FlagReading.Failure) {
        for value in reading.values {
            guard let declared = flags.first(where: { $0.flag == value.flag }) else { continue }
            if let reason = declared.refusal(value.text) {
                throw FlagReading.Failure(
                    message: "invalid argument \"\(value.text)\" for \"\(value.flag.title)\" flag: \(reason)")
            }
            declared.slot.append(value.text)
        }
        for one in reading.switches {
            flags.first { $0.flag == one.flag }?.slot.set([one.isSet ? "true" : "false"])
        }
    }

    private func take(words line: [String]) throws(UsageError) {
        let minimum = words.map(\.minimum).reduce(0, +)
        let maximum = words.contains { $0.maximum == nil } ? nil : words.count
        guard line.count >= minimum, line.count <= maximum ?? .max else {
            throw WrongWordCount.error(of: self, minimum: minimum, maximum: maximum)
        }
        var rest = line[...]
        for declared in words {
            declared.slot.set(Array(rest.prefix(declared.maximum ?? .max)))
            rest = rest.dropFirst(declared.maximum ?? .max)
        }
    }
}

extension Declarations.Words {
    /// `CONTAINER [CONTAINER...]`
    var usage: String {
        if isHandedOn { return name }
        let further = maximum == nil ? "[\(name)...]" : ""
        guard minimum > 0 else { return further.isEmpty ? "[\(name)]" : further }
        return further.isEmpty ? name : "\(name) \(further)"
    }
}

/// A line with too few or too many words, in docker's words.
enum WrongWordCount {
    static func error(of command: DeclaredCommand, minimum: Int, maximum: Int?) -> UsageError {
        UsageError(
            message: "\"\(command.name)\" \(wish(minimum, maximum)).\nSee '\(command.name) --help'.\n\n"
                + "\(HelpText.usage(command))\n\(command.configuration.abstract)", code: 1, opening: "")
    }

    private static func wish(_ minimum: Int, _ maximum: Int?) -> String {
        func count(_ number: Int) -> String { "\(number) argument\(number == 1 ? "" : "s")" }
        guard let maximum else { return "requires at least \(count(minimum))" }
        if maximum == 0 { return "accepts no arguments" }
        if minimum == maximum { return "requires exactly \(count(minimum))" }
        if minimum == 0 { return "requires at most \(count(maximum))" }
        return "requires at least \(minimum) and at most \(count(maximum))"
    }
}
