import CLinux
import DockerAPI
import EngineAPI
import Transport

/// Serves an engine by the Docker Engine API on a Unix socket, or on TCP with TLS.
///
/// ```
/// let server = try await DaemonServer.start(engine: engine, socketPath: "/run/gantry/gantry.sock")
/// …
/// await server.stop()
/// ```
package final class DaemonServer: Sendable {
    private let server: HTTPServer
    /// What its end would take from clients.
    package let work: PendingWork

    private init(_ server: HTTPServer, _ work: PendingWork) {
        self.server = server
        self.work = work
    }

    /// Listens and serves; returns once clients can connect.
    ///
    /// The socket's file has mode 0660 and the group `gantry` where the machine has one. A file left behind by a dead
    /// server is replaced.
    ///
    /// - Parameter report: is told of defects: errors that no client can be blamed for.
    /// - Throws: `unavailable` where the socket cannot be made, also because another server answers there.
    package static func start(
        engine: any Engine, socketPath: String, report: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws(EngineError) -> DaemonServer {
        try await start(
            engine: engine, at: .unix(path: socketPath), journal: DaemonJournal(least: .error, write: report))
    }

    /// Listens as `listener` says, and serves; returns once clients can connect.
    ///
    /// - Parameter returns: whether clients may expect that where this server went one comes again, at once: that of a
    ///   daemon.
    /// - Throws: `unavailable` where the address cannot be listened on; `invalid` where a file for TLS cannot be used.
    package static func start(
        engine: any Engine, at listener: DaemonListener, journal: DaemonJournal, returns: Bool = false
    ) async throws(EngineError) -> DaemonServer {
        try await start(engine, listener, journal, .docker, isOpenToPages: listener.isPlainInternet, returns: returns)
    }

    /// Serves figures for Prometheus, and nothing else, over plain HTTP, as docker's `--metrics-addr`.
    ///
    /// - Parameter address: `host:port`
    package static func startMetrics(
        engine: any Engine, address: String, journal: DaemonJournal
    ) async throws(EngineError) -> DaemonServer {
        guard let (host, port) = HostPort.read(address, defaultPort: -1), port >= 0, !host.isEmpty else {
            throw EngineError(.invalid, "invalid --metrics-addr: `\(address)`: give host:port", object: address)
        }
        let listener = DaemonListener(address: .tcp(host: host, port: port), tls: nil)
        // Whoever collects figures does so from elsewhere, and nothing can be done by them.
        return try await start(engine, listener, journal, .metrics, isOpenToPages: false)
    }

    private static func start(
        _ engine: any Engine, _ listener: DaemonListener, _ journal: DaemonJournal, _ routes: RouteTable,
        isOpenToPages: Bool, returns: Bool = false
    ) async throws(EngineError) -> DaemonServer {
        let version = try await engine.version()
        let work = PendingWork()
        let dispatcher = Dispatcher(
            engine: engine, version: version, journal: journal, routes: routes, work: work,
            isOpenToPages: isOpenToPages, returns: returns)
        var configuration = HTTPServer.Configuration()
        configuration.mayHijack = { method, path in Dispatcher.mayHijack(method, path) }
        configuration.prepared = { method, target in dispatcher.prepared(method, target) }
        configuration.isBrief = { method, path in Dispatcher.isBrief(method, path) }
        do throws(TransportError) {
            let server = try await HTTPServer.start(at: listener.address, configuration, tls: listener.tls) {
                request, writer in await dispatcher.serve(request, writer)
            }
            return DaemonServer(server, work)
        } catch {
            if case .untrusted = error { throw EngineError(.invalid, "\(error)", object: "\(listener.address)") }
            throw EngineError(.unavailable, "\(error)", object: "\(listener.address)")
        }
    }

    /// The port in use, where the address has one.
    package var port: Int? { server.port }

    /// Serves on until no client is connected any more, at most for so long.
    package func drain(atMost limit: Duration) async { await server.drain(atMost: limit) }

    /// Takes no more clients and removes the socket's file; streams are cut, other requests get `grace` to be answered.
    package func stop(grace: Duration = .seconds(5)) async {
        work.end()
        await server.stop(grace: grace)
    }
}

extension DaemonListener {
    /// Served without TLS where a browser's pages reach, too; also by a socket that came with the process.
    fileprivate var isPlainInternet: Bool {
        guard tls == nil else { return false }
        switch address {
        case .unix: return false
        case .tcp: return true
        case .inherited(let number):
            if case .unix? = InheritedSocket(number) { return false }
            return true
        }
    }
}

/// Finds the route of a request and turns what it throws into an answer.
struct Dispatcher: Sendable {
    private let engine: any Engine
    private let commonFields: HTTPFields
    private let journal: DaemonJournal
    private let routes: RouteTable
    private let work: PendingWork
    private let lists = ContainerListText()
    private let inspections = WrittenTexts<ContainerDetails>(limit: 512)
    private let kept: KeptAnswers
    private let heap: HeapTrimming
    private let clock = ContinuousClock()
    /// Served plainly on the loopback, where a browser's pages reach, too.
    private let isOpenToPages: Bool
    private let ping: Ping
    private let pings: [String: PreparedAnswer]

    init(
        engine: any Engine, version: EngineVersion, journal: DaemonJournal, routes: RouteTable, work: PendingWork,
        isOpenToPages: Bool, returns: Bool
    ) {
        self.engine = engine
        self.work = work
        let kept = KeptAnswers()
        self.kept = kept
        heap = HeapTrimming {
            kept.forgetAll()
            gantry_trim_heap()
        }
        self.isOpenToPages = isOpenToPages
        self.journal = journal
        self.routes = routes
        let fields: HTTPFields = [
            "Api-Version": APIVersion.current.description, "Docker-Experimental": "false", "Ostype": "linux",
            "Server": "Gantry/\(version.version) (linux)",
        ]
        commonFields = fields
        ping = Ping(fields, returns: returns)
        // Who may ask, and what is to be told of each request, is looked at on the usual way.
        pings = isOpenToPages || !routes.answersPings ? [:] : ping.answers
    }

    /// The answers that are the same for everybody, and those that were given and hold still.
    func prepared(_ method: String, _ target: String) -> PreparedAnswer? {
        guard !isOpenToPages, !journal.notes(.debug), let answer = pings[target] ?? keptAnswer(method, target) else {
            return nil
        }
        journal.counts.add(method, answer.status)
        return answer
    }

    private func keptAnswer(_ method: String, _ target: String) -> PreparedAnswer? {
        guard method == "GET", let revision = engine.containersRevision else { return nil }
        return kept.answer(to: target, at: revision, now: .now())
    }

    /// Whether a request may give its connection up, by its route alone.
    static func mayHijack(_ method: String, _ path: String) -> Bool {
        // Asked of every request.
        guard method == "POST" else { return false }
        let segments = VersionedPath(path).path.split(separator: "/")
        guard segments.count == 3 else { return false }
        return segments[0] == "containers" && segments[2] == "attach" || segments[0] == "exec" && segments[2] == "start"
    }

    /// What the engine tells from memory, of one thing: a list asks each container, and the way back to the event loop
    /// from each would cost more than one change of threads for all. And an exec, which is to be no slower than what it
    /// runs: it is little work between what others are waited for.
    static func isBrief(_ method: String, _ path: String) -> Bool {
        let path = VersionedPath(path).path
        switch method {
        case "GET", "HEAD":
            return path == "/_ping" || path == "/version"
                || path.hasPrefix("/containers/") && path.hasSuffix("/json") && path != "/containers/json"
                || path.hasPrefix("/exec/") && path.hasSuffix("/json")
        case "POST":
            return path.hasPrefix("/containers/") && path.hasSuffix("/exec")
                || path.hasPrefix("/exec/") && path.hasSuffix("/start")
        default: return false
        }
    }

    func serve(_ request: HTTPRequest, _ writer: ResponseWriter) async {
        let versioned = VersionedPath(request.path)
        let match = routes.find(request.method, versioned.path)
        let began = clock.now
        journal.counts.begin()
        let exchange = Exchange(
            engine: engine, request: request, writer: writer, version: versioned.version ?? .current,
            parameters: match?.parameters ?? [:], query: QueryString(parsing: request.query),
            commonFields: commonFields, ping: ping, journal: journal, work: work, lists: lists,
            inspections: inspections, kept: kept)
        do {
            try refusePages(request)
            try versioned.version?.check()
            guard let match else { throw EngineError(.notFound, "page not found") }
            if match.route.isPendingWork {
                try await work.during { try await match.route.handler(exchange) }
            } else {
                try await match.route.handler(exchange)
            }
        } catch {
            await answer(error, exchange)
        }
        let elapsed = clock.now - began
        journal.counts.end(request.method, writer.status, action: match?.route.containerAction, elapsed)
        note(request, writer, elapsed)
        heap.noteRequest()
    }

    /// A page of some site may send requests to this machine, under a name that leads here. Programs that speak websocket
    /// name this very server as the page that they come from.
    private func refusePages(_ request: HTTPRequest) throws(EngineError) {
        guard isOpenToPages else { return }
        let field = request.fields["Host"] ?? ""
        let host = HostPort.read(field, defaultPort: 0)?.host ?? ""
        let origin = request.fields["Origin"]
        guard HostPort.isLoopback(host), origin == nil || origin == "http://\(field)" else {
            throw EngineError(.denied, "requests of web pages, and to other names than the loopback's, are not taken")
        }
    }

    /// Path and status alone: parameters and fields may hold what nobody is to read.
    private func note(_ request: HTTPRequest, _ writer: ResponseWriter, _ elapsed: Duration) {
        guard journal.notes(.debug) else { return }
        var fields = [("method", request.method), ("path", request.path), ("status", "\(writer.status)")]
        fields.append(("duration", "\(elapsed)"))
        if let peer = request.peer { fields += [("uid", "\(peer.uid)"), ("pid", "\(peer.pid)")] }
        journal.say(.debug, "request", fields)
    }

    private func answer(_ error: any Error, _ exchange: Exchange) async {
        let failure: EngineError
        switch error {
        case let error as EngineError: failure = error
        case TransportError.malformed(let reason):
            failure = EngineError(.invalid, "the request's body cannot be read: \(reason)")
        // The client is gone, or gives up: nobody waits for an answer.
        case is TransportError, is CancellationError: return
        default: failure = EngineError(.internal, "\(error)")
        }
        if failure.kind == .internal {
            journal.say(.error, "\(exchange.request.method) \(exchange.request.path): \(failure)")
        }
        // Where the answer has begun, its missing end tells the client that it was cut.
        guard exchange.writer.isUnanswered else { return }
        // As above: an answer that cannot be sent has nobody to read it.
        try? await exchange.send(failure)
    }
}
