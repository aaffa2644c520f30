import CLI
import EngineAPI
import Glibc
import Interface
import LocalEngine
import Rootless
import Terminal

/// The wiring: options to an engine, an engine to the front end or to a command.
enum Program {
    @MainActor
    static func run(_ words: [String]) async -> Int32 {
        let options: GlobalOptions
        var rest: [String]
        do throws(GlobalOptions.Failure) { (options, rest) = try GlobalOptions.split(words) } catch {
            Complaint.say("gantry: \(error.message)\nSee 'gantry --help'.")
            return 125
        }
        if options.showsVersion {
            print("gantry version \(ProgramVersion.number)")
            return 0
        }
        if options.showsHelp { rest = ["--help"] }
        let configuration: LocalEngineConfiguration
        do throws(RootlessFailure) {
            configuration = Settings.configuration(
                options, try OrdinaryUser.enter(options, command: rest.first))
        } catch {
            Complaint.say("gantry: \(error)")
            return rest.first == "run" ? 125 : 1
        }
        let (signals, isCommand) = (HostSignals(), !rest.isEmpty)
        // A front end has signals of its own, and so has whatever has taken them by then.
        let connection = Connection(options, configuration, hostingBegan: { if isCommand { signals.take() } })
        guard isCommand else {
            let code = await frontEnd(options, connection, socket: configuration.apiSocketPath)
            // Who leaves a screen is not kept waiting by those who only look on.
            let isForced = code == 128 + SIGTERM
            await close(connection, Parting(patience: .milliseconds(200), waitsForWork: !isForced))
            return code
        }
        let environment = environment(options, configuration, connection)
        let command = Task { [rest] in await runCommandLine(rest, environment: environment) }
        let end = await signals.end(of: command)
        // A command that happened to be first lets the others finish.
        let waits = rest.first != "daemon" && end != .signal(SIGTERM)
        await close(connection, Parting(patience: .seconds(2), waitsForWork: waits))
        return end.leave()
    }

    /// Ends this process's hosting; a signal ends the waiting for others, a second one the process.
    private static func close(_ connection: Connection, _ parting: Parting) async {
        guard connection.isHosting else { return await connection.close(parting) }
        var parting = parting
        parting.tell = { count in
            Complaint.say(
                "gantry: the engine that this process hosts is in use by others (\(count)): it ends once they are done, "
                    + "ctrl-c ends it now; `gantry daemon` hosts it without end")
        }
        // Before it is told that they end it: one that came earlier would be nobody's. Without it they do what they always do.
        let signals = try? SignalPipe([SIGINT, SIGTERM, SIGHUP, SIGQUIT])
        let closing = Task { [parting] in await connection.close(parting) }
        let watching = Task {
            guard let signals, await signals.next() != nil else { return }
            closing.cancel()
            if let second = await signals.next() { exit(128 + second) }
        }
        await closing.value
        watching.cancel()
    }

    @MainActor
    private static func frontEnd(
        _ options: GlobalOptions, _ connection: Connection, socket: String
    ) async -> Int32 {
        do throws(TerminalError) { try FrontEnd.awaitTerminal() } catch {
            Complaint.say("gantry: \(error)")
            return 1
        }
        do throws(EngineError) {
            let engine = try await connection.engine()
            let hosts = HostBook(
                current: try await connection.hostName(),
                list: { () throws(EngineError) in
                    try await connection.contexts().map { HostBook.Entry(name: $0.name, address: $0.address) }
                },
                connect: { name throws(EngineError) in try await connection.engine(of: name) })
            return FrontEnd.run(
                engine: engine, hostsEngine: { connection.isHosting }, options: options, hosts: hosts,
                socket: socket)
        } catch {
            Complaint.say("gantry: \(error.message)")
            return 1
        }
    }

    private static func environment(
        _ options: GlobalOptions, _ configuration: LocalEngineConfiguration, _ connection: Connection
    ) -> CommandEnvironment {
        CommandEnvironment(
            options: options, version: ProgramVersion.client,
            engine: { _ throws(EngineError) in try await connection.engine() },
            runDaemon: { _, daemon throws(EngineError) in try await connection.runDaemon(daemon) },
            dialStdio: { _ throws(EngineError) in try await connection.dialStdio() },
            ownSocketPath: configuration.apiSocketPath)
    }
}
