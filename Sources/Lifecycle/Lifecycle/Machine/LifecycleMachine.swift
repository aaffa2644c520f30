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
///                             (resuming)           a stop that has not ended it yet does not hinder a pause
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
    package internal(set) var phase: Phase
    /// Remove the container once its process has ended.
    package let removesItself: Bool
    package internal(set) var restarts: RestartPlan

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

        /// The start that was to follow a stop will not come.
        case restartGivenUp
        case launched(ProcessIdentity, at: Timestamp)
        case launchFailed(StartFailure)
        /// Nothing was tried: what is owed to the metadata could not be paid.
        case launchPutOff
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
        /// Create the task and start it; then `launched`, `launchFailed` or `launchPutOff`. A failed one leaves no task.
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

/// What the phases share.
extension LifecycleMachine {
    mutating func become(_ next: Phase, _ actions: Action...) -> Output {
        phase = next
        return .perform(actions)
    }

    /// The same for what somebody does to end it: remembered before it takes effect, where a policy would else start it.
    mutating func byHand(_ next: Phase, _ actions: Action...) -> Output {
        phase = next
        return .perform(restarts.stopByHand() ? [.record([])] + actions : actions)
    }

    /// Also that a start is to follow is remembered: where this engine goes before the end, the next one sees to it.
    mutating func stop(_ run: Run, restarting: Bool, _ actions: Action...) -> Output {
        let wasRestarting = phase == .stopping(run, restarting: true)
        phase = .stopping(run, restarting: restarting)
        let isByHand = !restarting && restarts.stopByHand()
        return .perform(isByHand || restarting != wasRestarting ? [.record([])] + actions : actions)
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
