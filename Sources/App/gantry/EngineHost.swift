import Daemon
import EngineAPI
import LocalEngine

/// The engine hosted by this process, and its API socket for those who come later.
struct EngineHost: Sendable {
    let engine: GantryEngine
    private let server: DaemonServer

    /// Nil where another process holds the data root.
    static func open(_ configuration: LocalEngineConfiguration) async throws(EngineError) -> EngineHost? {
        let engine: GantryEngine
        do throws(GantryEngine.OpenError) {
            engine = try await GantryEngine(configuration, note: Complaint.say)
        } catch {
            switch error {
            case .inUse: return nil
            case .failed(let failure): throw failure
            }
        }
        do throws(EngineError) {
            let server = try await DaemonServer.start(
                engine: engine, socketPath: configuration.apiSocketPath, report: Complaint.say)
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
