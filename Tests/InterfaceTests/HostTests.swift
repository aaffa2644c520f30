import EngineAPI
import Testing

@testable import Interface

/// Going over to another engine while this one is at work.
@Suite struct HostTests {
    private static let far = HostBook.Entry(name: "far", address: "tcp://far:2376")

    private static func chosen(_ keys: String) throws -> Bench {
        var bench = try Bench.connected()
        bench.type(keys)
        _ = bench.takeEffects()
        bench.send(.hosts([HostBook.Entry(name: "default", address: ""), far]))
        bench.type("far<enter>")
        return bench
    }

    @Test("Nothing is asked where nothing runs")
    func idle() throws {
        var bench = try Self.chosen("")
        #expect(bench.takeEffects().contains(.connectHost("far")))
    }

    @Test("What runs is named, with what becomes of it, before it is left")
    func busy() throws {
        var bench = try Self.chosen("ry")
        #expect(!bench.takeEffects().contains(.connectHost("far")))
        #expect(bench.text.contains("go to far?") && bench.text.contains("restart web: goes on unseen."))
        bench.type("<enter>")
        #expect(bench.model.dialogs.isEmpty && bench.takeEffects().isEmpty, "Enter alone leaves nothing")
        bench = try Self.chosen("ry")
        bench.type("y")
        #expect(bench.takeEffects().contains(.connectHost("far")) && bench.model.reaching?.name == "far")
    }

    @Test(
        "What ends with its caller is given up, or undone",
        arguments: [("Ipapp<enter>", "pull app: is given up."), ("n<enter>", "is undone.")])
    func given(keys: String, words: String) throws {
        var bench = try Bench.connected()
        bench.type(keys)
        #expect(bench.model.jobs.count == 1)
        // It goes on while one does something else.
        bench.model.dialogs = []
        _ = bench.model.useHost("far")
        #expect(bench.text.contains(words), "\(bench.text)")
    }

    @Test("Commands that were not over are not told to run for ever")
    func commands() throws {
        var bench = try Bench.connected()
        bench.type("ryE")
        let moved = bench.model.moved(to: "far")
        #expect(moved.commands.entries.count == 2)
        for entry in moved.commands.entries {
            #expect(entry.outcome == .done("not over when this engine was left") && entry.took != nil)
        }
    }
}
