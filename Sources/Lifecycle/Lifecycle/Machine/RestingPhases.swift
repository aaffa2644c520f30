/// The phases without a process in which something may be asked: before the first start, after an end, between an end and
/// the start that the policy wants, and on the way out.
extension LifecycleMachine {
    mutating func idle(_ rest: Rest, _ input: Input) -> Output {
        switch input {
        case .start:
            restarts.startByHand()
            return become(.starting(rest, nil), .launch)
        case .restartGivenUp: return .perform([.record([])])
        default: return atRest(rest, input)
        }
    }

    private mutating func atRest(_ rest: Rest, _ input: Input) -> Output {
        switch input {
        case .kill, .pause: .refuse(.notRunning)
        case .unpause: .refuse(.notPaused)
        case .remove: become(.removing(rest), .record([]), .deleteContents)
        default: .done
        }
    }

    mutating func dead(_ rest: Rest, _ input: Input) -> Output {
        if case .start = input { return .refuse(.dead) }
        return atRest(rest, input)
    }
    /// To others it counts as running, though there is no process.
    mutating func waiting(_ rest: Rest, _ input: Input) -> Output {
        switch input {
        case .retry(restarts.count): return become(.starting(rest, nil), .launch)
        case .stop(_, restarting: false), .kill(_, ends: true):
            _ = restarts.stopByHand()
            return become(.exited(rest), .record([]))
        case .stop(_, restarting: true):
            restarts.settle()
            return become(.exited(rest), .record([]))
        case .pause: return .refuse(.restarting)
        case .unpause: return .refuse(.notPaused)
        case .remove(force: false): return .refuse(.restartingOnRemove)
        case .remove(force: true): return become(.removing(rest), .record([]), .deleteContents)
        default: return .done
        }
    }

    mutating func removing(_ rest: Rest, _ input: Input) -> Output {
        switch input {
        case .start: return .refuse(.markedForRemoval)
        case .kill, .pause: return .refuse(.notRunning)
        case .unpause: return .refuse(.notPaused)
        case .remove: return .refuse(.removalInProgress)
        case .removed:
            phase = .removed(rest)
            return .done
        case .removeFailed(let reason): return become(.dead(rest, reason: reason), .record([]))
        default: return .done
        }
    }
}
