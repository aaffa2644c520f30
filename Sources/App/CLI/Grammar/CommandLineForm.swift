import ArgumentParser

/// A command line in docker's grammar brought into the one form that the argument parser cannot read otherwise than it
/// was meant: the command's own names, `--name=value` for each value, a flag only where it is set, and the words last.
struct CommandLineForm {
    /// The command that the line names; nil where it names none, and the parser is to say so.
    private(set) var command: (any ParsableCommand.Type)?
    /// For the parser.
    private(set) var words: [String]
    /// The rest of the line does not matter.
    private(set) var asksForHelp = false

    /// - Parameter line: the words after the program's own flags.
    /// - Throws: `UsageError` in pflag's words, with its code, 125.
    init(_ line: [String]) throws(UsageError) {
        words = line
        guard let (command, path) = Self.command(of: line) else { return }
        self.command = command
        let names = Array(line.prefix(path.count))
        let table = CommandFlags.table(of: path)
        do throws(FlagReading.Failure) {
            let reading = try FlagReading(Array(line.dropFirst(names.count)), by: table)
            asksForHelp = reading.asksForHelp
            words = names + (asksForHelp ? ["--help"] : Self.flags(reading, table) + Self.passedOn(reading.words))
        } catch {
            throw UsageError(message: "\(error.message)\nSee 'gantry \(names.joined(separator: " ")) --help'.")
        }
    }

    /// The words that a command hands to a container, without the mark that this form puts before them.
    static func unmarked(_ words: [String]) -> [String] { words.first == "--" ? Array(words.dropFirst()) : words }

    private static func flags(_ reading: FlagReading, _ table: FlagTable) -> [String] {
        let values = reading.values.flatMap { value in
            // The parser takes an end after `=` for no value, and the next word for it.
            value.text.isEmpty ? ["--\(value.flag.name)", ""] : ["--\(value.flag.name)=\(value.text)"]
        }
        let switches = table.flags.compactMap { flag -> String? in
            guard let isSet = reading.switches[flag.name] else { return nil }
            if isSet { return "--\(flag.name)" }
            // What is set by itself is taken back by another flag.
            return table.flag("no-\(flag.name)").map { "--\($0.name)" }
        }
        return values + switches
    }

    /// A word that looks like a flag is told from one by the mark before all of them.
    private static func passedOn(_ words: [String]) -> [String] {
        let needsMark = words.contains { $0.hasPrefix("-") && $0.count > 1 }
        return needsMark ? ["--"] + words : words
    }

    /// The command that a line begins with, and its names, aliases replaced.
    private static func command(of line: [String]) -> (command: any ParsableCommand.Type, path: [String])? {
        var path: [String] = []
        var commands = GantryCommand.configuration.subcommands
        for word in line {
            guard let found = commands.first(where: { $0.isCalled(word) }) else { return nil }
            path.append(found.configuration.commandName ?? word)
            commands = found.configuration.subcommands
            if commands.isEmpty { return (found, path) }
        }
        return nil
    }
}

extension ParsableCommand {
    static func isCalled(_ name: String) -> Bool {
        configuration.commandName == name || configuration.aliases.contains(name)
    }
}
