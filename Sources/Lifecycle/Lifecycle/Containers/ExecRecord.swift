import EngineAPI

/// A further process of a container. Remembered for a while after its end; not kept over a restart of the engine.
struct ExecRecord: Sendable {
    enum Phase: Hashable, Sendable {
        case created, starting
        case running(pid: Int32)
        case exited(code: Int32, pid: Int32)
    }

    let id: String
    let spec: ExecSpec
    var phase = Phase.created {
        didSet { if case .exited = phase { endedAt = .now } }
    }
    private var endedAt: ContinuousClock.Instant?
    /// The end came before the start was answered.
    var earlyExit: Int32?

    init(id: String, spec: ExecSpec) {
        self.id = id
        self.spec = spec
    }

    /// Whoever wants to know how it ended asks within five minutes, as with docker.
    func isForgotten(at now: ContinuousClock.Instant) -> Bool {
        guard let endedAt else { return false }
        return now - endedAt > .seconds(300)
    }

    func details(containerID: String) -> ExecDetails {
        var (running, code, pid): (Bool, Int32?, Int32) = (false, nil, 0)
        switch phase {
        case .created, .starting: break
        case .running(let number): (running, pid) = (true, number)
        case .exited(let exit, let number): (code, pid) = (exit, number)
        }
        return ExecDetails(
            id: id, containerID: containerID, spec: spec, running: running, exitCode: code, pid: pid)
    }
}
