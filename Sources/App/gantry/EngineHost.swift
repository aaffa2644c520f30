import Daemon
import EngineAPI
import Linux
import LocalEngine

/// The engine hosted by this process, and its API socket for those who come later.
struct EngineHost: Sendable {
    let engine: GantryEngine
    private let server: DaemonServer
    /// Raised once, before the first attempt: each container and each client takes some.
    private static let formerLimit = OpenFileLimit.raise()

    /// Nil where another process holds the data root.
    ///
    /// - Parameters:
    ///   - socket: where to serve the API, other than at a socket file of this process's own.
    ///   - returns: whether clients may expect another host in its place, at once: a daemon's.
    ///   - startsByPolicy: whether it is a daemon's start, to which restart policies give a meaning.
    static func open(
        _ configuration: LocalEngineConfiguration, socket: DaemonListener?, journal: DaemonJournal, returns: Bool,
        startsByPolicy: Bool
    ) async throws(EngineError) -> EngineHost? {
        var configuration = configuration
        configuration.containerOpenFiles = formerLimit
        configuration.startsByPolicy = startsByPolicy
        let engine: GantryEngine
        do throws(GantryEngine.OpenError) {
            engine = try await GantryEngine(configuration, note: { journal.say(.warning, $0) })
        } catch {
            switch error {
            case .inUse: return nil
            case .failed(let failure): throw failure
            }
        }
        do throws(EngineError) {
            let server = try await DaemonServer.start(
                engine: engine, at: socket ?? .unix(path: configuration.apiSocketPath), journal: journal,
                returns: returns)
            return EngineHost(engine: engine, server: server)
        } catch {
            await engine.close()
            throw error
        }
    }

    /// The socket first, so that nobody is told of an engine that is about to go.
    ///
    /// - Parameter parting: how long it serves on. Cancelled, it serves no longer on what is pending.
    func close(_ parting: Parting) async {
        await server.drain(atMost: parting.patience)
        if parting.waitsForWork, server.work.count > 0 {
            parting.tell(server.work.count)
            await server.work.waitUntilNone()
        }
        await server.stop(grace: .seconds(5))
        await engine.close()
    }
}

/// How the process that hosts the engine takes leave of those who use it, too.
struct Parting: Sendable {
    /// How long to serve on those who are visiting: short commands end meanwhile and notice nothing; a front end takes
    /// over after it.
    var patience: Duration
    /// Whether to serve on, for as long as it takes, what the next host could not go on with.
    var waitsForWork: Bool
    /// Is told how much of that there is.
    var tell: @Sendable (Int) -> Void = { _ in }
}
