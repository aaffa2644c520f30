import EngineAPI
import Glibc
import Linux
import LocalEngine
import Testing

/// What is asked of a container while a stop waits for its end. Its first process takes no notice of TERM: nothing is
/// delivered to the first of a pid namespace that it has not asked for.
@Suite(
    .enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"),
    .timeLimit(.minutes(2)))
struct StopTests {
    private func whileStopping(_ body: (GantryEngine, String) async throws -> Void) async throws {
        try await EngineBench.with { engine, bench in
            let id = try await bench.create("exec sleep 600", on: engine)
            try await engine.start(id)
            async let stopped: Void = engine.stop(id, signal: "TERM", timeoutSeconds: -1)
            while try await !Self.actions(of: id, engine).contains("kill") {
                try await Task.sleep(for: .milliseconds(10))
            }
            do { try await body(engine, id) } catch {
                try await engine.kill(id, signal: "KILL")
                throw error
            }
            try await engine.kill(id, signal: "KILL")
            try await stopped
            let state = try await engine.inspect(id).state
            #expect(state.status == .exited && state.exitCode == 137)
        }
    }

    private static func actions(of id: String, _ engine: GantryEngine) async throws -> [String] {
        var request = EventRequest()
        (request.since, request.until) = (Timestamp(nanosecondsSinceEpoch: 0), .now())
        request.containers = [id]
        var actions: [String] = []
        for try await event in try await engine.events(request) { actions.append(event.action) }
        return actions
    }

    @Test("A start is told that the container runs, and does not bring it up again afterwards")
    func start() async throws {
        try await whileStopping { engine, id in
            let error = await #expect(throws: EngineError.self) { try await engine.start(id) }
            #expect(error?.kind == .notModified)
        }
    }

    @Test("A pause takes effect, and who lets it go on finds the stop still waiting")
    func pause() async throws {
        try await whileStopping { engine, id in
            let error = await #expect(throws: EngineError.self) { try await engine.unpause(id) }
            #expect(error?.message == "Container \(id) is not paused")
            try await engine.pause(id)
            #expect(try await engine.inspect(id).state.status == .paused)
            try await engine.unpause(id)
            #expect(try await engine.inspect(id).state.status == .running)
        }
    }

    @Test("A restart that waits lets nobody pause the container, and a start wait for what it makes")
    func restart() async throws {
        try await EngineBench.with { engine, bench in
            let id = try await bench.create("exec sleep 600", on: engine)
            try await engine.start(id)
            let before = try await engine.inspect(id).state.pid
            async let restarted: Void = engine.restart(id, signal: "TERM", timeoutSeconds: -1)
            while try await !Self.actions(of: id, engine).contains("kill") {
                try await Task.sleep(for: .milliseconds(10))
            }
            let error = await #expect(throws: EngineError.self) { try await engine.pause(id) }
            #expect(error?.kind == .conflict)
            let starting = Task { try? await engine.start(id) }  // It runs already, where the restart was quicker.
            try await engine.kill(id, signal: "KILL")
            try await restarted
            _ = await starting.value
            let state = try await engine.inspect(id).state
            #expect(state.status == .running && state.pid != before)
        }
    }
}
