/// The phases with a process: running, frozen, between the two, and asked to end.
extension LifecycleMachine {
    mutating func running(_ run: Run, _ input: Input) -> Output {
        switch input {
        case .stop(let signal, let restarting): stop(run, restarting: restarting, .signal(signal))
        case .kill(let signal, ends: true): byHand(phase, .signal(signal))
        case .kill(let signal, ends: false): .perform([.signal(signal)])
        case .pause: become(.pausing(run, nil), .freeze)
        case .unpause: .refuse(.notPaused)
        // Of a stop in which it was paused, and perhaps let go on.
        case .escalate: .perform([.killAll])
        case .remove(force: false): .refuse(.running)
        case .remove(force: true): stop(run, restarting: false, .killAll)
        default: alive(run, input, restarting: false)
        }
    }

    /// SIGKILL.
    private static let endingSignal: Int32 = 9

    mutating func paused(_ run: Run, _ input: Input) -> Output {
        switch input {
        case .start: .refuse(.startPaused)
        // The shim lets a frozen process go on that gets this signal.
        case .stop(Self.endingSignal, let restarting): stop(run, restarting: restarting, .signal(Self.endingSignal))
        case .kill(Self.endingSignal, _):
            byHand(.stopping(run, restarting: false), .signal(Self.endingSignal))
        case .stop(let signal, let restarting): stop(run, restarting: restarting, .signal(signal), .thaw)
        case .kill(let signal, ends: true): byHand(.resuming(run, nil), .signal(signal), .thaw)
        case .kill(let signal, ends: false): .perform([.signal(signal)])
        case .pause: .refuse(.alreadyPaused)
        case .unpause: become(.resuming(run, nil), .thaw)
        case .escalate: .perform([.killAll])
        case .remove(force: false): .refuse(.pausedOnRemove)
        case .remove(force: true): stop(run, restarting: false, .killAll)
        default: alive(run, input, restarting: false)
        }
    }

    mutating func stopping(_ run: Run, _ restarting: Bool, _ input: Input) -> Output {
        switch input {
        // Who waits for a restart to come to its end gets what it makes; a stop may take for ever, and leaves nothing.
        case .start: restarting ? .join : .done
        case .pause: restarting ? .refuse(.restarting) : become(.pausing(run, nil), .freeze)
        case .unpause: .refuse(.notPaused)
        case .stop(let signal, let again): stop(run, restarting: restarting || again, .signal(signal))
        case .escalate: .perform([.killAll])
        case .restartGivenUp: become(.stopping(run, restarting: false), .record([]))
        case .kill(let signal, ends: true) where !restarting: byHand(phase, .signal(signal))
        case .kill(let signal, _): .perform([.signal(signal)])
        case .remove(force: false): .refuse(.running)
        case .remove(force: true): stop(run, restarting: false, .killAll)
        default: alive(run, input, restarting: restarting)
        }
    }

    /// What is the same in every phase with a process and nothing under way.
    private mutating func alive(_ run: Run, _ input: Input, restarting: Bool) -> Output {
        switch input {
        case .exited(let exit): end(run, .exited(exit), restarting: restarting, telling: [])
        case .lost(let time): end(run, .lost(time), restarting: restarting, telling: [])
        case .outOfMemory: .perform([.record([.outOfMemory])])
        default: .done
        }
    }

    mutating func pausing(_ run: Run, _ ending: Ending?, _ input: Input) -> Output {
        switch input {
        case .frozen where ending == nil: return become(.paused(run), .record([.pause]))
        case .freezeFailed where ending == nil: phase = .running(run)
        case .exited(let exit): phase = .pausing(run, .exited(exit))
        case .lost(let time): phase = .pausing(run, ending ?? .lost(time))
        default: return endingAfterFreezer(run, ending, input)
        }
        return .done
    }

    mutating func resuming(_ run: Run, _ ending: Ending?, _ input: Input) -> Output {
        switch input {
        case .thawed where ending == nil: return become(.running(run), .record([.unpause]))
        case .thawFailed where ending == nil: phase = .paused(run)
        case .exited(let exit): phase = .resuming(run, .exited(exit))
        case .lost(let time): phase = .resuming(run, ending ?? .lost(time))
        default: return endingAfterFreezer(run, ending, input)
        }
        return .done
    }

    private mutating func endingAfterFreezer(_ run: Run, _ ending: Ending?, _ input: Input) -> Output {
        switch input {
        case .frozen, .freezeFailed, .thawed, .thawFailed:
            guard let ending else { return .done }
            return end(run, ending, restarting: false, telling: [])
        case .outOfMemory: return .perform([.record([.outOfMemory])])
        case .escalate: return .join
        default: return input.isCommand ? .join : .done
        }
    }
}
