import EngineAPI
import Testing

@testable import Lifecycle

@Suite struct HealthMachineTests {
    private static let start = Timestamp(nanosecondsSinceEpoch: 0)

    private static func plan(_ change: (inout HealthCheck) -> Void = { _ in }) throws -> HealthPlan {
        var check = HealthCheck(test: ["CMD", "true"])
        check.retries = 2
        change(&check)
        return try #require(HealthPlan(check))
    }

    private static func result(_ code: Int32, at second: Int64) -> HealthResult {
        let time = Timestamp(nanosecondsSinceEpoch: second * 1_000_000_000)
        return HealthResult(start: time, end: time, exitCode: code, output: "")
    }

    @Test("As many failures in a row as are allowed make it unhealthy, one success healthy")
    func streak() throws {
        var machine = HealthMachine(try Self.plan())
        let steps: [(Int32, Bool, HealthState.Status)] = [
            (1, false, .starting), (1, true, .unhealthy), (1, false, .unhealthy), (0, true, .healthy),
            (1, false, .healthy), (0, false, .healthy), (-1, false, .healthy), (-1, true, .unhealthy),
        ]
        for (index, (code, isNews, status)) in steps.enumerated() {
            #expect(machine.receive(Self.result(code, at: Int64(index)), startedAt: Self.start) == isNews)
            #expect(machine.state.status == status, "step \(index)")
        }
        #expect(machine.state.log.count == 5)
        #expect(machine.state.failingStreak == 2)
    }

    @Test("What was found before a run began is told, but counts for nothing in it")
    func formerRun() throws {
        let former = (1...5).map { Self.result(1, at: $0) }
        var machine = HealthMachine(try Self.plan(), log: former)
        #expect(machine.state == HealthState(status: .starting, failingStreak: 0, log: former))
        let isNews = machine.receive(Self.result(1, at: 6), startedAt: Self.start)
        #expect(!isNews)
        #expect(machine.state.status == .starting && machine.state.log == former.dropFirst() + [Self.result(1, at: 6)])
    }

    @Test("Failures in the start period do not count, and it is asked more often then")
    func startPeriod() throws {
        let plan = try Self.plan { ($0.startPeriod, $0.startInterval) = (.seconds(10), .seconds(1)) }
        var machine = HealthMachine(plan)
        #expect(machine.pause(startedAt: Self.start, now: Self.start) == .seconds(1))
        for second in 0..<9 { _ = machine.receive(Self.result(1, at: Int64(second)), startedAt: Self.start) }
        #expect(machine.state.status == .starting && machine.state.failingStreak == 0)
        let late = Timestamp(nanosecondsSinceEpoch: 10_000_000_000)
        #expect(machine.pause(startedAt: Self.start, now: late) == .seconds(30))
        _ = machine.receive(Self.result(0, at: 5), startedAt: Self.start)
        #expect(machine.pause(startedAt: Self.start, now: Self.start) == .seconds(30))
        _ = machine.receive(Self.result(1, at: 6), startedAt: Self.start)
        #expect(machine.state.failingStreak == 1, "it had started")
    }

    @Test("A container completes its image's check; NONE ends it")
    func merging() {
        var image = HealthCheck(test: ["CMD", "a"])
        image.interval = .seconds(5)
        var own = HealthCheck()
        own.retries = 9
        let merged = HealthCheck.merged(own, image)
        #expect(merged?.test == ["CMD", "a"] && merged?.interval == .seconds(5) && merged?.retries == 9)
        #expect(HealthPlan(HealthCheck.merged(HealthCheck(test: ["NONE"]), image)) == nil)
        #expect(HealthPlan(HealthCheck.merged(nil, nil)) == nil)
        #expect(HealthPlan(HealthCheck(test: ["CMD-SHELL", "x"]))?.command == ["/bin/sh", "-c", "x"])
    }
}
