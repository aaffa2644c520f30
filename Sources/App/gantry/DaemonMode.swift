import CLI
import Daemon
import EngineAPI
import Glibc
import Linux
import LocalEngine

/// `gantry daemon`: hosts the engine in the foreground until a signal ends it. Containers run on. SIGHUP has it read its
/// configuration anew.
struct DaemonMode {
    let configuration: LocalEngineConfiguration
    let options: CommandEnvironment.DaemonOptions
    let journal: DaemonJournal
    private let level: DaemonJournal.Level
    private let inherited: [DaemonListener.Inherited]

    init(
        _ configuration: LocalEngineConfiguration, _ options: CommandEnvironment.DaemonOptions, logLevel: String
    ) throws(EngineError) {
        guard let level = DaemonJournal.Level(logLevel), let format = DaemonJournal.Format(rawValue: options.logFormat)
        else { throw EngineError(.invalid, "unable to parse logging level: \(logLevel)") }
        self.configuration = configuration
        self.options = options
        self.level = level
        journal = DaemonJournal(format, least: level, write: Complaint.say)
        inherited = ActivatedSockets.take()
    }

    /// The socket of the engine itself, where systemd has made it: nobody else answers there then.
    var ownSocket: DaemonListener? {
        inherited.first { DaemonListener.path(of: $0) == configuration.apiSocketPath }.map { .inherited($0) }
    }

    /// - Returns: the exit code.
    func run(_ seat: EngineSeat) async throws(EngineError) -> Int32 {
        let signals: SignalPipe
        do throws(KernelError) { signals = try SignalPipe([SIGTERM, SIGINT, SIGHUP]) } catch {
            throw EngineError(.internal, "\(error)")
        }
        // Read first: who has written something wrong is told before anything is begun.
        let listeners = try listeners()
        let engine = FailoverEngine(seat: seat)
        let version = try await engine.version()
        guard seat.hosted != nil else {
            throw EngineError(
                .conflict,
                "another process hosts the engine of `\(configuration.dataRoot)` already; it answers at "
                    + "`\(configuration.apiSocketPath)`", object: configuration.dataRoot)
        }
        var servers: [DaemonServer] = []
        for listener in listeners {
            servers.append(try await DaemonServer.start(engine: engine, at: listener, journal: journal))
        }
        if let address = options.metricsAddress {
            servers.append(try await DaemonServer.startMetrics(engine: engine, address: address, journal: journal))
        }
        journal.say(
            .info,
            "gantry \(version.version): serving the engine of \(configuration.dataRoot) at unix://\(configuration.apiSocketPath)",
            servers.compactMap { server in server.port.map { ("port", "\($0)") } })
        setLevel(isDebugging: await seat.isDebugging)
        var number = await signals.next() ?? 0
        while number == SIGHUP {
            await reload(seat)
            number = await signals.next() ?? 0
        }
        journal.say(.info, "\(Signal.name(number)): the daemon ends, containers run on")
        for server in servers { await server.stop() }
        return 0
    }

    /// What is wrong in the file is said, and changes nothing.
    private func reload(_ seat: EngineSeat) async {
        do throws(EngineError) {
            setLevel(isDebugging: try await seat.reload())
            journal.say(.info, "the configuration was read anew")
        } catch { journal.say(.error, "read the configuration anew: \(error.message)") }
    }

    private func setLevel(isDebugging: Bool) { journal.set(least: isDebugging ? .debug : level) }

    private func listeners() throws(EngineError) -> [DaemonListener] {
        let plan = ListenPlan(
            certificates: try certificates(), allowsPlainTCP: options.allowsPlainTCP, inherited: inherited)
        var listeners: [DaemonListener] = []
        for host in options.hosts { listeners += try plan.listeners(host) }
        return listeners.filter { $0 != ownSocket }
    }

    /// `--tls` alone would take clients without a certificate: that is not offered.
    private func certificates() throws(EngineError) -> DaemonListener.Certificates? {
        let tls = options.tls
        guard tls.verifies else {
            guard !tls.isWanted else {
                throw EngineError(.invalid, "TLS without certificates of clients is not offered: give --tlsverify")
            }
            return nil
        }
        guard let authority = tls.authorityFile, let certificate = tls.certificateFile, let key = tls.keyFile else {
            throw EngineError(.invalid, "--tlsverify needs --tlscacert, --tlscert and --tlskey")
        }
        return DaemonListener.Certificates(authorityFile: authority, certificateFile: certificate, keyFile: key)
    }
}
