import EngineAPI
import Testing

@testable import Interface

/// Logs of which no screen keeps all lines.
@Suite struct LongLogTests {
    private static let padding = String(repeating: "-", count: 100)

    private static func entries(_ numbers: Range<Int>) -> [LogEntry] {
        numbers.map { number in
            LogEntry(
                time: Timestamp(nanosecondsSinceEpoch: Sample.now.nanosecondsSinceEpoch + Int64(number) * 1_000_000),
                source: .stdout, bytes: Array("line \(number) \(padding)\n".utf8))
        }
    }

    private static func screen(_ bench: Bench) throws -> LogScreen {
        guard case .logs(let screen)? = bench.model.dialogs.last else { throw Missing() }
        return screen
    }

    private struct Missing: Error {}

    /// A log of which some four hundred lines are kept.
    private static func opened() throws -> Bench {
        var bench = try Bench.connected()
        bench.type("m")
        try shorten(&bench)
        return bench
    }

    private static func shorten(_ bench: inout Bench) throws {
        var screen = try screen(bench)
        screen.byteLimit = 64 << 10
        bench.model.dialogs[bench.model.dialogs.count - 1] = .logs(screen)
    }

    /// Sends lines to the first container's log, as an engine does.
    private static func feed(_ bench: inout Bench, _ numbers: Range<Int>) throws {
        var start = numbers.lowerBound
        while start < numbers.upperBound {
            let end = min(start + 100, numbers.upperBound)
            bench.send(.logs(try screen(bench).sources[0].subscription, .entries(entries(start..<end))))
            start = end
        }
    }

    @Test("A filter finds in all lines of the whole log, of which only the newest are kept without it")
    func wholeLog() throws {
        var bench = try Self.opened()
        bench.type("0")
        try Self.feed(&bench, 0..<5_000)
        let whole = try Self.screen(bench)
        #expect(whole.droppedLines > 4_000 && whole.count + whole.droppedLines == 5_000)
        bench.type("/line 500 <enter>")
        #expect(bench.model.status?.text == "`line 500 ` is not in the newest lines; f looks through all of them")
        // The filter has all read once more.
        bench.type("f/line 500 /<enter>")
        let again = try Self.screen(bench)
        #expect(again.sources[0].subscription != whole.sources[0].subscription && again.lines.isEmpty)
        #expect(again.sources[0].subscription.tail == nil && again.sources[0].subscription.since == nil)
        try Self.feed(&bench, 0..<5_000)
        let found = try Self.screen(bench)
        #expect((0..<found.count).map { found.line($0).text.prefix(9) } == ["line 500 "])
        #expect(found.droppedLines == 0 && found.summary.hasPrefix("1 of 5000 lines"))
        #expect(found.lines.reduce(0) { $0 + $1.cost } <= 64 << 10)
        // Without it the others are to be seen, and are read for that.
        bench.type("\\")
        #expect(try Self.screen(bench).lines.isEmpty && Self.screen(bench).filter.isEmpty)
        try Self.feed(&bench, 0..<5_000)
        #expect(try Self.screen(bench).droppedLines == whole.droppedLines)
    }

    @Test("A log that comes faster than the filter looks at it loses nothing to that")
    func slowFilter() throws {
        var bench = try Self.opened()
        bench.type("0f/line (500|9999) /<enter>")
        for start in stride(from: 0, to: 10_000, by: 100) {
            let subscription = try Self.screen(bench).sources[0].subscription
            bench.sendAlone(.logs(subscription, .entries(Self.entries(start..<start + 100))))
        }
        #expect(try Self.screen(bench).droppedLines == 0)
        bench.send(.tick(Sample.now))
        let screen = try Self.screen(bench)
        #expect((0..<screen.count).map { screen.line($0).text.prefix(10) } == ["line 500 -", "line 9999 "])
        #expect(screen.lines.reduce(0) { $0 + $1.cost } <= 256 << 10)
    }

    @Test("What was followed with a filter is read from its first line once the filter goes")
    func followed() throws {
        var bench = try Self.opened()
        bench.type("f/99 -/<enter>")
        try Self.feed(&bench, 5..<6_000)
        let filtered = try Self.screen(bench)
        #expect(filtered.passedOver > 0 && filtered.count == 60)
        #expect(filtered.line(0).text.hasPrefix("line 99 ") && filtered.cursor == 59)
        bench.type("gjj\\")
        let subscription = try Self.screen(bench).sources[0].subscription
        #expect(subscription.tail == nil && subscription.since == Self.entries(5..<6)[0].time)
    }

