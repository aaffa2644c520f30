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

    @Test("What happens while the journal is read stays, and stands once")
    func meanwhile() throws {
        func at(_ action: String, _ second: Int64) -> EngineEvent {
            EngineEvent(
                kind: .container, action: action, actorID: Sample.id(1), attributes: [:], time: Sample.ago(60 - second))
        }
        var history = EventHistory()
        for event in [at("create", 1), at("start", 2), at("rename", 3), at("pause", 3), at("die", 4)] {
            history.add(event)
        }
        history.replace([at("pull", 0), at("create", 1), at("start", 2), at("rename", 3)])
        #expect(history.entries.map(\.event.action) == ["pull", "create", "start", "rename", "pause", "die"])
        #expect(history.passing == history.entries)
        history.replace([])
        #expect(history.entries.count == 6)
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
        history.narrow(to: "die")
        history.replace((0..<EventHistory.capacity + 10).map { Self.event("start", $0) })
        #expect(history.isCut && history.entries.count == EventHistory.capacity)
        for number in 0..<2000 { history.add(Self.event(number % 2 == 0 ? "die" : "start", number)) }
        #expect(history.entries.count <= EventHistory.capacity + EventHistory.capacity / 8)
        #expect(history.entries.last?.event.actorID == Sample.id(1999))
        #expect(Set(history.entries.map(\.id)).count == history.entries.count)
        #expect(history.passing.count == 1000, "what passes is kept in step")
        for _ in 0..<EventHistory.capacity * 2 { history.add(Self.event("start", 1)) }
        #expect(history.passing.isEmpty)
    }

    @Test("Of an event no more is kept than is shown, however long its labels are")
    func reduced() throws {
        let long = String(repeating: "x", count: 100_000)
        let told = ["name": "web", "exitCode": "137", "maintainer": long, "image": long]
        var history = EventHistory()
        history.add(Self.event("die", 1, told))
        history.replace([Self.event("die " + long, 1, told)])
        let kept = try #require(history.entries.first?.event)
        #expect(Set(kept.attributes.keys) == ["name", "exitCode", "image"])
        #expect(kept.attributes.values.allSatisfy { $0.utf8.count <= 256 } && kept.action.utf8.count <= 256)
        #expect(kept.objectName == "web" && kept.detail.hasPrefix("exitCode=137 image=xxx"))
        #expect(kept.reduced == kept)
        history = EventHistory()
        history.add(Self.event("start", 1, told))
        history.replace([Self.event("start", 1, told)])
        #expect(history.entries.count == 1, "the journal's event and the one that came are the same")
    }

    @Test("Ten thousand are all there, newest first, and those that pass a filter are found among them")
    func many() throws {
        var bench = try Bench.connected(120, 36)
        bench.type("t")
        let all = (0..<10_000).map { Self.event("start", $0, ["name": "c\($0)"]) }
        bench.send(.journal(all))
        #expect(bench.row(0).contains("events · 10000"))
        bench.type("G")
        #expect(bench.row(33).hasSuffix(" c0"), "the oldest is the last")
        bench.type("/c77 start<enter>g")
        #expect(bench.row(2).contains(" c7799") && bench.model.events.passing.count == 111)
        bench.send(.event(Self.event("start", 1, ["name": "new77"])))
        bench.send(.event(Self.event("start", 1, ["name": "c77new"])))
        #expect(bench.row(2).contains("c77new") && bench.model.events.passing.count == 112)
        bench.type("g<enter>")
        #expect(bench.model.selectedContainer?.id == Sample.id(1))
        bench = try Bench.connected(120, 36)
        bench.type("t")
        bench.send(.journal(all + [Self.event("die", 1, ["name": "last"])]))
        #expect(bench.row(0).contains("events · the newest 10000"))
    }
}
