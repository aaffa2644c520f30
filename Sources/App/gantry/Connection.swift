import CLI
import EngineAPI
import LocalEngine
import RemoteEngine
import Synchronization

/// What options, the environment and docker's contexts choose: our own engine, or another behind Docker's API.
actor Connection {
    private let options: GlobalOptions
    private let configuration: LocalEngineConfiguration
    /// Nil until our own engine was first asked for.
    private let seat = Mutex<EngineSeat?>(nil)
    private var remote: DockerEngine?
    private let hostingBegan: @Sendable () -> Void

    /// - Parameter hostingBegan: called once this process hosts our own engine.
    init(
        _ options: GlobalOptions, _ configuration: LocalEngineConfiguration,
        hostingBegan: @escaping @Sendable () -> Void
    ) {
        self.options = options
        self.configuration = configuration
        self.hostingBegan = hostingBegan
    }

    func engine() throws(EngineError) -> any Engine {
        if let remote { return remote }
        switch try chosen() {
        case .own: return FailoverEngine(seat: ownSeat())
        case .remote(let address):
            let engine = DockerEngine(address: address)
            remote = engine
            return engine
        }
    }

    /// Whether this process hosts our own engine now, whichever it drives.
    nonisolated var isHosting: Bool { seat.withLock { $0 }?.hosted != nil }

    func runDaemon(_ daemon: CommandEnvironment.DaemonOptions) async throws(EngineError) -> Int32 {
        guard options.host == nil, options.context == nil else {
            throw EngineError(
                .invalid, "`-H` and `--context` before `daemon` name an engine to drive; give a socket after it")
        }
        let mode = try DaemonMode(configuration, daemon, logLevel: options.logLevel)
        let made = EngineSeat(mode.configuration, socket: mode.ownSocket, journal: mode.journal, returns: true)
        seat.withLock { $0 = made }
        return try await mode.run(made)
    }

    /// Joins standard input and output to the API of the engine that is meant.
    func dialStdio() async throws(EngineError) {
        switch try chosen() {
        case .own:
            // Whoever hosts the engine serves its socket; where nobody does, this process is the one.
            _ = try await FailoverEngine(seat: ownSeat()).version()
            try await StdioRelay.run(socketPath: configuration.apiSocketPath)
        case .remote(let address):
            guard case .unix(let path) = address.endpoint else {
                throw EngineError(
                    .unsupported,
                    "standard input and output can be joined to a Unix socket alone, not to "
                        + "`\(address.host)`", object: address.host)
            }
            try await StdioRelay.run(socketPath: path)
        }
    }

    /// Whose engine is meant: an address, or a context's name.
    func hostName() throws(EngineError) -> String {
        let chooser = EngineChooser(options, environment: Settings.environment)
        if let host = options.host { return host }
        if let name = try chooser.contextName() { return name }
        return chooser.environmentHost ?? ContextStore.defaultName
    }

    /// The contexts of docker's store by name and address, the default first.
    func contexts() throws(EngineError) -> [(name: String, address: String)] {
        let store = EngineChooser(options, environment: Settings.environment).store
        return [(ContextStore.defaultName, "the engine here")] + (try store.all()).map { ($0.name, $0.host) }
    }

    /// The engine of a context, whatever the options chose.
    func engine(of context: String) throws(EngineError) -> any Engine {
        var options = options
        (options.host, options.context) = (nil, context)
        switch try EngineChooser(options, environment: Settings.environment).choice() {
        case .own: return FailoverEngine(seat: ownSeat())
        case .remote(let address): return DockerEngine(address: address)
        }
    }

    private func chosen() throws(EngineError) -> EngineChoice {
        try EngineChooser(options, environment: Settings.environment).choice()
    }

    /// - Parameter parting: how long those who visit the engine hosted here are served on.
    func close(_ parting: Parting) async { await seat.withLock { $0 }?.close(parting) }

    private func ownSeat() -> EngineSeat {
        seat.withLock { seat in
            let made = seat ?? EngineSeat(configuration, began: hostingBegan)
            seat = made
            return made
        }
    }
}
