import AsyncIO
import EngineAPI
import Linux
import ShimAPI
import Synchronization

/// The control connections to the shims of a run root, one for each that answers, and what comes by them: reports, and at the
/// end that a shim is gone.
///
/// Who does not answer is sought until it does, or has gone: nobody has heard yet of what it has to tell.
final class ShimConnections: Sendable {
    private struct State {
        var connections: [String: ShimConnection] = [:]
        /// Tasks whose shim shall end, or whose exit was told: the end of their connection is no news.
        var expectedEnds: Set<String> = []
        var searches: [String: Task<Void, Never>] = [:]
    }

    let reports: AsyncStream<TaskReport>
    private let reporting: AsyncStream<TaskReport>.Continuation
    private let runRoot: String
    private let patience: Duration
    private let state = Mutex(State())

    /// - Parameter patience: what a shim may take for what it answers at once.
    init(runRoot: String, patience: Duration) {
        (self.runRoot, self.patience) = (runRoot, patience)
        (reports, reporting) = AsyncStream.makeStream(of: TaskReport.self)
    }

    deinit {
        let state = self.state.withLock { $0 }
        for connection in state.connections.values { connection.close() }
        for search in state.searches.values { search.cancel() }
        reporting.finish()
    }

    /// The task's connection; a task that another service started is connected to here first, and reports from then on.
    func connection(_ id: String, greeting: Duration? = nil) async throws(EngineError) -> ShimConnection {
        if let known = state.withLock({ $0.connections[id] }) { return known }
        let directory = try ShimDirectory(id: id, runRoot: runRoot)
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

    /// Connects to a shim that was just started.
    ///
    /// - Parameter first: what it is asked together with the greeting.
    func begin(_ directory: ShimDirectory, by first: [ShimRequest]) async throws(EngineError) -> ShimConnection {
        let made = try await connect(directory, greeting: patience, first: first)
        state.withLock { $0.connections[directory.id] = made }
        return made
    }

    /// Its task is gone, or never came to be.
    func forget(_ id: String) {
        let connection = state.withLock { state in
            state.expectedEnds.remove(id)
            state.searches.removeValue(forKey: id)?.cancel()
            return state.connections.removeValue(forKey: id)
        }
        connection?.close()
    }

    /// A shim shall end, which is no news then.
    func expectEnd(of id: String) { state.withLock { _ = $0.expectedEnds.insert(id) } }

    func expectNoEnd(of id: String) { state.withLock { _ = $0.expectedEnds.remove(id) } }

    /// Whether a shim that lives is not connected, since it does not answer.
    func isSought(_ id: String) -> Bool { state.withLock { $0.connections[id] == nil && $0.searches[id] != nil } }

    /// Whether a shim that should be there does not answer.
    func isSilent(_ id: String) async -> Bool {
        let (connection, isSought) = state.withLock { ($0.connections[id], $0.searches[id] != nil) }
        guard let connection else { return isSought }
        do throws(EngineError) {
            _ = try await connection.request(.survey, isAnsweredAtOnce: true)
            return false
        } catch { return error.kind == .unavailable }
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
    func search(for directory: ShimDirectory) {
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
                    try directory.facts(isGone: isGone)
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
}
