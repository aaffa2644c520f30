/// A command line in docker's grammar, read.
enum CommandLineReading {
    case command(any Command)
    /// The text that the line asks for.
    case help(String)

    /// - Parameter line: the words after the program's own flags; at least one.
    /// - Throws: `UsageError` in docker's words, with its code: 125 for a flag that cannot be read, 1 for a word too few
    ///   or too many, or for a command that is not there.
    init(_ line: [String]) throws(UsageError) {
        var words = line[...]
        let asksFirst = words.first.map(Self.isHelp) ?? true
        if asksFirst { words = words.dropFirst() }
        guard let first = words.first else {
            self = .help(HelpText.program)
            return
        }
        if let command = GantryCommand.command(first) {
            try self.init(DeclaredCommand(command, path: []), words.dropFirst(), asksForHelp: asksFirst)
            return
        }
        guard let group = GantryCommand.group(first) else { throw UnknownCommand.error([first]) }
        words = words.dropFirst()
        guard let second = words.first, !Self.isHelp(second) else {
            self = .help(HelpText.of(group))
            return
        }
        guard let command = group.command(second) else { throw UnknownCommand.error([first, second]) }
        try self.init(DeclaredCommand(command, path: [group.name]), words.dropFirst(), asksForHelp: asksFirst)
    }

    private init(_ command: DeclaredCommand, _ rest: ArraySlice<String>, asksForHelp: Bool) throws(UsageError) {
        let isRead = asksForHelp ? false : try command.take(Array(rest))
        self = isRead ? .command(command.value) : .help(HelpText.of(command))
    }

    private static func isHelp(_ word: String) -> Bool { ["--help", "-h", "help"].contains(word) }
}
