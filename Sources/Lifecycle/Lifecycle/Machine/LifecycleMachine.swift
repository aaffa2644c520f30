import EngineAPI
import Tasks

/// A container's life as a value: what it is now, and what follows from each input.
///
/// ```
///            start             launched             exited, lost            settled
///  created ────────► starting ─────────► running ─────────────────► ending ────────► exited
///     ▲                 │               │  ▲  │                       ▲                │ start
///     └─────────────────┘       pausing ▼  │  ▼ stop                  │                ▼
///        launchFailed           paused ──┘  stopping ─────────────────┘            starting …
///                             (resuming)
///  a failed start that the policy wanted: starting ── launchFailed ──► waiting
///  an end that the restart policy does not leave at that: ending ── settled ──► waiting ── retry ──► starting
///  created, exited, dead, waiting ── remove ──► removing ── removed ──► removed
///                                          └────── removeFailed ──► dead
/// ```
///
/// Whoever holds the machine gives it an input and performs the actions that come back, outside, in order; what came of
/// them is the next input. The phases that end in -ing are claims: an action is under way. A command that comes then is
/// refused, or *joins*: it waits for the next change of phase and asks again. An exit that comes then is remembered.
package struct LifecycleMachine: Hashable, Sendable {
    package private(set) var phase: Phase
    /// Remove the container once its process has ended.
    package let removesItself: Bool
    package private(set) var restarts: RestartPlan

    /// A machine that begins with an end, or a pending start, decides by the plan at once.
    package init(_ phase: Phase, removesItself: Bool, restarts: RestartPlan = RestartPlan()) {
        self.phase = phase
        self.removesItself = removesItself
        self.restarts = restarts
        switch phase {
        case .ending(let rest, restarting: false): self.restarts.end(rest)
        case .waiting: self.restarts.resume()
        default: break
        }
    }

    /// Somebody wants another policy; a start that is pending stays.
    package mutating func adopt(_ policy: RestartPolicy) { restarts.policy = policy }

    package enum Phase: Hashable, Sendable {
        case created(Rest)
        case starting(Rest, Ending?)
        case running(Run)
        case pausing(Run, Ending?)
        case paused(Run)
        case resuming(Run, Ending?)
        case stopping(Run, restarting: Bool)
        /// The end is being recorded and the task cleaned away.
        case ending(Rest, restarting: Bool)
        /// Between an end and the start that the restart policy wants: docker's "restarting".
        case waiting(Rest)
        case exited(Rest)
        case removing(Rest)
        case dead(Rest, reason: String)
        case removed(Rest)
    }

    /// The facts of a container whose process runs.
    package struct Run: Hashable, Sendable {
        package var initial: ProcessIdentity
        package var startedAt: Timestamp

        package init(initial: ProcessIdentity, startedAt: Timestamp) {
            self.initial = initial
            self.startedAt = startedAt
        }
    }

    /// The facts of a container that has no process.
    package struct Rest: Hashable, Sendable {
        package var exitCode: Int32 = 0
        package var oomKilled = false
        /// Why the last start failed, or what is to be said about the last end.
        package var error = ""
        package var startedAt: Timestamp?
        package var finishedAt: Timestamp?

        package init() {}
    }

    /// How a process came to its end.
    package enum Ending: Hashable, Sendable {
        case exited(TaskExit)
        /// The shim is gone, and the exit status with it.
        case lost(Timestamp)
    }

    /// Why a start failed: the exit code that docker gives it, and the reason in words.
    package struct StartFailure: Hashable, Sendable {
        package var exitCode: Int32
        package var message: String

        package init(exitCode: Int32, message: String) {
            self.exitCode = exitCode
            self.message = message
        }
    }

    package enum Input: Hashable, Sendable {
        case start
        case stop(signal: Int32, restarting: Bool)
        /// The time a stop was given is over.
        case escalate
        /// `ends`: the signal is SIGKILL or the container's own stop signal.
        case kill(signal: Int32, ends: Bool)
        case pause, unpause
        case remove(force: Bool)

        case launched(ProcessIdentity, at: Timestamp)
        case launchFailed(StartFailure)
        case frozen, freezeFailed
        case thawed, thawFailed
        case settled
        /// The pause before the start of that number is over.
        case retry(Int)
        case removed
        case removeFailed(String)

        case exited(TaskExit)
        case lost(at: Timestamp)
        case outOfMemory
    }

    package enum Output: Hashable, Sendable {
        /// To be done outside, in this order.
        case perform([Action])
        /// Something is under way that decides: wait for the next change of phase, then give the same input again.
        case join
        /// It is as the input asks already.
        case done
        case refuse(Refusal)
    }

    package enum Action: Hashable, Sendable {
        /// Create the task and start it; then `launched` or `launchFailed`. A failed one leaves no task.
        case launch
        case signal(Int32)
        /// End every process by the cgroup.
        case killAll
        /// Then `frozen` or `freezeFailed`.
        case freeze
        /// Then `thawed` or `thawFailed`.
        case thaw
        /// Commit the row as it is now with these events, then publish them.
        case record([Happening])
        /// Clean the task away; then `settled`, whatever came of it.
        case deleteTask
        /// Let a pause go by; then `retry` with that number, which is void where something else came first.
        case wait(Duration, retry: Int)
        /// Delete files, then the row; then `removed` or `removeFailed`.
        case deleteContents
    }

    /// What an event tells.
    package enum Happening: Hashable, Sendable {
        case start, die, pause, unpause, outOfMemory
    }

    /// Why a command is not obeyed.
    package enum Refusal: Hashable, Sendable {
        case notRunning, notPaused, alreadyPaused, startPaused
        case running, pausedOnRemove
        case restarting, restartingOnRemove
        case markedForRemoval, dead, removalInProgress
        case gone
    }

    package mutating func receive(_ input: Input) -> Output {
        switch phase {
        case .created(let rest), .exited(let rest): idle(rest, input)
        case .dead(let rest, _): dead(rest, input)
        case .starting(let rest, let ending): starting(rest, ending, input)
        case .running(let run): running(run, input)
        case .pausing(let run, let ending): pausing(run, ending, input)
        case .paused(let run): paused(run, input)
        case .resuming(let run, let ending): resuming(run, ending, input)
        case .stopping(let run, let restarting): stopping(run, restarting, input)
        case .ending(let rest, let restarting): ending(rest, restarting, input)
        case .waiting(let rest): waiting(rest, input)
        case .removing(let rest): removing(rest, input)
        case .removed: input.isCommand ? .refuse(.gone) : .done
        }
    }
}

