import Lifecycle

extension LifecycleMachineTests {
    private static let stop = Machine.Input.stop(signal: 15, restarting: false)
    private static let restart = Machine.Input.stop(signal: 15, restarting: true)
    private static let sigkill = Machine.Input.kill(signal: 9, ends: true)
    private static let hangup = Machine.Input.kill(signal: 1, ends: false)
    private static let remove = Machine.Input.remove(force: false)
    private static let force = Machine.Input.remove(force: true)

    private static func refused(
        _ phase: Machine.Phase, _ refusal: Machine.Refusal, _ inputs: Machine.Input...
    ) -> [Rule] {
        inputs.map { Rule(phase, $0, phase, .refuse(refusal)) }
    }

    private static func joined(_ phase: Machine.Phase, _ inputs: [Machine.Input]) -> [Rule] {
        inputs.map { Rule(phase, $0, phase, .join) }
    }

    private static func done(_ phase: Machine.Phase, _ inputs: Machine.Input...) -> [Rule] {
        inputs.map { Rule(phase, $0, phase, .done) }
    }

    static let rules: [Rule] =
        idle(.created(fresh), fresh) + idle(.exited(ended), ended) + dead + startingRules + runningRules + pausedRules
        + freezerRules + stoppingRules + endingRules + waitingRules + removingRules

    private static func idle(_ phase: Machine.Phase, _ rest: Machine.Rest) -> [Rule] {
        [
            Rule(phase, .start, .starting(rest, nil), .perform([.launch])),
            Rule(phase, remove, .removing(rest), .perform([.record([]), .deleteContents])),
            Rule(phase, force, .removing(rest), .perform([.record([]), .deleteContents])),
            Rule(phase, .restartGivenUp, phase, .perform([.record([])])),
        ] + done(phase, stop, restart) + refused(phase, .notRunning, sigkill, hangup, .pause)
            + refused(phase, .notPaused, .unpause)
    }

    private static var dead: [Rule] {
        let phase = Machine.Phase.dead(ended, reason: "busy")
        return idle(phase, ended).filter { $0.input != .start && $0.input != .restartGivenUp }
            + refused(phase, .dead, .start)
    }

    private static var startingRules: [Rule] {
        let phase = Machine.Phase.starting(fresh, nil)
        let early = Machine.Phase.starting(fresh, .exited(exit))
        let orphan = Machine.Phase.starting(fresh, .lost(later))
        let again = Machine.Phase.starting(ended, nil)
        let over = Machine.Phase.ending(ended, restarting: false)
        let gone = Machine.Phase.ending(lost, restarting: false)
        return [
            Rule(phase, .launched(initial, at: time), .running(run), .perform([.record([.start])])),
            Rule(again, .launched(initial, at: time), .running(run), .perform([.record([.start])])),
            Rule(early, .launched(initial, at: time), over, .perform([.record([.start, .die]), .deleteTask])),
            Rule(
                orphan, .launched(initial, at: time), gone, .perform([.killAll, .record([.start, .die]), .deleteTask])),
            Rule(phase, .launchFailed(failed), .created(with(fresh, failed)), .perform([.record([])])),
            Rule(early, .launchFailed(failed), .created(with(fresh, failed)), .perform([.record([])])),
            Rule(orphan, .launchFailed(failed), .created(with(fresh, failed)), .perform([.record([])])),
            Rule(again, .launchFailed(failed), .exited(with(ended, failed)), .perform([.record([])])),
            Rule(phase, .launchPutOff, .created(fresh), .perform([])),
            Rule(early, .launchPutOff, .created(fresh), .perform([])),
            Rule(orphan, .launchPutOff, .created(fresh), .perform([])),
            Rule(again, .launchPutOff, .exited(ended), .perform([])),
            Rule(phase, .exited(exit), early, .done), Rule(phase, .lost(at: later), orphan, .done),
            Rule(again, .exited(exit), .starting(ended, .exited(exit)), .done),
            Rule(again, .lost(at: later), .starting(ended, .lost(later)), .done),
            Rule(orphan, .exited(exit), early, .done),
        ] + joined(phase, commands) + joined(again, commands) + joined(early, commands) + joined(orphan, commands)
    }

