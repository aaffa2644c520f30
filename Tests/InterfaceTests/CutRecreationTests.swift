import EngineAPI
import Terminal
import Testing

@testable import Interface

/// What a front end that was killed in the middle of a recreation has left.
@MainActor
@Suite(.timeLimit(.minutes(1)))
struct CutRecreationTests {
    private static let (old, new) = (Sample.id(1), Sample.id(9))
    private static let mark = String(old.prefix(12))

    private static func left(
        old oldName: String?, _ oldStatus: ContainerStatus, new newName: String?, _ newStatus: ContainerStatus
    ) -> [ContainerSummary] {
        var list = [Sample.container(id: Sample.id(3), name: "beside", .running)]
        if let newName { list.append(Sample.container(id: new, name: newName, newStatus, age: 60)) }
        if let oldName { list.append(Sample.container(id: old, name: oldName, oldStatus, age: 50, createdAge: 9000)) }
        return list
    }

    /// The steps of a recreation before which its process may be killed.
    enum Cut: CaseIterable { case stop, firstRename, secondRename, start, removal, startWithoutOld }

    private static func left(by cut: Cut) -> [ContainerSummary] {
        switch cut {
        case .stop: left(old: "web", .running, new: "web-next-\(mark)", .created)
        case .firstRename: left(old: "web", .exited, new: "web-next-\(mark)", .created)
        case .secondRename: left(old: "web-\(mark)", .exited, new: "web-next-\(mark)", .created)
        case .start: left(old: "web-\(mark)", .exited, new: "web", .created)
        case .removal: left(old: "web-\(mark)", .exited, new: "web", .running)
        case .startWithoutOld: left(old: nil, .exited, new: "web-next-\(mark)", .created)
        }
    }

    @Test("What is left is known by its names, whichever step came last", arguments: Cut.allCases)
    func known(_ cut: Cut) throws {
        let list = Self.left(by: cut)
        let found = try #require(CutRecreation.all(in: list).first)
        #expect(CutRecreation.all(in: list).count == 1 && found.name == "web")
        #expect(found.old?.id == (cut == .startWithoutOld ? nil : Self.old) && found.new?.id == Self.new)
        #expect(found.isNewStarted == (cut == .removal))
        let parts = list.filter { CutRecreation.of($0, in: list) != nil }.map(\.id)
        #expect(!parts.contains(Sample.id(3)) && parts.contains(Self.new) == (cut != .removal))
    }

    @Test(
        "Names that only look alike are none of it",
        arguments: ["web-next-door", "web-next-\(String(repeating: "a", count: 11))", "-next-aaaaaaaaaaab", "web"])
    func unlike(_ name: String) {
        #expect(CutRecreation.all(in: Self.left(old: "web", .running, new: name, .created)).isEmpty)
        #expect(CutRecreation.all(in: Self.left(old: "web-\(Self.mark)", .running, new: "web2", .running)).isEmpty)
    }

    private static func session(_ cut: Cut) throws -> (ScriptedEngine, Session) {
        let engine = ScriptedEngine(containers: left(by: cut))
        let session = try Session(engine, columns: 120)
        session.untilSeen("recreation of web was cut off: c on")
        let id = cut == .removal ? old : new
        while session.loop.model.selectedContainer?.id != id {
            let index = session.loop.model.containers.cursor.index
            session.type("j")
            session.until { session.loop.model.containers.cursor.index != index }
        }
        session.type("c")
        session.untilSeen("recreation of web, cut off")
        return (engine, session)
    }

    private static func state(_ engine: ScriptedEngine) -> [String] {
        engine.state.withLock {
            $0.containers.filter { $0.name != "beside" }.map {
                "\($0.name) \($0.id.suffix(2)) \($0.state.status.rawValue)"
            }
        }
    }

    @Test(
        "It is finished from where it was: the new one has the name and runs, and the old one goes",
        arguments: Cut.allCases)
    func finished(_ cut: Cut) throws {
        let (engine, session) = try Self.session(cut)
        session.type("finish<enter>")
        session.untilSeen("finish the recreation of web?")
        session.type("y")
        session.untilSeen("web was recreated")
        #expect(Self.state(engine) == ["web a9 running"])
        #expect(engine.calls.contains { $0.hasPrefix("start") } == (cut != .removal))
        _ = session.finish()
    }

    @Test("It is undone: the old one has its name, and runs where it was stopped for this", arguments: Cut.allCases)
    func undone(_ cut: Cut) throws {
        let (engine, session) = try Self.session(cut)
        session.type("undo<enter>")
        session.untilSeen("undo the recreation of web?")
        session.type("<enter>")
        session.until { session.loop.model.dialogs.isEmpty }
        #expect(Self.state(engine).count == (cut == .startWithoutOld ? 1 : 2), "Enter alone does nothing")
        session.type("cundo<enter>y")
        session.untilSeen(cut == .startWithoutOld ? "web-next-\(Self.mark) removed" : "web is as it was")
        #expect(Self.state(engine) == (cut == .startWithoutOld ? [] : ["web a1 running"]))
        #expect(engine.calls.contains("start aa1") == (cut != .stop && cut != .startWithoutOld))
        _ = session.finish()
    }

    @Test("An old one that had ended before is put back without being started")
    func notStarted() throws {
        let engine = ScriptedEngine(containers: Self.left(by: .firstRename))
        engine.state.withLock { state in
            for index in state.containers.indices where state.containers[index].id == Self.old {
                state.containers[index].state.finishedAt = Sample.ago(500)
            }
        }
        let session = try Session(engine, columns: 120)
        session.untilSeen("was cut off")
        session.type("gc")
        session.untilSeen("recreation of web, cut off")
        session.type("<enter>y")
        session.untilSeen("web is as it was")
        #expect(Self.state(engine) == ["web a1 exited"])
        _ = session.finish()
    }

    @Test("What it is stands beside it, and a recreation under way is none that was cut off")
    func told() throws {
        var bench = try Bench.connected(100, 30, containers: Self.left(by: .stop))
        #expect(bench.text.contains("of a recreation of web that was cut off"))
        bench = try Bench.connected(100, 30, containers: Sample.containers)
        #expect(bench.model.status == nil)
        bench.send(.original(Sample.details(Sample.containers[0]), nil))
        bench.type("<enter>y")
        bench.send(.containers(Self.left(by: .stop)))
        bench.type("<esc>")
        bench.model.containers.select(id: Self.new)
        bench.type("c")
        #expect(bench.model.status?.text == "web is being recreated" && bench.model.dialogs.isEmpty)
    }
}
