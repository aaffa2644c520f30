import EngineAPI
import Storage
import Tasks
import Testing

@testable import Lifecycle

/// The machine as a table: every phase, every input.
@Suite struct LifecycleMachineTests {
    typealias Machine = LifecycleMachine

    static let initial = ProcessIdentity(pid: 42, startTicks: 4200)
    static let time = Timestamp(nanosecondsSinceEpoch: 10)
    static let later = Timestamp(nanosecondsSinceEpoch: 20)
    static let run = Machine.Run(initial: initial, startedAt: time)
    static let exit = TaskExit(code: 3, time: later, oomKilled: true)
    static let fresh = Machine.Rest()
    static let ended = rest(code: 3, oom: true)
    static let lost = rest(code: 137, error: "shim lost")
    static let failed = Machine.StartFailure(exitCode: 127, message: "not found")

    static func rest(code: Int32, oom: Bool = false, error: String = "") -> Machine.Rest {
        var rest = Machine.Rest()
        rest.exitCode = code
        rest.oomKilled = oom
        rest.error = error
        rest.startedAt = time
        rest.finishedAt = later
        return rest
    }

    static func with(_ rest: Machine.Rest, _ failure: Machine.StartFailure) -> Machine.Rest {
        var rest = rest
        rest.exitCode = failure.exitCode
        rest.error = failure.message
        return rest
    }

    static let phases: [Machine.Phase] = [
        .created(fresh), .starting(fresh, nil), .starting(ended, nil), .starting(fresh, .exited(exit)),
        .starting(fresh, .lost(later)), .running(run), .pausing(run, nil), .pausing(run, .exited(exit)),
        .pausing(run, .lost(later)), .paused(run), .resuming(run, nil), .resuming(run, .exited(exit)),
        .stopping(run, restarting: false), .stopping(run, restarting: true), .ending(ended, restarting: false),
        .ending(ended, restarting: true), .exited(ended), .waiting(ended), .removing(ended),
        .dead(ended, reason: "busy"),
        .removed(ended),
    ]
    static let commands: [Machine.Input] = [
        .start, .stop(signal: 15, restarting: false), .stop(signal: 15, restarting: true), .kill(signal: 9, ends: true),
        .kill(signal: 1, ends: false), .pause, .unpause, .remove(force: false), .remove(force: true),
    ]
    static let reports: [Machine.Input] = [
        .escalate, .launched(initial, at: time), .launchFailed(failed), .launchPutOff, .frozen, .freezeFailed, .thawed,
        .thawFailed, .settled, .restartGivenUp, .retry(0), .removed, .removeFailed("busy"), .exited(exit),
        .lost(at: later), .outOfMemory,
    ]

    /// What an input does, where it does anything: the phase after it and the output.
    struct Rule: CustomTestStringConvertible {
        let phase: Machine.Phase
        let input: Machine.Input
        let next: Machine.Phase
        let output: Machine.Output
        var testDescription: String { "\(input) while \(phase)" }

        init(_ phase: Machine.Phase, _ input: Machine.Input, _ next: Machine.Phase, _ output: Machine.Output) {
            self.phase = phase
            self.input = input
            self.next = next
            self.output = output
        }
    }

    @Test("Each input that matters in a phase leads where docker leads", arguments: rules)
    func rule(_ rule: Rule) {
        var machine = Machine(rule.phase, removesItself: false)
        #expect(machine.receive(rule.input) == rule.output)
        #expect(machine.phase == rule.next)
    }

    @Test("A report that does not concern a phase changes nothing")
    func strangeReports() {
        let told = Set(Self.rules.map { Pair(phase: $0.phase, input: $0.input) })
        for phase in Self.phases {
            for input in Self.reports where !told.contains(Pair(phase: phase, input: input)) {
                var machine = Machine(phase, removesItself: false)
                #expect(machine.receive(input) == .done, "\(input) while \(phase)")
                #expect(machine.phase == phase, "\(input) while \(phase)")
            }
        }
    }

    @Test("The table has a line for each command in each phase")
    func complete() {
        let told = Set(Self.rules.map { Pair(phase: $0.phase, input: $0.input) })
        for phase in Self.phases {
            for command in Self.commands {
                #expect(told.contains(Pair(phase: phase, input: command)), "\(command) while \(phase)")
            }
        }
    }

