import ArgumentParser

/// What is said to a command line that makes no sense.
enum UsageText {
    /// Lines to print, the last one ended.
    ///
    /// - Parameter message: the parser's own, of several lines, beginning with `Error: `.
    static func complaint(about arguments: [String], parser message: String) -> String {
        if let words = unknownCommand(arguments) {
            let isGroup = words.count > 1
            return "gantry: '\(words.joined(separator: " "))' is not a gantry command"
                + (isGroup ? "" : elsewhere[words[0]].map { ": \($0)" } ?? "")
                + ".\nSee 'gantry \(isGroup ? words[0] + " " : "")--help'.\n"
        }
        if let value = refusedValue(message) {
            return "gantry: invalid argument \"\(value.text)\" for \"\(value.flag)\" flag\(value.choice)\n"
        }
        // The parser repeats an argument's help, which says nothing that its usage line does not.
        let lines = message.split(separator: "\n").filter { !$0.hasPrefix("Help: ") }
        let text = lines.joined(separator: "\n")
        return (text.hasPrefix("Error: ") ? "gantry: " + text.dropFirst(7) : text) + "\n"
    }

    /// What a flag was given that it does not take, told from the parser's sentence
    /// `The value 'x' is invalid for '--flag <value>'. Please provide one of 'a' or 'b'.`
    static func refusedValue(_ message: String) -> (text: String, flag: String, choice: String)? {
        let line = message.prefix { $0 != "\n" }
        let opening = "Error: The value '"
        guard line.hasPrefix(opening), let middle = line.firstRange(of: "' is invalid for '--") else { return nil }
        let text = line[..<middle.lowerBound].dropFirst(opening.count)
        let rest = line[middle.upperBound...]
        let flag = rest.prefix { $0 != " " && $0 != "'" }
        let choice = rest.firstRange(of: "Please provide ").map { ": choose \(rest[$0.upperBound...])" } ?? ""
        return (String(text), "--\(flag)", choice)
    }

    /// Commands that docker's users know, and how one comes to what they want here.
    private static let elsewhere = [
        "build": "images are not built here; `gantry load` takes the archives of those that build them",
        "buildx": "images are not built here; `gantry load` takes the archives of those that build them",
        "builder": "images are not built here; `gantry load` takes the archives of those that build them",
        "compose": "docker-compose drives Gantry, with DOCKER_HOST naming the socket of `gantry daemon`",
        "search": "registries are not searched; `gantry pull` takes an image by its name",
        "swarm": "an engine is for one machine",
        "service": "an engine is for one machine",
        "stack": "an engine is for one machine",
        "node": "an engine is for one machine",
        "plugin": "there are no managed plugins",
    ]

    /// The words that should have named a command: one, or that of a group and what follows it.
    private static func unknownCommand(_ arguments: [String]) -> [String]? {
        guard let first = arguments.first, !first.hasPrefix("-"), first != "help" else { return nil }
        guard let command = named(first, among: GantryCommand.configuration.subcommands) else { return [first] }
        let further = command.configuration.subcommands
        guard !further.isEmpty, arguments.count > 1, !arguments[1].hasPrefix("-"), arguments[1] != "help",
            named(arguments[1], among: further) == nil
        else { return nil }
        return [first, arguments[1]]
    }

    private static func named(
        _ name: String, among commands: [any ParsableCommand.Type]
    ) -> (any ParsableCommand.Type)? {
        commands.first { $0.isCalled(name) }
    }
}
