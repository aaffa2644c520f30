import EngineAPI

/// Runs containers' processes, each container under a shim of its own that outlives this process.
///
/// A *task* is a container's set of processes from `create` to `delete`; an *exec* is a further process in it. Ids are
/// the container's and the exec's. Calls for different tasks run at once; the caller makes sure that calls that change
/// one task do not overlap. Errors are `EngineError`, with the runtime's own words as the reason.
public protocol TaskService: Sendable {
    /// Starts a shim and lets the runtime create the container; the process waits for `start`.
    ///
    /// On failure nothing is left: no shim, mount, cgroup or file. `commandNotFound` and `commandNotExecutable` where
    /// the runtime says so (it may only at `start`).
    func create(_ spec: TaskSpec) async throws(EngineError) -> TaskFacts
    /// Lets the created process run its program.
    func start(_ id: String) async throws(EngineError)
    /// Sends a signal to the init process or to an exec's process; `conflict` where it has ended. The init process gets it
    /// also where its shim does not answer; it may then come twice.
    func kill(_ id: String, execID: String?, signal: Int32) async throws(EngineError)
    /// Ends every process of the task at once, by its cgroup; returns when none is left. Works without a shim too; one that
    /// does not answer is ended as well, since it would not tell of the end.
    ///
    /// - Parameter reporting: whether the end is reported; not where the task is deleted next, lest the report be taken for
    ///   one of the next task with that id.
    func killAll(_ id: String, _ traces: TaskTraces, reporting: Bool) async throws(EngineError)
    func pause(_ id: String) async throws(EngineError)
    /// Gives a task that has been created other limits.
    ///
    /// - Parameter resources: the OCI `resources` object, as JSON text, as the runtime's `update --resources` reads it.
    func update(_ id: String, resources: [UInt8]) async throws(EngineError)
    func resume(_ id: String) async throws(EngineError)

    /// Begins with what can be done for an exec before it is known, since `exec` with that id is likely to follow soon. Does
    /// not wait for that, and tells of no failure; what was begun in vain ends by itself.
    ///
    /// - Parameters:
    ///   - attachment: what `attach` is likely to be asked for; nil where it is not.
    ///   - process: finds out what `exec` is likely to be asked for; nil where that cannot be said. If another exec follows,
    ///     this was in vain.
    func prepareExec(
        _ id: String, execID: String, terminal: Bool, input: TaskSpec.Input, attachment: AttachRequest?,
        process: @escaping @Sendable () async -> ExecTaskSpec?) async
    /// Starts a further process; returns its pid in the host's namespace.
    func exec(_ id: String, _ exec: ExecTaskSpec) async throws(EngineError) -> Int32
    func resize(_ id: String, execID: String?, to size: TerminalSize) async throws(EngineError)
    /// Connects to the stdio of the init process or of an exec. Possible between `create` and `start`, and for an exec
    /// before `exec` starts it, so that no byte is missed. `request.logs` shows first what a terminal showed last, and what
    /// an exec wrote before anybody attached, which is kept for ten seconds; the log itself is a file that the caller reads.
    func attach(_ id: String, execID: String?, _ request: AttachRequest) async throws(EngineError)
        -> any AttachedStream
    /// Connects to an exec that has ended: `request.logs` shows what it wrote once those who were attached were gone together
    /// with their engine, which is kept for ten seconds. `conflict` where nothing is kept of it.
    func attach(_ id: String, endedExecID: String, _ request: AttachRequest) async throws(EngineError)
        -> any AttachedStream

    /// Lets the shim answer names at 127.0.0.11 of a running container, by the file that `create` named.
    func serveNames(_ id: String) async throws(EngineError)

    /// Removes a task whose processes have ended: the runtime's record, mounts, cgroup, shim, files of the run root.
    /// Succeeds where parts, or all of it, are gone already.
    func delete(_ id: String, _ traces: TaskTraces) async throws(EngineError)

    /// What this boot's run root holds, asked of the shims that answer: the input of recovery. Throws rather than to take
    /// for lost what it only cannot look at.
    ///
    /// Who does not answer soon is told of as `unreachable`: whoever wants to list what runs is not kept waiting.
    func survey() async throws(EngineError) -> [TaskFacts]
    /// The same of one task, with all the patience there is; nil where there is none.
    func survey(_ id: String) async throws(EngineError) -> TaskFacts?

    /// What happened to tasks since this service was made, in order per task; ends of execs of the minutes before it, too,
    /// and of those perhaps more than once. One consumer.
    var reports: AsyncStream<TaskReport> { get }
}

extension TaskService {
    package func killAll(_ id: String) async throws(EngineError) {
        try await killAll(id, TaskTraces(), reporting: true)
    }
    package func delete(_ id: String) async throws(EngineError) { try await delete(id, TaskTraces()) }
    public func prepareExec(
        _ id: String, execID: String, terminal: Bool, input: TaskSpec.Input, attachment: AttachRequest?,
        process: @escaping @Sendable () async -> ExecTaskSpec?
    ) async {}
}
