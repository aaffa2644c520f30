import ArgumentParser

/// Command lines in docker's grammar brought into the one form that the argument parser cannot read otherwise than they
/// were meant: `--name=value` for each value, a flag only where it is set, and the words last.
enum CommandLineForm {
    /// - Parameter line: the words after the program's own flags.
    /// - Throws: `UsageError` in pflag's words, with its code, 125.
    static func normalized(_ line: [String]) throws(UsageError) -> [String] {
        guard let path = commandPath(line) else { return line }
        let table = CommandFlags.table(of: path)
        let command = Array(line.prefix(path.count))
        do throws(FlagReading.Failure) {
            let reading = try FlagReading(Array(line.dropFirst(command.count)), by: table)
            if reading.asksForHelp { return command + ["--help"] }
            return command + flags(reading, table) + passedOn(reading.words)
        } catch {
            throw UsageError(message: "\(error.message)\nSee 'gantry \(command.joined(separator: " ")) --help'.")
        }
    }

    /// The words that a command hands to a container, without the mark that `normalized` put before them.
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

    /// The command of these names and no further words.
    static func command(named names: ArraySlice<String>) -> (any ParsableCommand.Type)? {
        var command: any ParsableCommand.Type = GantryCommand.self
        for name in names {
            guard let found = command.configuration.subcommands.first(where: { $0.isCalled(name) }) else { return nil }
            command = found
        }
        return command
    }

    /// A word that looks like a flag is told from one by the mark before all of them.
    private static func passedOn(_ words: [String]) -> [String] {
        let needsMark = words.contains { $0.hasPrefix("-") && $0.count > 1 }
        return needsMark ? ["--"] + words : words
    }

    /// The names of the command that a line begins with, its aliases replaced; nil where it names none, and the parser
    /// is to say so.
    private static func commandPath(_ line: [String]) -> [String]? {
        var names: [String] = []
        var commands = GantryCommand.configuration.subcommands
        for word in line {
            guard let found = commands.first(where: { $0.isCalled(word) }) else { return nil }
            names.append(found.configuration.commandName ?? word)
            commands = found.configuration.subcommands
            if commands.isEmpty { return names }
        }
        return nil
    }
}

extension ParsableCommand {
    static func isCalled(_ name: String) -> Bool {
        configuration.commandName == name || configuration.aliases.contains(name)
    }
}