extension LifecycleMachine {
    private mutating func become(_ next: Phase, _ actions: Action...) -> Output {
        phase = next
        return .perform(actions)
    }

    /// The same for what somebody does to end it: remembered before it takes effect, where a policy would else start it.
    private mutating func byHand(_ next: Phase, _ actions: Action...) -> Output {
        phase = next
        return .perform(restarts.stopByHand() ? [.record([])] + actions : actions)
    }

    private mutating func stop(_ run: Run, restarting: Bool, _ actions: Action...) -> Output {
        phase = .stopping(run, restarting: restarting)
        let isNews = !restarting && restarts.stopByHand()
        return .perform(isNews ? [.record([])] + actions : actions)
    }

    private mutating func idle(_ rest: Rest, _ input: Input) -> Output {
        switch input {
        case .start:
            restarts.startByHand()
            return become(.starting(rest, nil), .launch)
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

    private mutating func dead(_ rest: Rest, _ input: Input) -> Output {
        if case .start = input { return .refuse(.dead) }
        return atRest(rest, input)
    }

    private mutating func starting(_ rest: Rest, _ ending: Ending?, _ input: Input) -> Output {
        switch input {
        case .launched(let initial, let time):
            restarts.settle()
            let run = Run(initial: initial, startedAt: time)
            if let ending { return end(run, ending, restarting: false, telling: [.start]) }
            return become(.running(run), .record([.start]))
        case .launchFailed(let failure): return fail(rest, failure)
        case .exited(let exit): phase = .starting(rest, .exited(exit))
        case .lost(let time): phase = .starting(rest, ending ?? .lost(time))
        default: return input.isCommand ? .join : .done
        }
        return .done
    }

    /// A container that never ran stays "created", with the failure's exit code, as docker has it. A start that the policy
    /// wanted leaves the last run's exit code, and is tried again.
    private mutating func fail(_ rest: Rest, _ failure: StartFailure) -> Output {
        var rest = rest
        if restarts.pending == nil { rest.exitCode = failure.exitCode }
        rest.error = failure.message
        restarts.failStart(exitCode: failure.exitCode)
        if let pause = restarts.pending {
            return become(.waiting(rest), .record([]), .wait(pause, retry: restarts.count))
        }
        if removesItself { return become(.removing(rest), .record([]), .deleteContents) }
        return become(rest.finishedAt == nil ? .created(rest) : .exited(rest), .record([]))
    }

    private mutating func running(_ run: Run, _ input: Input) -> Output {
        switch input {
        case .stop(let signal, let restarting): stop(run, restarting: restarting, .signal(signal))
        case .kill(let signal, ends: true): byHand(phase, .signal(signal))
        case .kill(let signal, ends: false): .perform([.signal(signal)])
        case .pause: become(.pausing(run, nil), .freeze)
        case .unpause: .refuse(.notPaused)
        case .remove(force: false): .refuse(.running)
        case .remove(force: true): stop(run, restarting: false, .killAll)
        default: alive(run, input, restarting: false)
        }
    }

    /// SIGKILL.
    private static let endingSignal: Int32 = 9

    private mutating func paused(_ run: Run, _ input: Input) -> Output {
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
        case .remove(force: false): .refuse(.pausedOnRemove)
        case .remove(force: true): stop(run, restarting: false, .killAll)
        default: alive(run, input, restarting: false)
        }
    }

    private mutating func stopping(_ run: Run, _ restarting: Bool, _ input: Input) -> Output {
        switch input {
        case .start, .pause, .unpause: .join
        case .stop(let signal, let again): stop(run, restarting: restarting || again, .signal(signal))
        case .escalate: .perform([.killAll])
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

    private mutating func pausing(_ run: Run, _ ending: Ending?, _ input: Input) -> Output {
        switch input {
        case .frozen where ending == nil: return become(.paused(run), .record([.pause]))
        case .freezeFailed where ending == nil: phase = .running(run)
        case .exited(let exit): phase = .pausing(run, .exited(exit))
        case .lost(let time): phase = .pausing(run, ending ?? .lost(time))
        default: return endingAfterFreezer(run, ending, input)
        }
        return .done
    }

    private mutating func resuming(_ run: Run, _ ending: Ending?, _ input: Input) -> Output {
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
        default: return input.isCommand ? .join : .done
        }
    }

    private mutating func end(
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

    private mutating func ending(_ rest: Rest, _ restarting: Bool, _ input: Input) -> Output {
        switch input {
        case .start, .remove: return .join
        case .stop(_, restarting: false) where restarts.pending != nil: return byHand(phase)
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

    /// To others it counts as running, though there is no process.
    private mutating func waiting(_ rest: Rest, _ input: Input) -> Output {
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

    private mutating func removing(_ rest: Rest, _ input: Input) -> Output {
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

extension LifecycleMachine.Input {
    /// Whether somebody asked for it and waits for an answer.
    package var isCommand: Bool {
        switch self {
        case .start, .stop, .kill, .pause, .unpause, .remove: true
        default: false
        }
    }
}
