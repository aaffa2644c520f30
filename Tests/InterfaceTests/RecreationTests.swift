import EngineAPI
import Terminal
import Testing

@testable import Interface

/// A container made anew, step by step, and undone wherever that ends.
@MainActor
@Suite(.timeLimit(.minutes(1)))
struct RecreationTests {
    /// With the question answered, and the engine at work.
    private static func begun(_ engine: ScriptedEngine) throws -> Session {
        let session = try Session(engine)
        session.untilSeen("web")
        session.type("c")
        session.until { session.loop.model.keyContext == .form }
        session.type("<enter>y")
        return session
    }

    private static func engine() -> ScriptedEngine {
        ScriptedEngine(containers: [Sample.container(id: Sample.id(1), name: "web", .running)])
    }

    /// What the engine was asked to change, and to attach to the new one.
    private static func steps(_ engine: ScriptedEngine) -> [String] {
        let verbs = ["create", "stop", "rename", "start", "remove"]
        return engine.calls.filter { call in verbs.contains { call.hasPrefix("\($0) ") } || call == "attach 101" }
    }

    /// The one there is: its name, its id's end, how it is.
    private static func state(_ engine: ScriptedEngine) -> [String] {
        engine.state.withLock { $0.containers.map { "\($0.name) \($0.id.suffix(3)) \($0.state.status.rawValue)" } }
    }

    private static let mark = String(repeating: "a", count: 12)

    @Test("The old one keeps its name and runs until there is another to take its place")
    func order() throws {
        let engine = Self.engine()
        let session = try Self.begun(engine)
        session.until { Self.state(engine) == ["web 101 running"] }
        #expect(
            Self.steps(engine) == [
                "create gantry/starter:latest web-next-\(Self.mark) -", "stop aa1", "rename aa1 web-\(Self.mark)",
                "rename 101 web", "attach 101", "start 101", "remove aa1",
            ])
        _ = session.finish()
    }

    @Test("What cannot be made at all stops nothing")
    func refused() throws {
        let engine = Self.engine()
        engine.fail("create", with: EngineError(.invalid, "invalid port"))
        let session = try Self.begun(engine)
        session.untilSeen("invalid port")
        #expect(Self.state(engine) == ["web aa1 running"] && !engine.calls.contains { $0.hasPrefix("stop") })
        _ = session.finish()
    }

    @Test("A start that fails puts the old one back", arguments: ["attach", "start"])
    func failed(_ call: String) throws {
        let engine = Self.engine()
        let session = try Session(engine)
        session.until { engine.stream(of: Sample.id(1)) != nil }
        session.type("c")
        session.until { session.loop.model.keyContext == .form }
        engine.fail(call, with: EngineError(.internal, "no cgroup"))
        session.type("<enter>y")
        session.untilSeen("no cgroup")
        #expect(Self.state(engine).map { $0.prefix(7) } == ["web aa1"])
        #expect(Self.steps(engine).contains("remove 101 force") && Self.steps(engine).last == "start aa1")
        if call == "start" { #expect(session.screen.text.contains("could not be put back")) }
        _ = session.finish()
    }

    @Test(
        "An end in the middle waits until the old one is back",
        arguments: [InputEvent.terminate(signal: 15), .hangup, .key(.character("q"))])
    func ended(_ event: InputEvent) throws {
        let engine = Self.engine()
        engine.hold("stop")
        let session = try Self.begun(engine)
        session.until { engine.calls.contains("stop aa1") }
        if case .key = event {
            session.type("<esc>")
            session.until { session.loop.model.keyContext == .containers }
        }
        session.screen.onFrame = { [engine, screen = session.screen] in
            guard screen.text.contains("recreate web: being undone before the end") else { return }
            #expect(screen.text.hasSuffix("q ends at once"), "no other key does anything: \(screen.text)")
            engine.release("stop")
        }
        session.screen.send(event)
        session.until { session.loop.exit != nil }
        _ = session.finish()
        #expect(Self.state(engine) == ["web aa1 running"])
        #expect(Self.steps(engine).suffix(2) == ["remove 101 force", "start aa1"])
    }

    @Test("Who asks for the end once more has it, and the old one has its name")
    func endedAtOnce() throws {
        let engine = Self.engine()
        engine.hold("stop")
        let session = try Self.begun(engine)
        session.until { engine.calls.contains("stop aa1") }
        session.screen.onFrame = { [screen = session.screen] in
            if screen.text.contains("being undone") { screen.send(.key(.character("q"))) }
        }
        session.screen.send(.terminate(signal: 15))
        session.until { session.loop.exit != nil }
        _ = session.finish()
        #expect(Self.state(engine).contains("web aa1 running"))
        engine.release("stop")
    }

    @Test("What is given up once the new one runs is not undone")
    func lateCancel() throws {
        let engine = Self.engine()
        let session = try Session(engine)
        session.untilSeen("web")
        session.until { engine.stream(of: Sample.id(1)) != nil }
        engine.hold("resize")
        session.type("c")
        session.until { session.loop.model.keyContext == .form }
        session.type("<enter>y")
        session.until { engine.calls.contains("start 101") }
        session.type("<esc>")
        session.until { session.loop.model.keyContext != .form }
        engine.release("resize")
        session.until { Self.state(engine) == ["web 101 running"] }
        #expect(!engine.calls.contains("start aa1") && !engine.calls.contains("remove 101 force"))
        session.until { session.loop.model.selectedContainer?.id == Sample.id(101) }
        _ = session.finish()
    }

    @Test("An engine that goes away in the middle has the old one back once it answers again")
    func engineLost() throws {
        let engine = Self.engine()
        engine.hold("stop")
        let session = try Self.begun(engine)
        session.until { engine.calls.contains("stop aa1") }
        engine.goAway(true)
        engine.release("stop")
        // The first attempt to put it back finds nobody.
        session.until { engine.calls.contains("remove 101 force") }
        engine.goAway(false)
        session.until { Self.state(engine) == ["web aa1 running"] }
        _ = session.finish()
    }
}
