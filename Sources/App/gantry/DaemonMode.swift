import CLI
import Daemon
import EngineAPI
import Glibc
import Linux
import LocalEngine

/// `gantry daemon`: hosts the engine in the foreground until a signal ends it. Containers run on. SIGHUP has it read its
/// configuration anew. Where a front end or a command hosts the engine, it stands by, serves its own sockets all the same,
/// and takes over once that one ends; where another daemon does, it is refused.
struct DaemonMode {
    let configuration: LocalEngineConfiguration
    let options: CommandEnvironment.DaemonOptions
    let journal: DaemonJournal
    private let level: DaemonJournal.Level
    private let inherited: [DaemonListener.Inherited]
    private let manager: NotifySocket

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
        manager = NotifySocket.take()
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
        guard await !seat.isVisitingDaemon else {
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
        let ports = servers.compactMap { server in server.port.map { ("port", "\($0)") } }
        let service = "the engine of \(configuration.dataRoot) at unix://\(configuration.apiSocketPath)"
        let announcing = Task {
            if seat.hosted == nil {
                let host = seat.socket.listener.map { "process \($0)" } ?? "another process"
                journal.say(
                    .info, "gantry \(version.version): \(host) hosts \(service): standing by to take over", ports)
                tell(.ready(status: "standing by: \(host) hosts \(service)"))
                await standBy(engine, seat)
            }
            guard !Task.isCancelled else { return }
            journal.say(.info, "gantry \(version.version): serving \(service)", ports)
            tell(.ready(status: "serving \(service)"))
            setLevel(isDebugging: await seat.isDebugging)
        }
        defer { announcing.cancel() }
        var number = await signals.next() ?? 0
        while number == SIGHUP {
            tell(.reloading)
            tell(.ready(status: await reload(seat)))
            number = await signals.next() ?? 0
        }
        journal.say(.info, "\(Signal.name(number)): the daemon ends, containers run on")
        tell(.stopping)
        for server in servers { await server.stop() }
        return 0
    }

    /// One that does not hear is no reason to end.
    private func tell(_ notice: NotifySocket.Notice) {
        do throws(KernelError) { try manager.tell(notice) } catch {
            journal.say(.warning, "tell the service manager: \(error)")
        }
    }

    /// Returns once this process hosts the engine, or the task is cancelled.
    private func standBy(_ engine: FailoverEngine, _ seat: EngineSeat) async {
        while seat.hosted == nil, !Task.isCancelled {
            do {
                // A stream that breaks with its host, at the moment it ends; what it tells is of no interest.
                var request = EventRequest()
                request.since = .now()
                for try await _ in try await seat.engine().events(request) where seat.hosted != nil { return }
            } catch is CancellationError {
                return
            } catch {
                // The host went, or is going.
            }
            // Asked anew, whoever is left takes the seat.
            do throws(EngineError) { _ = try await engine.version() } catch {
                journal.say(.warning, "\(error.message)")
            }
            guard (try? await Task.sleep(for: .milliseconds(20))) != nil else { return }
        }
    }

    /// What is wrong in the file is said, and changes nothing.
    ///
    /// - Returns: what has come of it.
    private func reload(_ seat: EngineSeat) async -> String {
        let (level, outcome): (DaemonJournal.Level, String)
        do throws(EngineError) {
            setLevel(isDebugging: try await seat.reload())
            (level, outcome) = (.info, "the configuration was read anew")
        } catch { (level, outcome) = (.error, "read the configuration anew: \(error.message)") }
        journal.say(level, outcome)
        return outcome
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
