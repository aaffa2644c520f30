import EngineAPI

/// A further process of a container. Remembered for a while after its end.
struct ExecRecord: Sendable {
    enum Phase: Hashable, Sendable {
        case created, starting
        case running(pid: Int32)
        /// Started by a former engine, and over: how it ended is still to be told.
        case unseen
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
    /// How far it has come by what is noted of it.
    var noted = ExecNotes.Progress.created

    init(id: String, spec: ExecSpec) {
        self.id = id
        self.spec = spec
    }

    /// One that a former engine has noted.
    ///
    /// - Parameter pid: that of its process; nil where none runs.
    init(id: String, spec: ExecSpec, _ progress: ExecNotes.Progress, pid: Int32?) {
        self.init(id: id, spec: spec)
        noted = progress
        switch (progress, pid) {
        case (_, let pid?): phase = .running(pid: pid)
        case (.created, nil): break
        case (.started, nil): phase = .unseen
        case (.exited(let code), nil): phase = .exited(code: code, pid: 0)
        }
        if phase != .created, pid == nil { endedAt = .now }
    }

    /// Its process runs, or is yet to be started.
    var isUnended: Bool {
        switch phase {
        case .created, .starting, .running: true
        case .unseen, .exited: false
        }
    }

    /// How far it has come, as it is noted.
    var progress: ExecNotes.Progress {
        switch phase {
        case .created: .created
        case .starting, .running, .unseen: .started
        case .exited(let code, _): .exited(code: code)
        }
    }

    /// What a client of it has of its stdio.
    var attachment: AttachRequest {
        // There is no log that would have what is lost here.
        AttachRequest(
            stdin: spec.attachStdin, stdout: spec.attachStdout, stderr: spec.attachStderr, holdsBack: true)
    }

    /// Whoever wants to know how it ended asks within five minutes, as with docker.
    func isForgotten(at now: ContinuousClock.Instant) -> Bool {
        guard let endedAt else { return false }
        return now - endedAt > .seconds(300)
    }

    func details(containerID: String) -> ExecDetails {
        var (running, code, pid): (Bool, Int32?, Int32) = (false, nil, 0)
        switch phase {
        case .created, .starting, .unseen: break
        case .running(let number): (running, pid) = (true, number)
        case .exited(let exit, let number): (code, pid) = (exit, number)
        }
        return ExecDetails(
            id: id, containerID: containerID, spec: spec, running: running, exitCode: code, pid: pid)
    }
}

/// The execs of a container, by id. Of thousands that follow one another few are not over at any time, and to find these,
/// as each inspection of the container does, the others are not looked at.
struct ExecTable: Sendable {
    private var records: [String: ExecRecord] = [:]
    private(set) var unendedIDs: Set<String> = []

    var all: some Collection<ExecRecord> { records.values }

    subscript(_ id: String) -> ExecRecord? {
        get { records[id] }
        set {
            records[id] = newValue
            if newValue?.isUnended == true { unendedIDs.insert(id) } else { unendedIDs.remove(id) }
        }
    }
}
