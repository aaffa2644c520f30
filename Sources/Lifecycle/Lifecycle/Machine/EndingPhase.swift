import Tasks

/// From the process's end to what the restart policy makes of it.
extension LifecycleMachine {
    mutating func end(
        _ run: Run, _ ending: Ending, restarting: Bool, telling earlier: [Happening]
    ) -> Output {
        var rest = Rest()
        rest.startedAt = run.startedAt
        let record = Action.record(earlier + [.die])
        switch ending {
        case .exited(let exit):
            rest.exitCode = exit.code
            rest.oomKilled = exit.oomKilled
            rest.finishedAt = exit.time
            if !restarting { restarts.end(rest) }
            return become(.ending(rest, restarting: restarting), record, .deleteTask)
        case .lost(let time):
            rest.exitCode = 137
            rest.error = "shim lost"
            rest.finishedAt = time
            if !restarting { restarts.end(rest) }
            return become(.ending(rest, restarting: restarting), .killAll, record, .deleteTask)
        }
    }

    mutating func ending(_ rest: Rest, _ restarting: Bool, _ input: Input) -> Output {
        switch input {
        case .start, .remove: return .join
        case .stop(_, restarting: false) where restarts.pending != nil: return byHand(phase)
        case .stop(_, restarting: true) where restarts.pending != nil:
            restarts.settle()
            return become(.ending(rest, restarting: true), .record([]))
        case .restartGivenUp where restarting: return become(.ending(rest, restarting: false), .record([]))
        case .kill, .pause: return .refuse(.notRunning)
        case .unpause: return .refuse(.notPaused)
        case .settled:
            if removesItself, !restarting { return become(.removing(rest), .record([]), .deleteContents) }
            if let pause = restarts.pending, !restarting {
                return become(.waiting(rest), .wait(pause, retry: restarts.count))
            }
            phase = .exited(rest)
            return .done
        default: return .done
        }
    }
}
