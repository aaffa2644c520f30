import Daemon
import EngineAPI
import Linux
import LocalEngine
import RemoteEngine
import Synchronization

/// Who serves this program's calls: the engine hosted here, or another process's over its socket. One engine per data
/// root: the first to take the root's lock hosts it, and who comes later visits; when the host goes, the next takes over.
///
/// ```
///             lock taken                      lock held, socket answers
///   hosting ◄────────────── nobody knows yet ───────────────────────────► visiting
///      ▲                         ▲                                           │
///      └──── lock taken ─────────┴────────────── the connection broke ◄──────┘
/// ```
///
/// Where a daemon went, it is most likely started anew: who visited it leaves the lock to it for a moment.
actor EngineSeat {
    private enum Seat {
        case hosting(EngineHost)
        case visiting(DockerEngine)
    }

    /// How long a host that holds the lock may take until it answers, or until its lock is free. One whose process is
    /// stopped would take for ever.
    private static let patience = Duration.seconds(15)
    /// How long a daemon that went may take to come again.
    private static let returning = Duration.seconds(2)

    private let configuration: LocalEngineConfiguration
    /// A listening socket that this process was given; who holds it is the host, so nobody is visited.
    private let ownSocket: DaemonListener?
    private let journal: DaemonJournal
    /// Whether this process is a daemon.
    private let returns: Bool
    /// Called once this process hosts the engine.
    private let began: @Sendable () -> Void
    private let clock = ContinuousClock()
    private let hostedHere = Mutex<GantryEngine?>(nil)
    private var seat: Seat? {
        didSet {
            let engine: GantryEngine? = if case .hosting(let host)? = seat { host.engine } else { nil }
            hostedHere.withLock { $0 = engine }
        }
    }
    private var election: Task<Result<Seat, EngineError>, Never>?
    private var isClosed = false
    /// Another process was found to host the engine, since when this one was started.
    private var hasVisited = false
    /// Until when the lock is another's to take.
    private var leavesLockUntil: ContinuousClock.Instant?

    /// Where whoever hosts the engine answers.
    nonisolated var socket: EngineSocket { EngineSocket(path: configuration.apiSocketPath) }

    init(
        _ configuration: LocalEngineConfiguration, socket: DaemonListener? = nil,
        journal: DaemonJournal = DaemonJournal(write: Complaint.say), returns: Bool = false,
        began: @escaping @Sendable () -> Void = {}
    ) {
        self.configuration = configuration
        self.journal = journal
        self.returns = returns
        self.began = began
        ownSocket = socket
    }

    /// The engine to call now.
    ///
    /// - Parameter verified: make sure that an engine over a socket still answers, for a call that must not be made
    ///   twice.
    func engine(verified: Bool = false) async throws(EngineError) -> any Engine {
        switch seat {
        case .hosting(let host): return host.engine
        case .visiting(let engine):
            if !verified || engine.hasJustAnswered { return engine }
            if await engine.answers(within: Self.patience) { return engine }
            lose(engine)
        case nil: break
        }
        switch try await elect() {
        case .hosting(let host): return host.engine
        case .visiting(let engine): return engine
        }
    }

    /// Has the engine read its configuration anew, where it is hosted here; whether it is to say more then.
    func reload() async throws(EngineError) -> Bool {
        guard case .hosting(let host)? = seat else { return false }
        return try await host.engine.reload()
    }

    /// Whether this process is the host, and its engine is to say more of what it does.
    var isDebugging: Bool { hosted?.isDebugging ?? false }

    /// The engine, where this process is the host now.
    nonisolated var hosted: GantryEngine? { hostedHere.withLock { $0 } }

    /// A call found its connection broken. Whether it may be made again is the caller's to know.
    func lose(_ engine: DockerEngine) {
        guard case .visiting(let current)? = seat, engine === current else { return }
        if engine.returns { leavesLockUntil = clock.now + Self.returning }
        seat = nil
    }

    /// Whether a daemon hosts the engine elsewhere.
    var isVisitingDaemon: Bool { if case .visiting(let engine)? = seat { engine.returns } else { false } }

    /// Ends hosting, so that the next process can take over at once. Nothing may be called afterwards.
    func close(_ parting: Parting) async {
        isClosed = true
        if let election { _ = await election.value }
        if case .hosting(let host)? = seat { await host.close(parting) }
        seat = nil
    }

    /// Callers that come meanwhile share one election.
    private func elect() async throws(EngineError) -> Seat {
        if let seat { return seat }
        return try await (election ?? beginElection()).value.get()
    }

    /// The election itself takes the seat: a caller that goes on late must not put back an engine that is lost again, which
    /// would also let go of one that is hosted here meanwhile.
    private func beginElection() -> Task<Result<Seat, EngineError>, Never> {
        let begun = Task { () -> Result<Seat, EngineError> in
            let result = await vote()
            election = nil
            if case .success(let elected) = result { seat = elected }
            return result
        }
        election = begun
        return begun
    }

    private func vote() async -> Result<Seat, EngineError> {
        let end = clock.now + Self.patience
        var pause = Duration.milliseconds(5)
        while !isClosed {
            if let visited = await visit() {
                hasVisited = true
                return .success(.visiting(visited))
            }
            do throws(EngineError) {
                if let host = try await host() { return .success(.hosting(host)) }
            } catch {
                return .failure(error)
            }
            guard clock.now < end else { break }
            do { try await clock.sleep(for: pause) } catch { break }
            pause = min(pause * 2, .milliseconds(200))
        }
        return .failure(
            EngineError(
                .unavailable,
                "another process hosts the engine of `\(configuration.dataRoot)` and does not answer at "
                    + "`\(configuration.apiSocketPath)`\(listener)", object: configuration.apiSocketPath))
    }

    /// Takes the lock, where it is free and this process's to take.
    private func host() async throws(EngineError) -> EngineHost? {
        if let leavesLockUntil, clock.now < leavesLockUntil { return nil }
        // A daemon that takes over from others does not start again what people have stopped there a moment ago.
        let host = try await EngineHost.open(
            configuration, socket: ownSocket, journal: journal, returns: returns,
            startsByPolicy: returns && !hasVisited)
        if host != nil { began() }
        return host
    }

    /// Who it is, for the message, and what helps where it is stopped.
    private var listener: String {
        guard let pid = socket.listener else { return "" }
        // A process that is gone by now has no state to tell.
        let state = (try? ProcessStat.read(pid: pid))?.state
        guard state == "T" || state == "t" else { return " (process \(pid))" }
        return " (process \(pid), which is stopped: `kill -CONT \(pid)` lets it go on)"
    }

    private func visit() async -> DockerEngine? {
        guard ownSocket == nil else { return nil }
        let engine = DockerEngine(socketPath: configuration.apiSocketPath, resumesSessions: true)
        return await engine.answers(within: Self.patience) ? engine : nil
    }
}
