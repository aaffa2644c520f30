import CLI
import EngineAPI
import Glibc
import Interface
import LocalEngine
import Rootless

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
        let connection = Connection(options, configuration)
        let code =
            rest.isEmpty
            ? await frontEnd(options, connection)
            : await runCommandLine(rest, environment: environment(options, configuration, connection))
        // A command that happened to be first lets the others finish; who leaves a screen is not kept waiting.
        await connection.close(patience: rest.isEmpty ? .milliseconds(200) : .seconds(2))
        return code
    }

    @MainActor
    private static func frontEnd(_ options: GlobalOptions, _ connection: Connection) async -> Int32 {
        do throws(EngineError) {
            let engine = try await connection.engine()
            let hosts = HostBook(
                current: try await connection.hostName(),
                list: { () throws(EngineError) in
                    try await connection.contexts().map { HostBook.Entry(name: $0.name, address: $0.address) }
                },
                connect: { name throws(EngineError) in try await connection.engine(of: name) })
            return FrontEnd.run(
                engine: engine, hostsEngine: { connection.isHosting }, options: options, hosts: hosts)
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
