/// The help of the program and of each command, in the form of docker's.
enum HelpText {
    static var program: String {
        var text = "Usage:  gantry [OPTIONS] COMMAND\n\n\(GantryCommand.abstract)\n\n\(GantryCommand.discussion)\n"
        let groups = GantryCommand.groups.map { (name: $0.name, abstract: $0.abstract) }
        for (title, rows) in GantryCommand.sections.map({ ($0.title, rows($0.commands)) }) + [("Management", groups)] {
            text += "\n\(title) commands:\n" + columns(rows)
        }
        return text + "\nRun 'gantry COMMAND --help' for more information on a command.\n"
    }

    static func of(_ group: CommandGroup) -> String {
        "Usage:  gantry \(group.name) COMMAND\n\n\(group.abstract)\n\nCommands:\n\(columns(rows(group.commands)))"
            + "\nRun 'gantry \(group.name) COMMAND --help' for more information on a command.\n"
    }

    static func of(_ command: DeclaredCommand) -> String {
        let configuration = command.configuration
        var text = usage(command) + "\n\(configuration.abstract)\n"
        if !configuration.discussion.isEmpty { text += "\n\(configuration.discussion)\n" }
        let shown = command.flags.filter { $0.help != nil }
        var titles: [String?] = []
        for flag in shown where !titles.contains(flag.title) { titles.append(flag.title) }
        let width = shown.map { left($0).count }.max() ?? 0
        for title in titles {
            let rows = shown.filter { $0.title == title }.map { (left($0), right($0)) }
            text += "\n\(title ?? "Options"):\n" + columns(rows, width: width)
        }
        return text
    }

    /// `Usage:  gantry cp …`, a line for each form.
    static func usage(_ command: DeclaredCommand) -> String {
        "Usage:  " + command.usages.joined(separator: "\n        ") + "\n"
    }

    static func rows(_ commands: [any Command.Type]) -> [(name: String, abstract: String)] {
        commands.map { $0.configuration }.filter(\.isShown).map { ($0.name, $0.abstract) }
    }

    /// `-e, --env list`
    private static func left(_ declared: Declarations.Flag) -> String {
        let flag = declared.flag
        let short = flag.names.first { $0.count == 1 }.map { "-\($0), " } ?? "    "
        return short + "--\(flag.name)" + (declared.kind.map { " \($0)" } ?? "")
    }

    private static func right(_ declared: Declarations.Flag) -> String {
        let help = declared.help ?? ""
        guard let standard = declared.standard else { return help }
        return help + " (default \(declared.kind == "string" ? "\"\(standard)\"" : standard))"
    }

    private static func columns(_ rows: [(String, String)], width: Int? = nil) -> String {
        let width = width ?? rows.map(\.0.count).max() ?? 0
        return rows.map { left, right in
            "  \(left)\(String(repeating: " ", count: width - left.count))   \(right)\n"
        }.joined()
    }
}
