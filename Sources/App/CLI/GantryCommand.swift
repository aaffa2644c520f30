import ArgumentParser
import EngineAPI
import Linux

/// The command line in docker's grammar.
package struct GantryCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "gantry",
        abstract: "A terminal container manager with its own engine.",
        discussion: """
            Without a command the front end opens. Options before the command:
              --root DIR         keep all state below DIR
              -H, --host HOST    drive another engine: unix://, tcp:// or ssh://
              -c, --context NAME the engine of a context of docker's
              --tlsverify        with --tlscacert, --tlscert, --tlskey: as docker's
              --theme NAME       dark, light, terminal, or a file
              --no-color         no colours, as NO_COLOR in the environment
              -v, --version      print the version
            """,
        groupedSubcommands: [
            CommandGroup(
                name: "Container",
                subcommands: [
                    RunCommand.self, CreateCommand.self, ListCommand.self, StartCommand.self, StopCommand.self,
                    RestartCommand.self, KillCommand.self, PauseCommand.self, UnpauseCommand.self, RemoveCommand.self,
                    RenameCommand.self, UpdateCommand.self, ExecCommand.self, AttachCommand.self, LogsCommand.self,
                    TopCommand.self, StatsCommand.self, PortCommand.self, WaitCommand.self, CopyCommand.self,
                    DiffCommand.self, ExportCommand.self, CommitCommand.self,
                ]),
            CommandGroup(
                name: "Image",
                subcommands: [
                    ImagesCommand.self, PullCommand.self, PushCommand.self, TagCommand.self, RemoveImageCommand.self,
                    HistoryCommand.self, LoadCommand.self, SaveCommand.self, ImportCommand.self, LoginCommand.self,
                    LogoutCommand.self,
                ]),
            CommandGroup(
                name: "Engine",
                subcommands: [
                    InspectCommand.self, EventsCommand.self, InfoCommand.self, VersionCommand.self, DaemonCommand.self,
                    CompletionCommand.self,
                ]),
            CommandGroup(
                name: "Management",
                subcommands: [
                    ContainerGroup.self, ImageGroup.self, NetworkGroup.self, VolumeGroup.self, ContextGroup.self,
                    SystemGroup.self,
                ]),
        ])

    package init() {}
}

struct ContainerGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "container", abstract: "Manage containers.",
        subcommands: [
            RunCommand.self, CreateCommand.self, ContainerListCommand.self, StartCommand.self, StopCommand.self,
            RestartCommand.self, KillCommand.self, PauseCommand.self, UnpauseCommand.self, RemoveCommand.self,
            RenameCommand.self, UpdateCommand.self, CopyCommand.self, DiffCommand.self, ExportCommand.self,
            CommitCommand.self,
            ExecCommand.self, AttachCommand.self, LogsCommand.self,
            ContainerInspectCommand.self,
            TopCommand.self, StatsCommand.self, WaitCommand.self, PortCommand.self, ContainerPruneCommand.self,
        ])
}

struct ImageGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image", abstract: "Manage images.",
        subcommands: [
            ImageListCommand.self, LoadCommand.self, ImageRemoveCommand.self, ImageInspectCommand.self,
            PullCommand.self, PushCommand.self, TagCommand.self, HistoryCommand.self, SaveCommand.self,
            ImportCommand.self, ImagePruneCommand.self,
        ])
}

extension GantryCommand {
    /// The command that a line in docker's grammar asks for.
    static func command(for line: [String]) throws -> any ParsableCommand {
        let form = try CommandLineForm(line)
        if form.asksForHelp, let command = form.command { throw CleanExit.helpRequest(command) }
        return try parseAsRoot(form.words)
    }
}

/// Runs one command line; never ends the process itself.
///
/// - Parameter arguments: the words after the program's name and the global options.
/// - Returns: the exit code, as docker gives it.
package func runCommandLine(_ arguments: [String], environment: CommandEnvironment) async -> Int32 {
    await CommandEnvironment.$current.withValue(environment) {
        do {
            var command = try GantryCommand.command(for: arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return Console.lostOutput().map { complain("\($0)") } ?? 0
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
        Console.error("gantry: \(error.message)\n")
        return error.code
    case let error as EngineError:
        Console.error(Refusals.line(error))
        let isRun = arguments.first == "run" || arguments.prefix(2) == ["container", "run"]
        return isRun ? Refusals.runExitCode(error) : 1
    case is CancellationError: return 130
    case let error as KernelError: return complain("\(error)")
    default: break
    }
    let message = GantryCommand.fullMessage(for: error)
    if GantryCommand.exitCode(for: error) == .success {
        Console.out(message + "\n")
        return 0
    }
    Console.error(UsageText.complaint(about: arguments, parser: message))
    // As docker: a flag that cannot be read is 125, a word too few or too many 1.
    return UsageText.refusedValue(message) == nil ? 1 : 125
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
        ]
        return words.contains { error.message.hasPrefix($0) }
    }

    /// docker run: 125 where the engine failed, 126 and 127 where the program could not be run.
    static func runExitCode(_ error: EngineError) -> Int32 {
        switch error.kind {
        case .commandNotExecutable: 126
        case .commandNotFound: 127
        default: 125
        }
    }
}
