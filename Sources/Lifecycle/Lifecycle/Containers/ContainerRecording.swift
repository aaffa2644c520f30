import EngineAPI
import Storage

/// What a container owes to the metadata: what has happened to it and could not be committed, for want of space as a rule.
///
/// Until that is paid the shim of a task that has ended stays, since nobody else knows of the end for good: an engine that
/// comes meanwhile learns of it there, with the exit code and the time.
struct RecordDebt {
    /// The row is not what it should be; the events that belong to it wait, too.
    var isOwed = false
    /// The task has ended, and goes once that is committed.
    var holdsTask = false
    /// Pays as soon as that is possible.
    var collector: Task<Void, Never>?
}

/// A container's row and its events: committed, then published. All of it runs in the container's chain.
extension Container {
    private static let collectionPause = Duration.seconds(1)
    /// So that an engine that can write nothing for long does not grow.
    private static let pendingLimit = 1000

    /// Commits the row as it is now with the events, then lets those go on who wait for an end.
    ///
    /// Where that fails the container goes on with what memory knows, and owes it.
    func record(_ happenings: [LifecycleMachine.Happening]) async {
        let isEnd = happenings.contains(.die)
        if isEnd { context.faults.pass(.endBeforeRow) }
        pendingEvents += happenings.map(event)
        if happenings.contains(.start) { forgetHealth() }
        do throws(EngineError) { try await commitRow() } catch { owe(error) }
        guard isEnd else { return }
        context.faults.pass(.endAfterRow)
        lastEnd = machine.rest ?? lastEnd
        endCount += 1
        changed.notify()
    }

    /// Journals and publishes events that change no row; after those that wait.
    func record(_ events: [EngineEvent]) async {
        guard !debt.isOwed else {
            if pendingEvents.count < Self.pendingLimit { pendingEvents += events }
            return
        }
        do { try await context.events.record(events) } catch {
            pendingEvents += events
            owe(EngineError(error, object: id))
        }
    }

    /// Commits what could not be, and lets the task go that was kept for it.
    ///
    /// - Throws: what is in the way still: `unavailable` where the disk is full.
    func payDebt() async throws(EngineError) {
        if debt.isOwed { try await commitRow() }
        if debt.holdsTask { await endTask() }
    }

    private func commitRow() async throws(EngineError) {
        let events = pendingEvents
        do {
            let numbers = try await context.store.commit(.state(id: id, row), events.map(EventRow.init))
            pendingEvents = []
            debt.isOwed = false
            context.events.publish(events, numbers: numbers)
        } catch { throw EngineError(error, object: id) }
    }

    private func owe(_ error: EngineError) {
        context.note("container \(id): \(error)")
        debt.isOwed = true
        guard debt.collector == nil, !isRetired else { return }
        let clock = context.clock
        debt.collector = Task { [weak self] in
            // Cancelled: the container is gone, or the engine goes.
            while (try? await clock.sleep(for: Self.collectionPause)) != nil {
                guard await self?.collect() == false else { return }
            }
        }
    }

    /// Whether nothing is owed any more.
    private func collect() async -> Bool {
        _ = await inChain { container in
            // The next time, then.
            try? await container.payDebt()
            return nil
        }.value
        guard !debt.isOwed, !debt.holdsTask else { return false }
        debt.collector = nil
        // One that was to remove itself, and could not.
        if machine.removesItself, case .dead = machine.phase { report(.remove(force: false)) }
        return true
    }

    private func event(_ happening: LifecycleMachine.Happening) -> EngineEvent {
        switch happening {
        case .start: return event("start", at: (machine.run?.startedAt ?? machine.rest?.startedAt) ?? .now())
        case .pause: return event("pause")
        case .unpause: return event("unpause")
        case .outOfMemory: return event("oom")
        case .die:
            let rest = machine.rest ?? LifecycleMachine.Rest()
            var more = ["exitCode": String(rest.exitCode)]
            if let from = rest.startedAt, let to = rest.finishedAt {
                more["execDuration"] = String(max(0, to.secondsSinceEpoch - from.secondsSinceEpoch))
            }
            return event("die", more, at: rest.finishedAt ?? .now())
        }
    }
}
