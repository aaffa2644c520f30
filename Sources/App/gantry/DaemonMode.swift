import CLI
import Daemon
import EngineAPI
import Glibc
import Linux
import LocalEngine

/// `gantry daemon`: hosts the engine in the foreground until a signal ends it. Containers run on.
enum DaemonMode {
    static func run(_ seat: EngineSeat, _ configuration: LocalEngineConfiguration, hosts: [String])
        async throws(EngineError) -> Int32
    {
        let signals: SignalPipe
        do throws(KernelError) { signals = try SignalPipe([SIGTERM, SIGINT, SIGHUP]) } catch {
            throw EngineError(.internal, "\(error)")
        }
        let engine = FailoverEngine(seat: seat)
        let version = try await engine.version()
        guard await seat.isHosting else {
            throw EngineError(
                .conflict,
                "another process hosts the engine of `\(configuration.dataRoot)` already; it answers at "
                    + "`\(configuration.apiSocketPath)`", object: configuration.dataRoot)
        }
        var servers: [DaemonServer] = []
        for host in hosts {
            guard host.hasPrefix("unix://"), host.count > 7 else {
                throw EngineError(.unsupported, "`\(host)` cannot be served: only unix:///path/to/socket", object: host)
            }
            servers.append(try await DaemonServer.start(engine: engine, socketPath: String(host.dropFirst(7))))
        }
        Complaint.say(
            "gantry \(version.version): serving the engine of \(configuration.dataRoot) at unix://\(configuration.apiSocketPath)"
        )
        let number = await signals.next() ?? 0
        Complaint.say("\(Signal.name(number)): the daemon ends, containers run on")
        for server in servers { await server.stop() }
        return 0
    }
}
