import CLI
import EngineAPI
import RemoteEngine

/// What `--root`, `-H` and the environment choose: our own engine, or another behind Docker's API.
///
/// `DOCKER_HOST` is not read: who has it set for docker would find docker's containers here without having asked.
actor Connection {
    private let options: GlobalOptions
    private var seat: EngineSeat?
    private var remote: DockerEngine?

    init(_ options: GlobalOptions) { self.options = options }

    func engine() throws(EngineError) -> any Engine {
        if let host = options.host ?? Settings.variable("GANTRY_HOST") {
            if let remote { return remote }
            let engine = try DockerEngine(host: host)
            remote = engine
            return engine
        }
        return FailoverEngine(seat: ownSeat())
    }

    func runDaemon(hosts: [String]) async throws(EngineError) -> Int32 {
        guard options.host == nil else {
            throw EngineError(.invalid, "`-H` before `daemon` names an engine to drive; give the socket after it")
        }
        return try await DaemonMode.run(ownSeat(), Settings.configuration(options), hosts: hosts)
    }

    /// - Parameter patience: how long those who visit the engine hosted here are served on.
    func close(patience: Duration) async { await seat?.close(patience: patience) }

    private func ownSeat() -> EngineSeat {
        let made = seat ?? EngineSeat(Settings.configuration(options))
        seat = made
        return made
    }
}
