import EngineAPI

extension ContractCase {
    static let healthCases = [
        ContractCase("A container whose check succeeds is healthy, one whose check fails too often is not") { scene in
            let engine = scene.engine
            let id = try await scene.start("touch /well; exec sleep 60") { spec in
                spec.healthCheck = Self.quick("echo looked; test -e /well")
            }
            let healthy = try await Self.health(engine, id) { $0.status == .healthy }
            try expectEqual(healthy.failingStreak, 0)
            try expectEqual(healthy.log.last?.exitCode, 0)
            try expectEqual(healthy.log.last?.output, "looked\n")
            let exec = try await engine.createExec(id, ExecSpec(command: ["rm", "/well"]))
            try await engine.startExecDetached(exec)
            let unhealthy = try await Self.health(engine, id) { $0.status == .unhealthy }
            try expect(unhealthy.failingStreak >= 2, "\(unhealthy)")
            try expectEqual(unhealthy.log.last?.exitCode, 1)
            try expect(unhealthy.log.count <= 5, "\(unhealthy.log.count) results are kept")
            var request = EventRequest()
            (request.since, request.until) = (Timestamp(nanosecondsSinceEpoch: 0), .now())
            (request.containers, request.actions) = ([id], ["health_status"])
            var words: [String] = []
            for try await event in try await engine.events(request) { words.append(event.action) }
            try expectEqual(words, ["health_status: healthy", "health_status: unhealthy"])
        },
        ContractCase("A check that takes too long is ended and counts as failed") { scene in
            let id = try await scene.start("exec sleep 60") { spec in
                spec.healthCheck = Self.quick("sleep 50")
                spec.healthCheck?.timeout = .milliseconds(50)
            }
            let state = try await Self.health(scene.engine, id) { $0.status == .unhealthy }
            try expectEqual(state.log.last?.exitCode, -1)
            try expect(state.log.last?.output.contains("exceeded timeout") == true, "\(state.log)")
        },
        ContractCase("Where nobody asks there is no health") { scene in
            let plain = try await scene.start("exec sleep 60")
            try expectEqual(try await scene.engine.inspect(plain).state.health, nil)
            let silent = try await scene.start("exec sleep 60") { $0.healthCheck = HealthCheck(test: ["NONE"]) }
            try expectEqual(try await scene.engine.inspect(silent).state.health, nil)
        },
    ]

    private static func quick(_ line: String) -> HealthCheck {
        var check = HealthCheck(test: ["CMD-SHELL", line])
        check.interval = .milliseconds(20)
        check.retries = 2
        return check
    }

    private static func health(
        _ engine: any Engine, _ id: String, until holds: (HealthState) -> Bool
    ) async throws -> HealthState {
        for _ in 0..<1000 {
            if let state = try await engine.inspect(id).state.health, holds(state) { return state }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw ContractFailure(description: "health: \(try await engine.inspect(id).state)")
    }
}