    @Test("A container that removes itself does so after its end and after a failed start, but not when restarted")
    func removesItself() {
        var machine = Machine(.ending(Self.ended, restarting: false), removesItself: true)
        #expect(machine.receive(.settled) == .perform([.record([]), .deleteContents]))
        #expect(machine.phase == .removing(Self.ended))
        machine = Machine(.ending(Self.ended, restarting: true), removesItself: true)
        #expect(machine.receive(.settled) == .done)
        #expect(machine.phase == .exited(Self.ended))
        machine = Machine(.starting(Self.fresh, nil), removesItself: true)
        #expect(machine.receive(.launchFailed(Self.failed)) == .perform([.record([]), .deleteContents]))
        #expect(machine.phase == .removing(Self.with(Self.fresh, Self.failed)))
    }

    @Test("A failed start that the policy wanted is followed by another, and keeps the last run's exit code")
    func failedRestart() {
        var plan = RestartPlan(RestartPolicy(.always))
        plan.end(Self.ended)
        var machine = Machine(.waiting(Self.ended), removesItself: false, restarts: plan)
        #expect(machine.receive(.retry(1)) == .perform([.launch]))
        // The former engine's pause was not known: the first here is the second of the plan.
        let pause = Duration.milliseconds(200)
        #expect(machine.receive(.launchFailed(Self.failed)) == .perform([.record([]), .wait(pause, retry: 2)]))
        var rest = Self.ended
        rest.error = Self.failed.message
        #expect(machine.phase == .waiting(rest))
        #expect(machine.receive(.retry(1)) == .done, "a pause of before")
        #expect(machine.receive(.stop(signal: 15, restarting: false)) == .perform([.record([])]))
        #expect(machine.phase == .exited(rest))
    }

    @Test("A start that was put off is still due where the policy wants it, and is not counted again")
    func putOff() async throws {
        var plan = RestartPlan(RestartPolicy(.onFailure, maximumRetries: 1))
        plan.end(Self.ended)
        var machine = Machine(.waiting(Self.ended), removesItself: false, restarts: plan)
        for _ in 0..<3 {
            #expect(machine.receive(.retry(1)) == .perform([.launch]))
            #expect(machine.receive(.launchPutOff) == .perform([.wait(.seconds(1), retry: 1)]))
            #expect(machine.phase == .waiting(Self.ended))
        }
    }

    @Test("The end of a restart is kept as one that a start follows, until nobody will give that start")
    func restartIsKept() {
        var machine = Machine(.stopping(Self.run, restarting: true), removesItself: false)
        #expect(machine.row(bootID: "now").phase == .restarting && machine.row(bootID: "now").pid == 42)
        _ = machine.receive(.exited(Self.exit))
        #expect(machine.row(bootID: "now").phase == .restarting)
        #expect(machine.receive(.restartGivenUp) == .perform([.record([])]))
        #expect(machine.row(bootID: "now").phase == .exited)
    }

    @Test("A restart by hand that comes at an end does not wait for the policy's pause")
    func restartAtEnd() {
        var machine = Machine(
            .ending(Self.ended, restarting: false), removesItself: false,
            restarts: RestartPlan(RestartPolicy(.always)))
        #expect(machine.restarts.pending != nil)
        #expect(machine.receive(.stop(signal: 15, restarting: true)) == .perform([.record([])]))
        #expect(machine.receive(.start) == .join)
        #expect(machine.receive(.settled) == .done)
        #expect(machine.receive(.start) == .perform([.launch]))
    }

    @Test("Only a phase under way makes anybody wait, and each of them has an input that ends it")
    func joinsEnd() {
        for phase in Self.phases {
            for command in Self.commands {
                var machine = Machine(phase, removesItself: false)
                guard machine.receive(command) == .join else { continue }
                let ways = Self.reports.filter { report in
                    var other = Machine(phase, removesItself: false)
                    _ = other.receive(report)
                    return other.phase != phase
                }
                #expect(!ways.isEmpty, "\(command) waits for ever while \(phase)")
            }
        }
    }

    private struct Pair: Hashable {
        let phase: Machine.Phase
        let input: Machine.Input
    }
}