    @Test("The line that one is at stays where lines before and after it are left out")
    func place() throws {
        var bench = try Self.opened()
        bench.type("0fline<enter>")
        try Self.feed(&bench, 0..<300)
        bench.type("f<ctrl-u>/7 -/<enter>")
        bench.type("gjjj")
        #expect(try Self.screen(bench).line(3).text.hasPrefix("line 37 "))
        try Self.feed(&bench, 300..<3_000)
        let screen = try Self.screen(bench)
        #expect(screen.passedOver > 0 && screen.line(screen.cursor).text.hasPrefix("line 37 "))
    }

    @Test("Of lines that all pass the newest are kept, and the search says where it has not been")
    func bounded() throws {
        var bench = try Bench.connected()
        bench.type("m")
        try Self.feed(&bench, 0..<2000)
        bench.type("/nowhere<enter>")
        #expect(bench.model.status?.text == "`nowhere` is not in the newest lines; 0 reads the whole log")
        try Self.shorten(&bench)
        bench.type("0fline<enter>")
        try Self.feed(&bench, 0..<6_000)
        let screen = try Self.screen(bench)
        #expect(screen.passedOver == 0 && screen.count + screen.droppedLines == 6_000)
        #expect(screen.lines.reduce(0) { $0 + $1.cost } <= 64 << 10)
        #expect(screen.line(screen.count - 1).text.hasPrefix("line 5999 "))
    }

    @Test("Enter on a found line shows those around it, of a log of any length, and Enter leads back to the filter")
    func surroundings() throws {
        var bench = try Self.opened()
        bench.type("0f/line (500|2500) /<enter>")
        try Self.feed(&bench, 0..<5_000)
        bench.type("g<enter>")
        let asked = try Self.screen(bench)
        #expect(asked.filter.isEmpty && asked.lines.isEmpty && asked.summary.contains("looking for the line"))
        #expect(asked.sources[0].subscription.tail == nil && asked.sources[0].subscription.since == nil)
        try Self.feed(&bench, 0..<5_000)
        let found = try Self.screen(bench)
        #expect(found.line(found.cursor).text.hasPrefix("line 500 ") && !found.follows)
        #expect(found.cursor > 100 && found.count - found.cursor > 100, "there are lines before and after it")
        #expect(found.lines.reduce(0) { $0 + $1.cost } <= 64 << 10)
        #expect(bench.text.contains("line 499 ") && bench.text.contains("line 501 "))
        #expect(bench.row(0).contains("lines around · line \(found.cursor + 1) · F shows the newest"))
        #expect(found.horizon != nil && Self.logs(bench).isEmpty, "what comes later is not asked for")
        bench.type("/line 2500 <enter>")
        #expect(bench.model.status?.text.contains("f looks through all") == true)
        bench.type("<enter>")
        try Self.feed(&bench, 0..<5_000)
        let back = try Self.screen(bench)
        #expect(back.filter == "/line (500|2500) /" && back.count == 2 && back.cursor == 0)
        // From there to the newest.
        bench.type("<enter>")
        try Self.feed(&bench, 0..<5_000)
        bench.type("F")
        #expect(Self.logs(bench).count == 1)
        try Self.feed(&bench, 0..<5_000)
        let newest = try Self.screen(bench)
        #expect(newest.follows && newest.line(newest.cursor).text.hasPrefix("line 4999 "))
    }

    @Test("Around a line of one of several logs stand those of all, and a line that is gone is not waited for")
    func mergedSurroundings() throws {
        var bench = try Bench.connected()
        bench.type(" j m")
        try Self.shorten(&bench)
        bench.type("0f/line 500 /<enter>")
        func feed(_ source: Int, from first: Int = 0) throws {
            for start in stride(from: first, to: 3_000, by: 100) {
                guard Self.logs(bench).contains(try Self.screen(bench).sources[source].subscription) else { return }
                let entries = Self.entries(start..<start + 100)
                bench.send(.logs(try Self.screen(bench).sources[source].subscription, .entries(entries)))
            }
        }
        try feed(0)
        try feed(1)
        bench.type("gj<enter>")
        // The other one is read to its end first.
        try feed(0)
        try feed(1)
        let found = try Self.screen(bench)
        #expect(found.line(found.cursor).text.hasPrefix("line 500 ") && found.line(found.cursor).container == 1)
        for near in [498, 502] {
            let count = (0..<found.count).count { found.line($0).text.hasPrefix("line \(near) ") }
            #expect(count == 2, "\(near)")
        }
        #expect(Self.logs(bench).isEmpty)
        bench.type("<enter>")
        try feed(0)
        try feed(1)
        bench.type("gj<enter>")
        try feed(1, from: 1_000)
        #expect(try Self.screen(bench).summary.contains("looking") == false)
        #expect(try Self.screen(bench).line(Self.screen(bench).cursor).text.hasPrefix("line 1000 "))
    }

    private static func logs(_ bench: Bench) -> [LogSubscription] {
        bench.model.subscriptions.compactMap { if case .logs(let log) = $0 { log } else { nil } }
    }
}
