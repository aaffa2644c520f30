import EngineAPI
import Storage
import Tasks

/// What an engine does about each container it finds when it opens its data root.
///
/// | row says | facts say | so |
/// | --- | --- | --- |
/// | running | the shim answers | adopt it |
/// | running | the shim is there and does not answer | it runs as the row says, until more is heard |
/// | running | stopped, with an exit record | record that exit with its own time |
/// | running | nothing, or lost; same boot | end it by its cgroup; exited 137, "shim lost" |
/// | running | nothing, or lost; another boot | exited 255, "host restarted" |
/// | created, exited | running | a start was cut short after it took effect: adopt it |
/// | created, exited | created, or the shim does not answer | a start was cut short before: undo it |
/// | created, exited | stopped | the run the row tells of: clean up; a later one: record its exit |
/// | restarting: by its policy, or by hand | no process | start it |
/// | restarting, with a process | the shim answers, or is there and does not | adopt it, and restart it |
/// | restarting, with a process | it has ended, or its shim is gone | as for one that runs; then start it |
/// | exited in another boot, policy starts it | no process | start it |
/// | exited, to be removed at its end | anything | finish the removal |
/// | creating | anything | undo it |
/// | removing | anything | finish it |
/// | none | anything | end it and clean up |
package struct Reconciliation: Hashable, Sendable {
    /// A container's phase to begin with, and what is to be done first.
    package struct Container: Hashable, Sendable {
        package var phase: LifecycleMachine.Phase
        package var actions: [LifecycleMachine.Action]
        /// A restart by hand was under way, which has not ended its process yet.
        package var isRestarting = false

        package init(phase: LifecycleMachine.Phase, actions: [LifecycleMachine.Action]) {
            self.phase = phase
            self.actions = actions
        }

        /// The same for a container that is to remove itself: where the former engine went between its end and its
        /// removal, that is made good.
        package var disposed: Container {
            guard case .exited(let rest) = phase else { return self }
            return Container(phase: .removing(rest), actions: [.deleteTask, .deleteContents])
        }

        /// The same for a container that rested when the machine was started anew, and whose policy starts it then.
        func startedWithMachine(by plan: RestartPlan) -> Container {
            guard case .exited(let rest) = phase, plan.startsWithMachine(exitCode: rest.exitCode) else { return self }
            return Container(phase: .waiting(rest), actions: actions + [.wait(.zero, retry: plan.count)])
        }
    }

    package var containers: [String: Container] = [:]
    /// Rows of containers that were never whole: to be deleted with their files, without a word.
    package var unmade: [String] = []
    /// Tasks without a row: to be ended and cleaned away.
    package var strays: [String] = []

    package init(rows: [ContainerRow], facts: [TaskFacts], bootID: String, now: Timestamp) {
        let known = Dictionary(facts.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        for row in rows {
            if row.state.phase == .creating {
                unmade.append(row.id)
            } else {
                let sameBoot = row.state.bootID == bootID
                containers[row.id] = Self.decide(row.state, known[row.id], sameBoot: sameBoot, now: now)
            }
        }
        let rowIDs = Set(rows.map(\.id))
        strays = facts.map(\.id).filter { !rowIDs.contains($0) }
    }

    private static func decide(
        _ row: ContainerRow.State, _ facts: TaskFacts?, sameBoot: Bool, now: Timestamp
    ) -> Container {
        switch row.phase {
        case .creating, .removing:
            Container(phase: .removing(row.rest), actions: [.deleteTask, .deleteContents])
        case .restarting where row.pid > 0: decideRestarting(row, facts, sameBoot: sameBoot, now: now)
        case .created, .starting, .exited, .restarting, .dead: decideIdle(row, facts)
        case .running, .paused: decideAlive(row, facts, sameBoot: sameBoot, now: now)
        }
    }

    private static func decideIdle(_ row: ContainerRow.State, _ facts: TaskFacts?) -> Container {
        let rest: LifecycleMachine.Phase =
            switch row.phase {
            case .dead: .dead(row.rest, reason: row.error)
            case .exited: .exited(row.rest)
            case .restarting: .waiting(row.rest)
            default: row.finishedAt == nil ? .created(row.rest) : .exited(row.rest)
            }
        let due: [LifecycleMachine.Action] =
            row.phase == .restarting ? [.wait(.zero, retry: row.restartCount)] : []
        guard let facts else { return Container(phase: rest, actions: due) }
        switch facts.status {
        case .running, .paused:
            guard let initial = facts.initial else { break }
            let startedAt = facts.startedAt ?? .now()
            return adopted(initial, startedAt, paused: facts.status == .paused, telling: [.start])
        case .stopped:
            guard let exit = facts.exit, exit.time.nanosecondsSinceEpoch != row.finishedAt else { break }
            return ended(exit, startedAt: facts.startedAt, telling: [.start, .die])
        case .created, .unreachable, .lost: break
        }
        return Container(phase: rest, actions: [.killAll, .deleteTask] + due)
    }

    private static func decideAlive(
        _ row: ContainerRow.State, _ facts: TaskFacts?, sameBoot: Bool, now: Timestamp
    ) -> Container {
        let startedAt = row.startedAt.map(Timestamp.init(nanosecondsSinceEpoch:))
        if let exit = facts?.exit { return ended(exit, startedAt: startedAt, telling: [.die]) }
        if let facts, facts.status == .running || facts.status == .paused, let initial = facts.initial {
            let isPaused = facts.status == .paused
            // The row of a restart does not say whether it was paused.
            let isTold = row.phase == .restarting || (row.phase == .paused) == isPaused
            let telling: [LifecycleMachine.Happening] = isTold ? [] : [isPaused ? .pause : .unpause]
            return adopted(initial, startedAt ?? now, paused: isPaused, telling: telling)
        }
        if sameBoot, let facts, facts.status == .unreachable, let initial = facts.initial {
            return adopted(initial, startedAt ?? now, paused: row.phase == .paused, telling: [])
        }
        var rest = LifecycleMachine.Rest()
        rest.startedAt = startedAt
        rest.finishedAt = now
        rest.exitCode = sameBoot ? 137 : 255
        rest.error = sameBoot ? "shim lost" : "host restarted"
        return Container(
            phase: .ending(rest, restarting: false),
            actions: (sameBoot ? [.killAll] : []) + [.record([.die]), .deleteTask])
    }

    private static func decideRestarting(
        _ row: ContainerRow.State, _ facts: TaskFacts?, sameBoot: Bool, now: Timestamp
    ) -> Container {
        var decision = decideAlive(row, facts, sameBoot: sameBoot, now: now)
        if case .ending(let rest, _) = decision.phase {
            decision.phase = .waiting(rest)
            decision.actions.append(.wait(.zero, retry: row.restartCount))
        } else {
            decision.isRestarting = true
        }
        return decision
    }

    private static func adopted(
        _ initial: ProcessIdentity, _ startedAt: Timestamp, paused: Bool, telling: [LifecycleMachine.Happening]
    ) -> Container {
        let run = LifecycleMachine.Run(initial: initial, startedAt: startedAt)
        return Container(
            phase: paused ? .paused(run) : .running(run), actions: telling.isEmpty ? [] : [.record(telling)])
    }

    private static func ended(
        _ exit: TaskExit, startedAt: Timestamp?, telling: [LifecycleMachine.Happening]
    ) -> Container {
        var rest = LifecycleMachine.Rest()
        rest.exitCode = exit.code
        rest.oomKilled = exit.oomKilled
        rest.startedAt = startedAt
        rest.finishedAt = exit.time
        return Container(phase: .ending(rest, restarting: false), actions: [.record(telling), .deleteTask])
    }
}