    /// An end in a phase with a process and nothing under way.
    private static func ends(_ phase: Machine.Phase, restarting: Bool = false) -> [Rule] {
        [
            Rule(
                phase, .exited(exit), .ending(ended, restarting: restarting), .perform([.record([.die]), .deleteTask])),
            Rule(
                phase, .lost(at: later), .ending(lost, restarting: restarting),
                .perform([.killAll, .record([.die]), .deleteTask])),
            Rule(phase, .outOfMemory, phase, .perform([.record([.outOfMemory])])),
        ]
    }

    private static var runningRules: [Rule] {
        let phase = Machine.Phase.running(run)
        return [
            Rule(phase, stop, .stopping(run, restarting: false), .perform([.signal(15)])),
            Rule(phase, restart, .stopping(run, restarting: true), .perform([.record([]), .signal(15)])),
            Rule(phase, sigkill, phase, .perform([.signal(9)])), Rule(phase, hangup, phase, .perform([.signal(1)])),
            Rule(phase, .pause, .pausing(run, nil), .perform([.freeze])),
            Rule(phase, .escalate, phase, .perform([.killAll])),
            Rule(phase, force, .stopping(run, restarting: false), .perform([.killAll])),
        ] + done(phase, .start) + refused(phase, .notPaused, .unpause) + refused(phase, .running, remove)
            + ends(phase)
    }

    private static var pausedRules: [Rule] {
        let phase = Machine.Phase.paused(run)
        return [
            Rule(phase, stop, .stopping(run, restarting: false), .perform([.signal(15), .thaw])),
            Rule(phase, restart, .stopping(run, restarting: true), .perform([.record([]), .signal(15), .thaw])),
            Rule(phase, .escalate, phase, .perform([.killAll])),
            Rule(phase, sigkill, .stopping(run, restarting: false), .perform([.signal(9)])),
            Rule(phase, hangup, phase, .perform([.signal(1)])),
            Rule(phase, .unpause, .resuming(run, nil), .perform([.thaw])),
            Rule(phase, force, .stopping(run, restarting: false), .perform([.killAll])),
        ] + refused(phase, .startPaused, .start) + refused(phase, .alreadyPaused, .pause)
            + refused(phase, .pausedOnRemove, remove) + ends(phase)
    }

    private static var freezerRules: [Rule] {
        let pausing = Machine.Phase.pausing(run, nil)
        let resuming = Machine.Phase.resuming(run, nil)
        let over = Machine.Phase.ending(ended, restarting: false)
        let gone = Machine.Phase.ending(lost, restarting: false)
        var rules = [
            Rule(pausing, .frozen, .paused(run), .perform([.record([.pause])])),
            Rule(pausing, .freezeFailed, .running(run), .done),
            Rule(resuming, .thawed, .running(run), .perform([.record([.unpause])])),
            Rule(resuming, .thawFailed, .paused(run), .done),
            Rule(pausing, .exited(exit), .pausing(run, .exited(exit)), .done),
            Rule(pausing, .lost(at: later), .pausing(run, .lost(later)), .done),
            Rule(.pausing(run, .lost(later)), .exited(exit), .pausing(run, .exited(exit)), .done),
            Rule(resuming, .exited(exit), .resuming(run, .exited(exit)), .done),
            Rule(resuming, .lost(at: later), .resuming(run, .lost(later)), .done),
        ]
        let settling: [Machine.Input] = [.frozen, .freezeFailed, .thawed, .thawFailed]
        for phase in [Machine.Phase.pausing(run, .exited(exit)), .resuming(run, .exited(exit))] {
            rules += settling.map { Rule(phase, $0, over, .perform([.record([.die]), .deleteTask])) }
        }
        let orphan = Machine.Phase.pausing(run, .lost(later))
        rules += settling.map { Rule(orphan, $0, gone, .perform([.killAll, .record([.die]), .deleteTask])) }
        for phase in [pausing, resuming, .pausing(run, .exited(exit)), .resuming(run, .exited(exit)), orphan] {
            rules += joined(phase, commands)
            rules.append(Rule(phase, .outOfMemory, phase, .perform([.record([.outOfMemory])])))
            rules.append(Rule(phase, .escalate, phase, .join))
        }
        return rules
    }

