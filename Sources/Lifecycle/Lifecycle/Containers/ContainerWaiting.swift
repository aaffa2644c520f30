import EngineAPI

/// Waiting for a container's end.
extension Container {
    /// Begins a wait; an end from here on is not missed.
    package func beginWait(_ condition: WaitCondition) -> ExitWait {
        let count = endCount
        if condition == .notRunning, machine.run == nil, !isEndUnrecorded, !isBetweenRuns {
            let result = WaitResult(exitCode: lastExitCode)
            return ExitWait { () throws(EngineError) in result }
        }
        return ExitWait { () throws(EngineError) in
            try await self.wait(condition, after: count)
        }
    }

    /// Ended, but the row does not say so yet: who hears of the end may rely on the row.
    private var isEndUnrecorded: Bool {
        if case .ending(let rest, _) = machine.phase { return rest != lastEnd }
        return false
    }

    /// Ended, and about to be started again: docker waits for an end that lasts, or the next one.
    var isBetweenRuns: Bool { machine.restarts.pending != nil }

    private var lastExitCode: Int32 { machine.rest?.exitCode ?? lastEnd.exitCode }

    private func wait(_ condition: WaitCondition, after count: Int) async throws(EngineError) -> WaitResult {
        while true {
            let generation = changed.generation
            if condition != .removed, endCount > count { return WaitResult(exitCode: lastEnd.exitCode) }
            switch machine.phase {
            case .exited where condition == .notRunning: return WaitResult(exitCode: lastExitCode)
            case .removed:
                guard condition == .removed || endCount > count else {
                    throw EngineError(.notFound, "No such container: \(id)", object: id)
                }
                return WaitResult(exitCode: lastExitCode)
            case .dead(_, let reason) where condition == .removed:
                return WaitResult(exitCode: lastExitCode, error: reason)
            default: break
            }
            await changed.wait(after: generation)
            if Task.isCancelled { throw EngineError(.cancelled, "wait for \(id): cancelled", object: id) }
        }
    }
}
