import AsyncIO
import EngineAPI
import Linux
import ShimAPI
import Synchronization

/// The `TaskService` by shims: one `gantry-shim` per task, each with its directory in `RUNROOT/shims`.
///
/// Everything that it knows it can learn again from there, so a second service on the same run root, in a later
/// process, goes on with the tasks of the first.
package final class ShimTaskService: TaskService {
    /// What a shim may take to answer a greeting, unless another time is given.
    package static let patience = Duration.seconds(10)
    /// What the runtime may take for a call of this service's own, unless another time is given; a shim gives it as long.
    package static let runtimePatience = Duration.seconds(60)
    /// The same for who only wants to know how things are, and takes what was known last where a shim does not answer.
    private static let shortPatience = Duration.seconds(1)

    let launcher: ShimLauncher
    private let patience: Duration
    private let runtimePatience: Duration
    let connections: ShimConnections
    let foretold: ForetoldStreams
    private let reapers = Mutex<[Int32: Task<Void, Never>]>([:])

    /// - Parameters:
    ///   - runRoot: facts of this boot; `shims` and `runtime` below it are this service's.
    ///   - shimPath: the program `gantry-shim`.
    ///   - leases: what shims inherit, to keep alive what is kept while they are open.
    ///   - shimCgroup: where shims are, made where it is missing; nil for where this process is.
    ///   - patience: what a shim may take to answer a greeting.
    ///   - runtimePatience: what a runtime may take that this service calls itself.
    ///   - execPatience: how long an exec is awaited that was prepared.
    package init(
        runRoot: String, shimPath: String, leases: [Descriptor] = [], shimCgroup: Cgroup? = nil,
        patience: Duration = ShimTaskService.patience, runtimePatience: Duration = ShimTaskService.runtimePatience,
        execPatience: Duration = ForetoldStreams.patience
    ) {
        self.patience = patience
        self.runtimePatience = runtimePatience
        launcher = ShimLauncher(
            runRoot: runRoot, shimPath: shimPath, leases: leases, cgroup: shimCgroup.map(ShimCgroup.init))
        connections = ShimConnections(runRoot: runRoot, patience: patience)
        foretold = ForetoldStreams(patience: execPatience)
    }

    deinit {
        // A shim outlives this service; where this process goes on, its zombie is init's only after that.
        for reaper in reapers.withLock({ $0 }).values { reaper.cancel() }
    }

    package var reports: AsyncStream<TaskReport> { connections.reports }

    package func create(_ spec: TaskSpec) async throws(EngineError) -> TaskFacts {
        let directory = try directory(spec.id)
        let launcher = self.launcher
        let pid = try await BlockingPool.shared.run { () throws(EngineError) in
            try launcher.launch(spec, in: directory)
        }
        // A shim that has ended already needs no ending; unreaped, it still has its number.
        let shim = (try? ProcessStat.read(pid: pid)).map { ProcessIdentity(pid: pid, startTicks: $0.startTicks) }
        reapShim(pid)
        do {
            return try await createContainer(spec, directory)
        } catch {
            connections.forget(spec.id)
            var remains = remains(directory)
            // One that does not answer may not have written down yet who it is.
            remains.launchedShim = shim
            // The shim has undone what it did, unless it was killed; then this does. Its failure would hide the cause.
            try? await remains.remove()
            throw error
        }
    }

    package func start(_ id: String) async throws(EngineError) {
        _ = try await connections.connection(id).request(.start)
    }

    package func kill(_ id: String, execID: String?, signal: Int32) async throws(EngineError) {
        let isUnreachable = connections.isSought(id)
        do throws(EngineError) {
            if isUnreachable, execID == nil { return try await signalDirectly(id, signal) }
            let request = ShimRequest.kill(execID: execID, signal: signal)
            _ = try await connections.connection(id).request(request, isAnsweredAtOnce: true)
        } catch {
            guard error.kind == .unavailable, execID == nil, !isUnreachable else { throw error }
            try await signalDirectly(id, signal)
        }
    }

    package func killAll(_ id: String, _ traces: TaskTraces, reporting: Bool) async throws(EngineError) {
        if !reporting { connections.expectEnd(of: id) }
        let remains = remains(try directory(id), traces)
        try await remains.killAll()
        if await connections.isSilent(id) { await remains.endShim() }
    }

    package func pause(_ id: String) async throws(EngineError) {
        _ = try await connections.connection(id).request(.pause)
    }

    package func resume(_ id: String) async throws(EngineError) {
        _ = try await connections.connection(id).request(.resume)
    }

    package func update(_ id: String, resources: [UInt8]) async throws(EngineError) {
        let change = LimitChange(directory: try directory(id), resources: resources)
        try await change.perform(within: runtimePatience)
    }

    package func serveNames(_ id: String) async throws(EngineError) {
        _ = try await connections.connection(id).request(.serveNames)
    }

    package func delete(_ id: String, _ traces: TaskTraces) async throws(EngineError) {
        let directory = try directory(id)
        await foretold.forget(id)
        var isDone = false
        do {
            let connection = try await connections.connection(id)
            connections.expectEnd(of: id)
            _ = try await connection.request(.delete)
            isDone = true
        } catch {
            switch error.kind {
            // No shim, or one that was killed meanwhile: the rest is this service's to do.
            case .notFound, .unavailable: break
            default:
                connections.expectNoEnd(of: id)
                throw error
            }
        }
        connections.forget(id)
        if !isDone || directory.exists { try await remains(directory, traces).remove() }
        connections.expectNoEnd(of: id)
    }

    package func survey() async throws(EngineError) -> [TaskFacts] {
        let runRoot = launcher.runRoot
        let ids: [String]
        do {
            ids = try await BlockingPool.shared.run { () throws(KernelError) in try ShimDirectory.all(below: runRoot) }
        } catch { throw EngineError(error, task: runRoot) }
        let answers = await withTaskGroup(of: Result<TaskFacts?, EngineError>.self) { group in
            for id in ids {
                group.addTask { await self.survey(id, patience: min(self.patience, Self.shortPatience)) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        var found: [TaskFacts] = []
        for answer in answers {
            switch answer {
            case .success(let facts): if let facts { found.append(facts) }
            case .failure(let error): throw error
            }
        }
        return found.sorted { $0.id < $1.id }
    }
}

extension ShimTaskService {
    func directory(_ id: String) throws(EngineError) -> ShimDirectory {
        try ShimDirectory(id: id, runRoot: launcher.runRoot)
    }

    private func remains(_ directory: ShimDirectory, _ traces: TaskTraces = TaskTraces()) -> TaskRemains {
        var remains = TaskRemains(
            id: directory.id, directory: directory, runtimeRoot: launcher.runtimeRoot, traces: traces)
        remains.runtimePatience = runtimePatience
        return remains
    }

    /// A signal for the init process, not by its shim.
    private func signalDirectly(_ id: String, _ number: Int32) async throws(EngineError) {
        let directory = try directory(id)
        let isSent = await BlockingPool.shared.run { () -> Bool in
            guard let initial = directory.initRecord?.process else { return false }
            do throws(KernelError) {
                let process = OwnedDescriptor(try PidFD.open(pid: initial.pid, startTicks: initial.startTicks))
                try PidFD.send(number, to: process.descriptor)
                return true
            } catch { return false }  // It has ended, or another has its number.
        }
        if !isSent { throw EngineError(.conflict, "container \(id) is not running", object: id) }
    }

    private func createContainer(_ spec: TaskSpec, _ directory: ShimDirectory) async throws(EngineError) -> TaskFacts {
        let connection = try await connections.begin(directory, by: [.subscribe, .create])
        let shimStartedAt = Timestamp.now()
        _ = try await connection.answer(toFirst: 0)
        let answer = try await connection.answer(toFirst: 1)
        guard case .facts(let facts) = answer else { throw unexpected(answer, spec.id) }
        var made = TaskFacts(id: spec.id, facts, shim: connection.shim)
        made.shimStartedAt = shimStartedAt
        return made
    }

    package func survey(_ id: String) async throws(EngineError) -> TaskFacts? {
        try await facts(id, patience: patience)
    }

    private func survey(_ id: String, patience: Duration) async -> Result<TaskFacts?, EngineError> {
        do throws(EngineError) { return .success(try await facts(id, patience: patience)) } catch {
            return .failure(error)
        }
    }

    /// What a shim says of its task, else what its files say; nil where the directory went away meanwhile.
    private func facts(_ id: String, patience: Duration) async throws(EngineError) -> TaskFacts? {
        guard let directory = try? directory(id) else { return nil }  // No file name: none of ours.
        let isGone: Bool
        do throws(EngineError) {
            let isStopped = await BlockingPool.shared.run { directory.initRecord?.shimIsStopped == true }
            if isStopped { throw EngineError(.unavailable, "the shim of \(id) is stopped", object: id) }
            let connection = try await connections.connection(id, greeting: patience)
            if case .facts(let facts) = try await connection.request(.survey, isAnsweredAtOnce: true) {
                return TaskFacts(id: id, facts, shim: connection.shim).withStart
            }
            isGone = false
        } catch { isGone = error.kind == .notFound }
        let facts: TaskFacts?
        do {
            facts = try await BlockingPool.shared.run { () throws(KernelError) in
                try directory.facts(isGone: isGone)
            }
        } catch { throw EngineError(error, task: id) }
        if facts?.status == .unreachable { connections.search(for: directory) }
        return facts?.withStart
    }

    /// A shim is a child of the process that started it: its end must be taken note of, or it stays as a zombie.
    private func reapShim(_ pid: Int32) {
        let reaper = Task { [weak self] in
            // Cancelled with the service.
            _ = try? await ChildProcess.reap(pid)
            self?.reapers.withLock { _ = $0.removeValue(forKey: pid) }
        }
        reapers.withLock { $0[pid] = reaper }
    }

    func unexpected(_ answer: ShimAnswer, _ id: String) -> EngineError {
        EngineError(.internal, "the shim of \(id) gave an answer to another question: \(answer)", object: id)
    }
}
