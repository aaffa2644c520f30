import EngineAPI
import Storage
import Tasks

extension LifecycleMachine {
    /// The state as the engine tells it.
    package var state: ContainerState {
        switch phase {
        case .created(let rest): Self.state(.created, rest)
        case .starting(let rest, _): Self.state(rest.finishedAt == nil ? .created : pausedStatus, rest)
        case .running(let run), .pausing(let run, _), .stopping(let run, _): Self.state(.running, run)
        case .paused(let run), .resuming(let run, _): Self.state(.paused, run)
        case .ending(let rest, _): Self.state(pausedStatus, rest)
        case .exited(let rest): Self.state(.exited, rest)
        case .waiting(let rest): Self.state(.restarting, rest)
        case .removing(let rest), .removed(let rest): Self.state(.removing, rest)
        case .dead(let rest, let reason): Self.state(.dead, rest, error: reason)
        }
    }

    /// Of a container that has ended and perhaps is about to start again.
    private var pausedStatus: ContainerStatus { restarts.pending == nil ? .exited : .restarting }

    private static func state(_ status: ContainerStatus, _ run: Run) -> ContainerState {
        var state = ContainerState(status: status)
        state.pid = run.initial.pid
        state.startedAt = run.startedAt
        return state
    }

    private static func state(_ status: ContainerStatus, _ rest: Rest, error: String? = nil) -> ContainerState {
        var state = ContainerState(status: status)
        state.exitCode = rest.exitCode
        state.oomKilled = rest.oomKilled
        state.error = error ?? rest.error
        state.startedAt = rest.startedAt
        state.finishedAt = rest.finishedAt
        return state
    }

    /// The process, where there is one.
    package var run: Run? {
        switch phase {
        case .running(let run), .pausing(let run, _), .paused(let run), .resuming(let run, _), .stopping(let run, _):
            run
        default: nil
        }
    }

    /// The facts of the last end, where no process runs.
    package var rest: Rest? {
        switch phase {
        case .created(let rest), .starting(let rest, _), .ending(let rest, _), .exited(let rest), .waiting(let rest),
            .removing(let rest), .dead(let rest, _), .removed(let rest):
            rest
        default: nil
        }
    }

    /// What the row says of this phase.
    package func row(bootID: String) -> ContainerRow.State {
        let state = state
        var row = ContainerRow.State(phase: rowPhase)
        row.bootID = bootID
        row.pid = state.pid
        row.pidStartTicks = run?.initial.startTicks ?? 0
        row.exitCode = state.exitCode
        row.oomKilled = state.oomKilled
        row.error = state.error
        row.startedAt = state.startedAt?.nanosecondsSinceEpoch
        row.finishedAt = state.finishedAt?.nanosecondsSinceEpoch
        row.restartCount = restarts.count
        row.isStoppedByHand = restarts.isStoppedByHand
        return row
    }

    private var rowPhase: ContainerRow.Phase {
        switch phase {
        case .created: .created
        case .starting(let rest, _): rest.finishedAt == nil ? .created : .exited
        // With its process: what is to end it and start it again may not live to do so.
        case .stopping(_, restarting: true): .restarting
        case .running, .pausing, .resuming, .stopping: .running
        case .paused: .paused
        // What is to start it again may not live to do so.
        case .ending(_, let restarting): restarting || restarts.pending != nil ? .restarting : .exited
        case .exited: .exited
        case .waiting: .restarting
        case .removing, .removed: .removing
        case .dead: .dead
        }
    }
}

extension ContainerRow.State {
    /// The facts that a row keeps of a container without a process.
    package var rest: LifecycleMachine.Rest {
        var rest = LifecycleMachine.Rest()
        rest.exitCode = exitCode
        rest.oomKilled = oomKilled
        rest.error = error
        rest.startedAt = startedAt.map(Timestamp.init(nanosecondsSinceEpoch:))
        rest.finishedAt = finishedAt.map(Timestamp.init(nanosecondsSinceEpoch:))
        return rest
    }
}