    private static var stoppingRules: [Rule] {
        [false, true].flatMap { restarting in
            let phase = Machine.Phase.stopping(run, restarting: restarting)
            // The row changes with what is to follow.
            let (begun, givenUp): ([Machine.Action], [Machine.Action]) =
                restarting ? ([], [.record([])]) : ([.record([])], [])
            return [
                Rule(phase, stop, phase, .perform([.signal(15)])),
                Rule(phase, restart, .stopping(run, restarting: true), .perform(begun + [.signal(15)])),
                Rule(phase, sigkill, phase, .perform([.signal(9)])), Rule(phase, hangup, phase, .perform([.signal(1)])),
                Rule(phase, .escalate, phase, .perform([.killAll])),
                Rule(phase, .restartGivenUp, .stopping(run, restarting: false), .perform([.record([])])),
                Rule(phase, force, .stopping(run, restarting: false), .perform(givenUp + [.killAll])),
                restarting
                    ? Rule(phase, .pause, phase, .refuse(.restarting))
                    : Rule(phase, .pause, .pausing(run, nil), .perform([.freeze])),
            ] + (restarting ? joined(phase, [.start]) : done(phase, .start)) + refused(phase, .notPaused, .unpause)
                + refused(phase, .running, remove) + ends(phase, restarting: restarting)
        }
    }

    private static var endingRules: [Rule] {
        var rules: [Rule] = []
        for restarting in [false, true] {
            let phase = Machine.Phase.ending(ended, restarting: restarting)
            rules.append(Rule(phase, .settled, .exited(ended), .done))
            rules += joined(phase, [.start, remove, force])
            rules += done(phase, stop, restart)
            rules += refused(phase, .notRunning, sigkill, hangup, .pause)
            rules += refused(phase, .notPaused, .unpause)
        }
        let given = Machine.Phase.ending(ended, restarting: true)
        rules.append(
            Rule(given, .restartGivenUp, .ending(ended, restarting: false), .perform([.record([])])))
        return rules
    }

    private static var waitingRules: [Rule] {
        let phase = Machine.Phase.waiting(ended)
        let rest = Machine.Phase.exited(ended)
        return [
            Rule(phase, .retry(0), .starting(ended, nil), .perform([.launch])),
            Rule(phase, stop, rest, .perform([.record([])])), Rule(phase, restart, rest, .perform([.record([])])),
            Rule(phase, sigkill, rest, .perform([.record([])])),
            Rule(phase, force, .removing(ended), .perform([.record([]), .deleteContents])),
        ] + done(phase, .start, hangup) + refused(phase, .restarting, .pause)
            + refused(phase, .notPaused, .unpause) + refused(phase, .restartingOnRemove, remove)
    }

    private static var removingRules: [Rule] {
        let phase = Machine.Phase.removing(ended)
        let removed = Machine.Phase.removed(ended)
        return [
            Rule(phase, .removed, removed, .done),
            Rule(phase, .removeFailed("busy"), .dead(ended, reason: "busy"), .perform([.record([])])),
        ] + done(phase, stop, restart) + refused(phase, .markedForRemoval, .start)
            + refused(phase, .removalInProgress, remove, force)
            + refused(phase, .notRunning, sigkill, hangup, .pause) + refused(phase, .notPaused, .unpause)
            + commands.map { Rule(removed, $0, removed, .refuse(.gone)) }
    }
}
