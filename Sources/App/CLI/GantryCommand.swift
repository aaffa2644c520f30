import EngineAPI
import Glibc

/// The command line in docker's grammar.
enum GantryCommand {
    static let abstract = "A terminal container manager with its own engine."

    static let discussion = """
        Without a command the front end opens. Options before the command:
          --root DIR         keep all state below DIR
          -H, --host HOST    drive another engine: unix://, tcp:// or ssh://
          -c, --context NAME the engine of a context of docker's
          --tlsverify        with --tlscacert, --tlscert, --tlskey: as docker's
          --theme NAME       dark, light, terminal, or a file
          --no-color         no colours, as NO_COLOR in the environment
          -v, --version      print the version
        """

    /// Commands that are called by their name alone.
    static let sections: [(title: String, commands: [any Command.Type])] = [
        (
            "Container",
            [
                RunCommand.self, CreateCommand.self, ListCommand.self, StartCommand.self, StopCommand.self,
                RestartCommand.self, KillCommand.self, PauseCommand.self, UnpauseCommand.self, RemoveCommand.self,
                RenameCommand.self, UpdateCommand.self, ExecCommand.self, AttachCommand.self, LogsCommand.self,
                TopCommand.self, StatsCommand.self, PortCommand.self, WaitCommand.self, CopyCommand.self,
                DiffCommand.self, ExportCommand.self, CommitCommand.self,
            ]
        ),
        (
            "Image",
            [
                ImagesCommand.self, PullCommand.self, PushCommand.self, TagCommand.self, RemoveImageCommand.self,
                HistoryCommand.self, LoadCommand.self, SaveCommand.self, ImportCommand.self, SearchCommand.self,
                LoginCommand.self, LogoutCommand.self,
            ]
        ),
        (
            "Engine",
            [
                InspectCommand.self, EventsCommand.self, InfoCommand.self, VersionCommand.self, DaemonCommand.self,
                CompletionCommand.self,
            ]
        ),
    ]

    static let groups: [CommandGroup] = [.container, .image, .network, .volume, .context, .system]

    static func command(_ word: String) -> (any Command.Type)? {
        for section in sections {
            if let found = section.commands.first(where: { $0.configuration.isCalled(word) }) { return found }
        }
        return nil
    }

    static func group(_ word: String) -> CommandGroup? { groups.first { $0.name == word } }
}

extension CommandGroup {
    static let container = CommandGroup(
        name: "container", abstract: "Manage containers.",
        commands: [
            RunCommand.self, CreateCommand.self, ContainerListCommand.self, StartCommand.self, StopCommand.self,
            RestartCommand.self, KillCommand.self, PauseCommand.self, UnpauseCommand.self, RemoveCommand.self,
            RenameCommand.self, UpdateCommand.self, CopyCommand.self, DiffCommand.self, ExportCommand.self,
            CommitCommand.self, ExecCommand.self, AttachCommand.self, LogsCommand.self, ContainerInspectCommand.self,
            TopCommand.self, StatsCommand.self, WaitCommand.self, PortCommand.self, ContainerPruneCommand.self,
        ])

    static let image = CommandGroup(
        name: "image", abstract: "Manage images.",
        commands: [
            ImageListCommand.self, LoadCommand.self, ImageRemoveCommand.self, ImageInspectCommand.self,
            PullCommand.self, PushCommand.self, TagCommand.self, HistoryCommand.self, SaveCommand.self,
            ImportCommand.self, ImagePruneCommand.self,
        ])
}

/// Runs one command line; never ends the process itself.
///
/// - Parameter arguments: the words after the program's name and the global options.
/// - Returns: the exit code, as docker gives it.
package func runCommandLine(_ arguments: [String], environment: CommandEnvironment) async -> Int32 {
    await CommandEnvironment.$current.withValue(environment) {
        do {
            switch try CommandLineReading(arguments) {
            case .command(let command): try await command.run()
            case .help(let text): Console.out(text)
            }
            if let error = Console.lostOutput { return complain("\(error)") }
            return Console.isCutOff ? 128 + SIGPIPE : 0
        } catch {
            return finish(error, arguments)
        }
    }
}

private func complain(_ message: String) -> Int32 {
    Console.error("gantry: \(message)\n")
    return 1
}

private func finish(_ error: any Error, _ arguments: [String]) -> Int32 {
    switch error {
    case let error as ExitStatus: return error.code
    case let error as UsageError:
        Console.error(error.line)
        return error.code
    case let error as EngineError:
        Console.error(Refusals.line(error))
        let isRun = arguments.first == "run" || arguments.prefix(2) == ["container", "run"]
        return isRun ? Refusals.runExitCode(error) : 1
    case is CancellationError: return 130
    default: return complain("\(error)")
    }
}

/// How an engine's refusal is told and what code it ends with.
enum Refusals {
    static func line(_ error: EngineError) -> String {
        isWithoutEngine(error) ? "gantry: \(error.message)\n" : "Error response from daemon: \(error.message)\n"
    }

    /// No engine has said so: there was none to be asked.
    private static func isWithoutEngine(_ error: EngineError) -> Bool {
        let words = [
            "Cannot connect to ", "permission denied while trying ", "the container engine at ",
            "another process hosts ",
            "context \"", "conflicting options: cannot specify both --host", "unable to parse docker host",
            "credential helper ", "read the credentials: ", "keep the credentials: ",
        ]
        return words.contains { error.message.hasPrefix($0) }
    }

    /// docker run: 125 where the engine failed, 126 and 127 where the program could not be run.
    static func runExitCode(_ error: EngineError) -> Int32 {
        switch error.kind {
        case .commandNotExecutable: 126
        case .commandNotFound: 127
        default: runExitCode(error.message)
        }
    }

    /// Of a program that was to be run in a container and was not.
    static func execExitCode(_ error: EngineError) -> Int32 {
        switch error.kind {
        case .commandNotFound: 127
        case .unavailable, .cancelled: 1
        default: 126
        }
    }

    /// Docker's client goes by the words.
    static func runExitCode(_ message: String) -> Int32 {
        if message.contains("executable file not found") || message.contains("no such file or directory") { return 127 }
        return message.contains("permission denied") || message.contains("is a directory") ? 126 : 125
    }
}
