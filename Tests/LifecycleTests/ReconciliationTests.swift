import EngineAPI
import Storage
import Tasks
import Testing

@testable import Lifecycle

@Suite struct ReconciliationTests {
    static let now = Timestamp(nanosecondsSinceEpoch: 1000)
    static let started = Timestamp(nanosecondsSinceEpoch: 100)
    static let initial = ProcessIdentity(pid: 9, startTicks: 90)
    static let exit = TaskExit(code: 5, time: Timestamp(nanosecondsSinceEpoch: 500))
    static let run = LifecycleMachine.Run(initial: initial, startedAt: started)

    enum Seen: CaseIterable { case nothing, created, running, paused, stopped, unreachable, lost }

    static func facts(_ seen: Seen) -> [TaskFacts] {
        var facts = TaskFacts(id: "c", status: .running)
        facts.initial = initial
        facts.startedAt = started
        switch seen {
        case .nothing: return []
        case .created: facts.status = .created
        case .running: break
        case .paused: facts.status = .paused
        case .stopped:
            facts.status = .stopped
            facts.exit = exit
        case .unreachable: facts.status = .unreachable
        case .lost: facts.status = .lost
        }
        return [facts]
    }

    static func row(_ phase: ContainerRow.Phase, boot: String = "now") -> ContainerRow {
        var state = ContainerRow.State(phase: phase)
        state.bootID = boot
        if phase != .created { state.startedAt = started.nanosecondsSinceEpoch }
        if phase == .exited || phase == .dead {
            state.finishedAt = 200
            state.exitCode = 1
        }
        return ContainerRow(id: "c", name: "web", createdAt: 1, definition: "{}", state: state)
    }

    static func ended(_ code: Int32, at time: Timestamp, _ error: String = "") -> LifecycleMachine.Phase {
        var rest = LifecycleMachine.Rest()
        rest.exitCode = code
        rest.error = error
        rest.startedAt = started
        rest.finishedAt = time
        return .ending(rest, restarting: false)
    }

    func decide(_ row: ContainerRow, _ seen: Seen) -> Reconciliation.Container? {
        let plan = Reconciliation(rows: [row], facts: Self.facts(seen), bootID: "now", now: Self.now)
        #expect(plan.strays.isEmpty && plan.unmade.isEmpty)
        return plan.containers["c"]
    }

    @Test("A container that runs under its shim is adopted, and told to have changed only where it has")
    func adopts() {
        #expect(decide(Self.row(.running), .running) == .init(phase: .running(Self.run), actions: []))
        #expect(decide(Self.row(.paused), .paused) == .init(phase: .paused(Self.run), actions: []))
        #expect(decide(Self.row(.running), .paused) == .init(phase: .paused(Self.run), actions: [.record([.pause])]))
        #expect(decide(Self.row(.paused), .running) == .init(phase: .running(Self.run), actions: [.record([.unpause])]))
    }

    @Test("A container whose shim is there and does not answer goes on as it was")
    func unreachable() {
        #expect(decide(Self.row(.running), .unreachable) == .init(phase: .running(Self.run), actions: []))
        #expect(decide(Self.row(.paused), .unreachable) == .init(phase: .paused(Self.run), actions: []))
    }

    @Test("An exit that nobody saw is recorded with its own time", arguments: [ContainerRow.Phase.running, .paused])
    func unseenExit(phase: ContainerRow.Phase) {
        let expected = Reconciliation.Container(
            phase: Self.ended(5, at: Self.exit.time), actions: [.record([.die]), .deleteTask])
        #expect(decide(Self.row(phase), .stopped) == expected)
    }

    @Test("A container whose shim is lost is ended by its cgroup", arguments: [Seen.nothing, .lost, .created])
    func shimLost(seen: Seen) {
        let expected = Reconciliation.Container(
            phase: Self.ended(137, at: Self.now, "shim lost"), actions: [.killAll, .record([.die]), .deleteTask])
        #expect(decide(Self.row(.running), seen) == expected)
    }

    @Test("A container of another boot has ended with it", arguments: [Seen.nothing, .lost])
    func otherBoot(seen: Seen) {
        let expected = Reconciliation.Container(
            phase: Self.ended(255, at: Self.now, "host restarted"), actions: [.record([.die]), .deleteTask])
        #expect(decide(Self.row(.running, boot: "before"), seen) == expected)
    }

