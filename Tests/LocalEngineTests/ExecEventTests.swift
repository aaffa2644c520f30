import EngineAPI
import LocalEngine
import Testing

/// What is told of execs.
@Suite(.enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"))
struct ExecEventTests {
    @Test("A start is told before the process is there, as docker does: also of one that cannot be run")
    func order() async throws {
        try await EngineBench.with { engine, bench in
            let id = try await bench.create("exec sleep 1000", on: engine)
            try await engine.start(id)
            let begin = Timestamp.now()
            let good = try await engine.createExec(id, ExecSpec(command: ["true"]))
            let stream = try await engine.startExec(good, size: nil)
            while try await stream.read() != nil {}
            await stream.close()
            func told() async throws -> [String] {
                var request = EventRequest()
                (request.since, request.until) = (begin, .now())
                var actions: [String] = []
                for try await event in try await engine.events(request) { actions.append(event.action) }
                return actions
            }
            #expect(
                try await eventually { try await told() == ["exec_create: true", "exec_start: true", "exec_die"] })
            let missing = try await engine.createExec(id, ExecSpec(command: ["/missing"]))
            await #expect(throws: EngineError.self) { _ = try await engine.startExec(missing, size: nil) }
            #expect(
                try await eventually {
                    try await told().dropFirst(3) == ["exec_create: /missing", "exec_start: /missing"]
                })
        }
    }
}
