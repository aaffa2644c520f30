import EngineAPI
import Terminal
import Testing

@testable import Interface

@Suite struct EventsScreenTests {
    private static func event(
        _ action: String, _ number: Int, kind: EngineEvent.Kind = .container, _ attributes: [String: String] = [:]
    ) -> EngineEvent {
        EngineEvent(
            kind: kind, action: action, actorID: Sample.id(number), attributes: attributes, time: Sample.ago(60))
    }

    private static func open() throws -> Bench {
        var bench = try Bench.connected()
        bench.type("t")
        #expect(bench.takeEffects().contains(.refreshEvents))
        bench.send(
            .journal([
                event("create", 1, ["name": "web"]), event("die", 4, ["name": "failed", "exitCode": "137"]),
                event("pull", 9, kind: .image, ["name": "app:1"]),
            ]))
        return bench
    }

    @Test("Events are told newest first, those that come while one looks on top")
    func order() throws {
        var bench = try Self.open()
        #expect(bench.row(2).contains("image     pull") && bench.row(2).contains("app:1"))
        #expect(bench.row(3).contains("exitCode=137"))
        bench.send(.event(Self.event("start", 2, ["name": "database"])))
        #expect(bench.row(2).contains("start") && bench.model.listScreen?.cursor.index == 0)
        bench.type("j")
        let chosen = bench.model.selectedEvent
        bench.send(.event(Self.event("die", 2, ["name": "database", "exitCode": "0"])))
        #expect(bench.model.selectedEvent == chosen, "who looks at an older one keeps it")
    }

    @Test("They are filtered, and lead to their objects")
    func objects() throws {
        var bench = try Self.open()
        bench.type("/die<enter><enter>")
        #expect(bench.model.dialogs.isEmpty && bench.model.selectedContainer?.name == "failed")
        bench = try Self.open()
        bench.type("<enter>")
        #expect(bench.model.listScreen?.kind == .images)
    }

    @Test("The history is bounded")
    func bounded() {
        var history = EventHistory()
        history.replace((0..<3000).map { Self.event("start", $0) })
        for number in 0..<500 { history.add(Self.event("die", number)) }
        #expect(history.entries.count == EventHistory.capacity)
        #expect(history.entries.first?.event.action == "die")
        #expect(Set(history.entries.map(\.number)).count == EventHistory.capacity)
    }
}