    @Test("A start that took effect is finished, one that did not is undone")
    func halfStarted() {
        let created = Self.row(.created)
        let rest = created.state.rest
        #expect(decide(created, .running) == .init(phase: .running(Self.run), actions: [.record([.start])]))
        #expect(decide(created, .created) == .init(phase: .created(rest), actions: [.killAll, .deleteTask]))
        #expect(decide(created, .lost) == .init(phase: .created(rest), actions: [.killAll, .deleteTask]))
        #expect(decide(created, .nothing) == .init(phase: .created(rest), actions: []))
        let expected = Reconciliation.Container(
            phase: Self.ended(5, at: Self.exit.time), actions: [.record([.start, .die]), .deleteTask])
        #expect(decide(created, .stopped) == expected)
        #expect(decide(Self.row(.exited), .stopped) == expected)
    }

    @Test("The task of an end that was recorded is only cleaned away")
    func recordedExit() {
        var row = Self.row(.exited)
        row.state.finishedAt = Self.exit.time.nanosecondsSinceEpoch
        #expect(decide(row, .stopped) == .init(phase: .exited(row.state.rest), actions: [.killAll, .deleteTask]))
        #expect(decide(row, .nothing) == .init(phase: .exited(row.state.rest), actions: []))
    }

    @Test("A removal goes on, a creation is undone, and a task of nobody is ended", arguments: Seen.allCases)
    func unfinished(seen: Seen) {
        let removing = Self.row(.removing)
        let expected = Reconciliation.Container(
            phase: .removing(removing.state.rest), actions: [.deleteTask, .deleteContents])
        #expect(decide(removing, seen) == expected)
        let undo = Reconciliation(rows: [Self.row(.creating)], facts: Self.facts(seen), bootID: "now", now: Self.now)
        #expect(undo.unmade == ["c"] && undo.containers.isEmpty && undo.strays.isEmpty)
        let stray = Reconciliation(rows: [], facts: Self.facts(seen), bootID: "now", now: Self.now)
        #expect(stray.strays == (seen == .nothing ? [] : ["c"]))
        #expect(stray.containers.isEmpty)
    }

    @Test("A dead container stays dead")
    func dead() {
        let row = Self.row(.dead)
        #expect(decide(row, .nothing)?.phase == .dead(row.state.rest, reason: ""))
    }

    @Test("A container that removes itself and had ended is removed; one that never ran, or runs, stays")
    func disposal() throws {
        let ended = try #require(decide(Self.row(.exited), .nothing)).disposed
        #expect(ended.actions == [.deleteTask, .deleteContents])
        guard case .removing(let rest) = ended.phase else {
            Issue.record("\(ended.phase)")
            return
        }
        #expect(rest.exitCode == 1)
        for (phase, seen) in [(ContainerRow.Phase.created, Seen.nothing), (.running, .running)] {
            let kept = try #require(decide(Self.row(phase), seen))
            #expect(kept.disposed == kept)
        }
    }

    @Test("A restart that has not ended its process is gone on with; where that has ended since, it is started")
    func restarting() {
        func row(_ boot: String = "now") -> ContainerRow {
            var row = Self.row(.restarting, boot: boot)
            row.state.pid = Self.initial.pid
            return row
        }
        for (seen, phase) in [
            (Seen.running, LifecycleMachine.Phase.running(Self.run)), (.unreachable, .running(Self.run)),
            (.paused, .paused(Self.run)),
        ] {
            let decision = decide(row(), seen)
            #expect(decision?.phase == phase && decision?.isRestarting == true, "\(seen)")
        }
        func waiting(_ ending: LifecycleMachine.Phase) -> LifecycleMachine.Phase? {
            if case .ending(let rest, _) = ending { .waiting(rest) } else { nil }
        }
        let start = [.record([.die]), .deleteTask, .wait(.zero, retry: 0)] as [LifecycleMachine.Action]
        let ended = decide(row(), .stopped)
        #expect(ended?.phase == waiting(Self.ended(5, at: Self.exit.time)) && ended?.actions == start)
        let lost = decide(row(), .lost)
        #expect(lost?.phase == waiting(Self.ended(137, at: Self.now, "shim lost")))
        #expect(lost?.actions == [.killAll] + start)
        let rebooted = decide(row("before"), .nothing)
        #expect(rebooted?.phase == waiting(Self.ended(255, at: Self.now, "host restarted")))
        #expect(rebooted?.actions == start && rebooted?.isRestarting == false)
    }
}
