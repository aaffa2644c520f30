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

    private struct State {
        var connections: [String: ShimConnection] = [:]
        /// Tasks whose shim shall end, or whose exit was told: the end of their connection is no news.
        var expectedEnds: Set<String> = []
        var reapers: [Int32: Task<Void, Never>] = [:]
        /// For shims that live and did not answer: nobody has heard yet of what they have to tell.
        var searches: [String: Task<Void, Never>] = [:]
    }

    package let reports: AsyncStream<TaskReport>
    private let reporting: AsyncStream<TaskReport>.Continuation
    private let launcher: ShimLauncher
    private let patience: Duration
    private let runtimePatience: Duration
    private let state = Mutex(State())

    /// - Parameters:
    ///   - runRoot: facts of this boot; `shims` and `runtime` below it are this service's.
    ///   - shimPath: the program `gantry-shim`.
    ///   - leases: what shims inherit, to keep alive what is kept while they are open.
    ///   - patience: what a shim may take to answer a greeting.
    ///   - runtimePatience: what a runtime may take that this service calls itself.
    package init(
        runRoot: String, shimPath: String, leases: [Descriptor] = [], patience: Duration = ShimTaskService.patience,
        runtimePatience: Duration = ShimTaskService.runtimePatience
    ) {
        self.patience = patience
        self.runtimePatience = runtimePatience
        launcher = ShimLauncher(runRoot: runRoot, shimPath: shimPath, leases: leases)
        (reports, reporting) = AsyncStream.makeStream(of: TaskReport.self)
    }

    deinit {
        let state = self.state.withLock { $0 }
        for connection in state.connections.values { connection.close() }
        // A shim outlives this service; where this process goes on, its zombie is init's only after that.
        for reaper in state.reapers.values { reaper.cancel() }
        for search in state.searches.values { search.cancel() }
        reporting.finish()
    }

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
            await forget(spec.id)
            var remains = remains(directory)
            // One that does not answer may not have written down yet who it is.
            remains.launchedShim = shim
            // The shim has undone what it did, unless it was killed; then this does. Its failure would hide the cause.
            try? await remains.remove()
            throw error
        }
    }

    package func start(_ id: String) async throws(EngineError) {
        _ = try await connection(id).request(.start)
    }

    package func kill(_ id: String, execID: String?, signal: Int32) async throws(EngineError) {
        let isUnreachable = state.withLock { $0.connections[id] == nil && $0.searches[id] != nil }
        do throws(EngineError) {
            if isUnreachable, execID == nil { return try await signalDirectly(id, signal) }
            let request = ShimRequest.kill(execID: execID, signal: signal)
            _ = try await connection(id).request(request, isAnsweredAtOnce: true)
        } catch {
            guard error.kind == .unavailable, execID == nil, !isUnreachable else { throw error }
            try await signalDirectly(id, signal)
        }
    }

    package func killAll(_ id: String, _ traces: TaskTraces) async throws(EngineError) {
        let remains = remains(try directory(id), traces)
        try await remains.killAll()
        if await isSilent(id) { await remains.endShim() }
    }

    package func pause(_ id: String) async throws(EngineError) {
        _ = try await connection(id).request(.pause)
    }

    package func resume(_ id: String) async throws(EngineError) {
        _ = try await connection(id).request(.resume)
    }

    package func update(_ id: String, resources: [UInt8]) async throws(EngineError) {
        let change = LimitChange(directory: try directory(id), resources: resources)
        try await change.perform(within: runtimePatience)
    }

    package func exec(_ id: String, _ exec: ExecTaskSpec) async throws(EngineError) -> Int32 {
        let request = ShimExec(
            id: exec.id, process: exec.process, terminal: exec.terminal, columns: exec.initialSize?.columns ?? 0,
            rows: exec.initialSize?.rows ?? 0, input: ShimInput(exec.input))
        // A shim hangs up on who sends more, and so would all that is asked for at the time.
        guard request.fits else {
            throw EngineError(
                .invalid,
                "exec in container \(id): argument list too long: its process takes \(exec.process.count) bytes",
                object: id)
        }
        let answer = try await connection(id).request(.exec(request))
        guard case .process(let process) = answer else { throw unexpected(answer, id) }
        return process.pid
    }

    package func prepareExec(_ id: String, execID: String, terminal: Bool, input: TaskSpec.Input) async {
        // Without a shim that can be reached there is nothing to prepare; the exec says why.
        guard let connection = try? await connection(id), connection.version >= 3 else { return }
        connection.tell(.prepareExec(id: execID, terminal: terminal, input: ShimInput(input)))
    }

    package func serveNames(_ id: String) async throws(EngineError) {
        _ = try await connection(id).request(.serveNames)
    }

    package func resize(_ id: String, execID: String?, to size: TerminalSize) async throws(EngineError) {
        let request = ShimRequest.resize(execID: execID, columns: size.columns, rows: size.rows)
        _ = try await connection(id).request(request)
    }

    package func attach(
        _ id: String, execID: String?, _ request: AttachRequest
    ) async throws(EngineError) -> any AttachedStream {
        var attach = ShimAttach(
            execID: execID, stdin: request.stdin, stdout: request.stdout, stderr: request.stderr, replay: request.logs)
        attach.holdsBack = request.holdsBack
        return try await ShimAttachedStream.open(try directory(id), attach)
    }

    package func delete(_ id: String, _ traces: TaskTraces) async throws(EngineError) {
        let directory = try directory(id)
        var isDone = false
        do {
            let connection = try await connection(id)
            state.withLock { _ = $0.expectedEnds.insert(id) }
            _ = try await connection.request(.delete)
            isDone = true
        } catch {
            switch error.kind {
            // No shim, or one that was killed meanwhile: the rest is this service's to do.
            case .notFound, .unavailable: break
            default:
                state.withLock { _ = $0.expectedEnds.remove(id) }
                throw error
            }
        }
        await forget(id)
        if !isDone || directory.exists { try await remains(directory, traces).remove() }
        state.withLock { _ = $0.expectedEnds.remove(id) }
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
    private func directory(_ id: String) throws(EngineError) -> ShimDirectory {
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

    /// Whether a shim that should be there does not answer.
    private func isSilent(_ id: String) async -> Bool {
        let (connection, isSought) = state.withLock { ($0.connections[id], $0.searches[id] != nil) }
        guard let connection else { return isSought }
        do throws(EngineError) {
            _ = try await connection.request(.survey, isAnsweredAtOnce: true)
            return false
        } catch { return error.kind == .unavailable }
    }

    private func createContainer(_ spec: TaskSpec, _ directory: ShimDirectory) async throws(EngineError) -> TaskFacts {
        let connection = try await connect(directory, greeting: patience, first: [.subscribe, .create])
        let shimStartedAt = Timestamp.now()
        state.withLock { $0.connections[spec.id] = connection }
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
            let connection = try await connection(id, greeting: patience)
            if case .facts(let facts) = try await connection.request(.survey, isAnsweredAtOnce: true) {
                return TaskFacts(id: id, facts, shim: connection.shim).withStart
            }
            isGone = false
        } catch { isGone = error.kind == .notFound }
        let facts: TaskFacts?
        do {
            facts = try await BlockingPool.shared.run { () throws(KernelError) in
                try Self.facts(of: directory, isGone: isGone)
            }
        } catch { throw EngineError(error, task: id) }
        if facts?.status == .unreachable { search(for: directory) }
        return facts?.withStart
    }

    /// - Parameter isGone: nobody listens where the shim did.
    private static func facts(of directory: ShimDirectory, isGone: Bool) throws(KernelError) -> TaskFacts? {
        guard directory.exists else { return nil }
        let (initial, exit) = try directory.records()
        var facts = TaskFacts(id: directory.id, status: .lost)
        facts.initial = initial.map { ProcessIdentity($0.process) }
        if let exit {
            facts.status = .stopped
            facts.exit = TaskExit(exit.exit)
        } else if !isGone, let initial, try initial.shimLives {
            facts.status = .unreachable
            facts.shim = ProcessIdentity(initial.shim)
        }
        return facts
    }

    /// The task's connection; a task that another service started is connected to here first, and reports from then on.
    private func connection(_ id: String, greeting: Duration? = nil) async throws(EngineError) -> ShimConnection {
        if let known = state.withLock({ $0.connections[id] }) { return known }
        let directory = try directory(id)
        let made = try await connect(directory, greeting: greeting ?? patience)
        let winner = state.withLock { state -> ShimConnection in
            if let other = state.connections[id] { return other }
            state.connections[id] = made
            return made
        }
        guard winner === made else {
            made.close()
            return winner
        }
        let answer = try await made.request(.subscribe, isAnsweredAtOnce: true)
        if case .facts(let facts) = answer, let exit = facts.exit {
            if state.withLock({ $0.searches[id] != nil }) {
                reportExit(id, TaskExit(exit))
            } else {
                // An end before this moment is in the survey's facts, and no report of this service.
                state.withLock { _ = $0.expectedEnds.insert(id) }
            }
        }
        return made
    }

    private func connect(
        _ directory: ShimDirectory, greeting: Duration, first: [ShimRequest] = []
    ) async throws(EngineError) -> ShimConnection {
        try await ShimConnection(
            to: directory, greeting: greeting, patience: patience, first: first
        ) { [weak self] connection, notice in
            await self?.notice(notice, of: connection, directory)
        }
    }

    private func notice(
        _ notice: ShimConnection.Notice, of connection: ShimConnection, _ directory: ShimDirectory
    ) async {
        let id = connection.id
        switch notice {
        case .report(.exited(let exit)): reportExit(id, TaskExit(exit))
        case .report(.execExited(let execID, let exit)):
            reporting.yield(.execExited(id: id, execID: execID, TaskExit(exit)))
        case .report(.outOfMemory): reporting.yield(.outOfMemory(id: id))
        case .ended:
            let isExpected = state.withLock { state in
                guard state.connections[id] === connection else { return true }
                state.connections[id] = nil
                return state.expectedEnds.contains(id)
            }
            if !isExpected { search(for: directory) }
        }
    }

    /// Tries to reach a shim until it answers, or is gone: then tells what became of its task.
    private func search(for directory: ShimDirectory) {
        let id = directory.id
        let pause = patience / 10
        state.withLock { state in
            guard state.searches[id] == nil else { return }
            state.searches[id] = Task { [weak self] in
                while await self?.isFound(directory) == false {
                    // Cancelled with the service, and with the task's removal.
                    do { try await Task.sleep(for: pause) } catch { return }
                }
            }
        }
    }

    /// Whether the search is over.
    private func isFound(_ directory: ShimDirectory) async -> Bool {
        let id = directory.id
        do { _ = try await connection(id) } catch {
            let isGone = error.kind == .notFound
            let facts: TaskFacts?
            do {
                facts = try await BlockingPool.shared.run { () throws(KernelError) in
                    try Self.facts(of: directory, isGone: isGone)
                }
            } catch { return false }  // What cannot be looked at now may be later.
            if facts?.status == .unreachable { return false }
            guard !Task.isCancelled else { return true }
            if let exit = facts?.exit {
                reportExit(id, exit)
            } else if !state.withLock({ $0.expectedEnds.contains(id) }) {
                reporting.yield(.shimLost(id: id))
            }
        }
        // After the task's removal the place may be that of another search.
        guard !Task.isCancelled else { return true }
        state.withLock { _ = $0.searches.removeValue(forKey: id) }
        return true
    }

    private func reportExit(_ id: String, _ exit: TaskExit) {
        let isNew = state.withLock { $0.expectedEnds.insert(id).inserted }
        if isNew { reporting.yield(.exited(id: id, exit)) }
    }

    private func forget(_ id: String) async {
        let connection = state.withLock { state in
            state.expectedEnds.remove(id)
            state.searches.removeValue(forKey: id)?.cancel()
            return state.connections.removeValue(forKey: id)
        }
        connection?.close()
    }

    /// A shim is a child of the process that started it: its end must be taken note of, or it stays as a zombie.
    private func reapShim(_ pid: Int32) {
        let reaper = Task { [weak self] in
            // Cancelled with the service.
            _ = try? await ChildProcess.reap(pid)
            self?.state.withLock { _ = $0.reapers.removeValue(forKey: pid) }
        }
        state.withLock { $0.reapers[pid] = reaper }
    }

    private func unexpected(_ answer: ShimAnswer, _ id: String) -> EngineError {
        EngineError(.internal, "the shim of \(id) gave an answer to another question: \(answer)", object: id)
    }
}
