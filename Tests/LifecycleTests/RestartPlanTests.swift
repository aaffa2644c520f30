import EngineAPI
import Testing

@testable import Lifecycle

@Suite struct RestartPlanTests {
    private static func rest(_ code: Int32, ranSeconds: Int64 = 0) -> LifecycleMachine.Rest {
        var rest = LifecycleMachine.Rest()
        rest.exitCode = code
        rest.startedAt = Timestamp(nanosecondsSinceEpoch: 0)
        rest.finishedAt = Timestamp(nanosecondsSinceEpoch: ranSeconds * 1_000_000_000)
        return rest
    }

    @Test("The pause doubles from 100 ms to a minute, and begins anew after a run of ten seconds")
    func pauses() {
        var plan = RestartPlan(RestartPolicy(.always))
        var pauses: [Duration] = []
        for _ in 0..<12 {
            plan.end(Self.rest(1))
            pauses.append(plan.pending ?? .zero)
        }
        let doubled = (0..<10).map { Duration.milliseconds(100 << $0) }
        #expect(pauses == doubled + [.seconds(60), .seconds(60)])
        #expect(plan.count == 12)
        plan.end(Self.rest(1, ranSeconds: 10))
        #expect(plan.pending == .milliseconds(100))
        plan.startByHand()
        #expect(plan.count == 0 && plan.pending == nil)
    }

    @Test("A start that the policy wanted and that failed is tried again, later each time, and as often as it says")
    func failedStarts() {
        var plan = RestartPlan(RestartPolicy(.onFailure, maximumRetries: 4))
        plan.failStart(exitCode: 127)
        #expect(plan.pending == nil, "nothing was pending")
        plan.end(Self.rest(1, ranSeconds: 100))
        var pauses = [plan.pending]
        for _ in 0..<4 {
            plan.failStart(exitCode: 127)
            pauses.append(plan.pending)
        }
        #expect(pauses == [100, 200, 400, 800].map { .milliseconds($0) } + [nil])
        #expect(plan.count == 4)
        plan = RestartPlan(RestartPolicy(.always))
        plan.end(Self.rest(0))
        _ = plan.stopByHand()
        plan.failStart(exitCode: 127)
        #expect(plan.pending == nil, "it was stopped by hand")
    }

    @Test(
        "A policy starts again whom it is meant for",
        arguments: [
            (RestartPolicy(.no), Int32(1), false), (RestartPolicy(.always), 0, true),
            (RestartPolicy(.unlessStopped), 0, true), (RestartPolicy(.onFailure), 0, false),
            (RestartPolicy(.onFailure), 3, true),
        ])
    func policies(policy: RestartPolicy, code: Int32, restarts: Bool) {
        var plan = RestartPlan(policy)
        plan.end(Self.rest(code))
        #expect((plan.pending != nil) == restarts)
        plan.startByHand()
        _ = plan.stopByHand()
        plan.end(Self.rest(code))
        #expect(plan.pending == nil, "it was stopped by hand")
    }

    @Test("A count of retries is not passed")
    func retries() {
        var plan = RestartPlan(RestartPolicy(.onFailure, maximumRetries: 2))
        let pending = (0..<3).map { _ -> Bool in
            plan.end(Self.rest(1))
            return plan.pending != nil
        }
        #expect(pending == [true, true, false])
        #expect(plan.count == 2)
    }

    @Test("With the machine starts what ran or should have, and with `always` also what was stopped by hand")
    func withMachine() {
        func starts(_ kind: RestartPolicy.Kind, byHand: Bool, code: Int32) -> Bool {
            RestartPlan(RestartPolicy(kind), isStoppedByHand: byHand).startsWithMachine(exitCode: code)
        }
        #expect(starts(.always, byHand: true, code: 0) && starts(.always, byHand: false, code: 0))
        #expect(!starts(.unlessStopped, byHand: true, code: 0) && starts(.unlessStopped, byHand: false, code: 0))
        #expect(!starts(.onFailure, byHand: false, code: 0) && starts(.onFailure, byHand: false, code: 1))
        #expect(!starts(.no, byHand: false, code: 1))
    }

    @Test("What starts with the machine and fails is tried again, also where it had been stopped by hand before")
    func failsWithMachine() {
        var machine = LifecycleMachine(
            .waiting(Self.rest(0)), removesItself: false,
            restarts: RestartPlan(RestartPolicy(.always), isStoppedByHand: true))
        #expect(machine.receive(.retry(0)) == .perform([.launch]))
        let failure = LifecycleMachine.StartFailure(exitCode: 127, message: "the disk is late")
        #expect(
            machine.receive(.launchFailed(failure))
                == .perform([.record([]), .wait(.milliseconds(100), retry: 1)]))
        #expect(machine.state.status == .restarting && machine.state.error == "the disk is late")
        #expect(!machine.row(bootID: "b").isStoppedByHand)
        #expect(machine.receive(.retry(1)) == .perform([.launch]))
        #expect(
            machine.receive(.launchFailed(failure))
                == .perform([.record([]), .wait(.milliseconds(200), retry: 2)]))
    }

    @Test(
        "An end leads to a pause and a start where the policy says so; a stop by hand is told first")
    func machine() {
        var machine = LifecycleMachine(
            .running(LifecycleMachineTests.run), removesItself: false, restarts: RestartPlan(RestartPolicy(.always)))
        #expect(machine.receive(.exited(LifecycleMachineTests.exit)) == .perform([.record([.die]), .deleteTask]))
        #expect(machine.state.status == .restarting)
        #expect(machine.row(bootID: "b").phase == .restarting)
        #expect(machine.receive(.settled) == .perform([.wait(.milliseconds(100), retry: 1)]))
        #expect(machine.receive(.retry(0)) == .done, "a pause of another start")
        #expect(machine.receive(.retry(1)) == .perform([.launch]))
        #expect(machine.state.status == .restarting)
        let launched = LifecycleMachine.Input.launched(
            LifecycleMachineTests.initial, at: LifecycleMachineTests.time)
        #expect(machine.receive(launched) == .perform([.record([.start])]))
        let stop = LifecycleMachine.Input.stop(signal: 15, restarting: false)
        #expect(machine.receive(stop) == .perform([.record([]), .signal(15)]))
        #expect(machine.row(bootID: "b").isStoppedByHand)
        _ = machine.receive(.exited(LifecycleMachineTests.exit))
        #expect(machine.receive(.settled) == .done)
        #expect(machine.phase == .exited(LifecycleMachineTests.ended))
    }
}
