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
    /// - Parameter socket: where to serve the API, other than at a socket file of this process's own.
    static func open(
        _ configuration: LocalEngineConfiguration, socket: DaemonListener?, journal: DaemonJournal
    ) async throws(EngineError) -> EngineHost? {
        var configuration = configuration
        configuration.containerOpenFiles = formerLimit
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
                engine: engine, at: socket ?? .unix(path: configuration.apiSocketPath), journal: journal)
            return EngineHost(engine: engine, server: server)
        } catch {
            await engine.close()
            throw error
        }
    }

    /// The socket first, so that nobody is told of an engine that is about to go.
    ///
    /// - Parameter patience: how long to serve on those who are visiting: short commands end meanwhile and notice
    ///   nothing; a front end takes over after it.
    func close(patience: Duration) async {
        await server.drain(atMost: patience)
        await server.stop(grace: .seconds(5))
        await engine.close()
    }
}
