import EngineAPI
import LocalEngine
import Testing

@Suite(
    .enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"),
    .timeLimit(.minutes(2)))
struct HealthOutputTests {
    @Test("What a health check said before its time was over is in its result")
    func healthOutput() async throws {
        try await EngineBench.with { engine, bench in
            let id = try await bench.create("exec sleep 600", on: engine) { spec in
                var check = HealthCheck(test: ["CMD-SHELL", "echo looked; sleep 50"])
                check.interval = .milliseconds(20)
                check.timeout = .seconds(1)
                check.retries = 1
                spec.healthCheck = check
            }
            try await engine.start(id)
            let expected = "Health check exceeded timeout (1s): looked\n"
            while try await engine.inspect(id).state.health?.log.last?.output != expected {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    @Test("What a check says beyond docker's limit is cut, and told of also after the next start")
    func longOutput() async throws {
        try await EngineBench.with { engine, bench in
            let id = try await bench.create("exec sleep 600", on: engine) { spec in
                var check = HealthCheck(test: ["CMD-SHELL", "yes | head -c 5000"])
                check.interval = .milliseconds(500)
                spec.healthCheck = check
            }
            try await engine.start(id)
            while try await engine.inspect(id).state.health?.log.isEmpty != false {
                try await Task.sleep(for: .milliseconds(10))
            }
            let said = try #require(try await engine.inspect(id).state.health?.log.last?.output)
            #expect(said == String(repeating: "y\n", count: 2048) + "...")
            try await engine.kill(id, signal: "KILL")
            _ = try await engine.wait(id, for: .notRunning)
            let before = try #require(try await engine.inspect(id).state.health?.log.last)
            try await engine.start(id)
            #expect(try await engine.inspect(id).state.health?.log.contains(before) == true)
        }
    }
}
