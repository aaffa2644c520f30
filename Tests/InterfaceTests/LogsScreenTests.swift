import EngineAPI
import Terminal
import Testing

@testable import Interface

@Suite struct LogsScreenTests {
    private static func entry(_ text: String, _ second: Int64, _ source: LogEntry.Source = .stdout) -> LogEntry {
        LogEntry(time: Sample.ago(1000 - second), source: source, bytes: Array((text + "\n").utf8))
    }

    private static func screen(_ bench: Bench) throws -> LogScreen {
        guard case .logs(let screen)? = bench.model.dialogs.last else { throw Missing() }
        return screen
    }

    private struct Missing: Error {}

    /// With a log of ten numbered lines.
    private static func opened(_ keys: String = "m", _ columns: Int = 80) throws -> Bench {
        var bench = try Bench.connected(columns, 24)
        bench.type(keys)
        let screen = try screen(bench)
        for (place, source) in screen.sources.enumerated() {
            let lines = (0..<10).map {
                entry("\(source.name) \($0) \($0 % 2 == 0 ? "even" : "ODD")", Int64($0 * 10 + place))
            }
            bench.send(.logs(source.subscription, .entries(lines)))
        }
        return bench
    }

    private static func shown(_ bench: Bench) throws -> [String] {
        let screen = try screen(bench)
        return (0..<screen.count).map { screen.line($0).text }
    }

    @Test("A line that goes on beyond the screen says so, and one that just fits does not", arguments: [false, true])
    func cut(isColoured: Bool) throws {
        var bench = try Bench.connected(40, 24)
        bench.type("m")
        let screen = try Self.screen(bench)
        let colour = isColoured ? "\u{1b}[32m" : ""
        for (count, row) in [(40, String(repeating: "x", count: 40)), (41, String(repeating: "x", count: 39) + "›")] {
            let line = String(repeating: "x", count: count - 1) + colour + "x"
            bench.send(.logs(screen.subscriptions[0], .entries([Self.entry(line, Int64(count))])))
            #expect(bench.row(count - 39) == row)
        }
        #expect(bench.row(0).contains("2 lines"))
        bench.type("<right>")
        #expect(!bench.text.contains("›"))
        bench.type("<left>w")
        #expect(!bench.text.contains("›") && bench.row(2).count == 40)
    }

    @Test("The logs of many are called by the first two names")
    func names() throws {
        var bench = try Bench.connected(120, 24)
        bench.type("*m")
        #expect(bench.row(0).contains(" and 3 more"))
        bench.type("q* <down> m")
        #expect(!bench.row(0).contains("more"))
    }

    @Test("Logs of marked containers are one, by time, each line with its container's name")
    func merged() throws {
        var bench = try Self.opened(" j m")
        #expect(try Self.screen(bench).sources.map(\.name) == ["web", "batch-of-the-night"])
        #expect(bench.model.subscriptions.count { if case .logs = $0 { true } else { false } } == 2)
        let lines = try Self.shown(bench)
        #expect(
            lines.prefix(4) == ["web 0 even", "batch-of-the-night 0 even", "web 1 ODD", "batch-of-the-night 1 ODD"])
        #expect(bench.row(1).hasPrefix("web               │ web 0 even"))
        #expect(bench.row(2).hasPrefix("batch-of-the-night"))
        // A line that comes late has its place, and who has left the end stays where they were.
        bench.type("kkk")
        let before = try Self.screen(bench)
        let chosen = before.line(before.cursor).text
        bench.send(.logs(before.sources[0].subscription, .entries([Self.entry("late", 5)])))
        let after = try Self.screen(bench)
        #expect(after.line(after.cursor).text == chosen)
        #expect(after.line(2).text == "late")
        #expect(bench.model.commands.entries.map { $0.line() }.first == "docker logs -f -n 2000 batch-of-the-night")
    }

    @Test(
        "A filter shows the lines that pass, those that come later, too",
        arguments: [
            ("even", 5, "x even", "x odd"), ("ODD", 5, "x ODD", "x odd"), ("odd", 5, "x OdD", "even"),
            ("!even", 5, "x", "even"), ("web !even", 5, "a web", "web even"), ("/[13] odd$/", 2, "1 ODD", "1 odd x"),
            ("/WEB/", 0, "WEB", "web"), ("nothing", 0, "nothing", "x"),
        ])
    func filter(text: String, count: Int, passing: String, failing: String) throws {
        var bench = try Self.opened()
        bench.type("f\(text)")
        #expect(bench.model.keyContext == .filter)
        #expect(bench.row(22).contains("filter: \(text)"))
        bench.type("<enter>")
        #expect(try Self.shown(bench).count == count)
        let subscription = try Self.screen(bench).sources[0].subscription
        bench.send(.logs(subscription, .entries([Self.entry(failing, 200), Self.entry(passing, 201)])))
        #expect(try Self.shown(bench).count == count + 1)
        #expect(try Self.shown(bench).last == passing)
        #expect(bench.row(0).contains("of 12 lines"))
        bench.type("<esc>")
        #expect(try Self.shown(bench).count == 12, "escape drops the filter first")
    }

    @Test("What is no regular expression is said, and can be mended")
    func badExpression() throws {
        var bench = try Self.opened()
        bench.type("f/(/<enter>")
        #expect(bench.model.status?.text.contains("no regular expression") == true)
        #expect(bench.model.keyContext == .filter)
        #expect(try Self.shown(bench).count == 10)
        bench.type("<backspace><backspace>[0-3]/<enter>")
        #expect(try Self.shown(bench).count == 4)
        bench.type("f<esc>")
        #expect(try Self.screen(bench).filter == "/[0-3]/")
        bench.type("\\")
        #expect(try Self.shown(bench).count == 10)
    }

    @Test("How far back is chosen, and read anew")
    func reach() throws {
        var bench = try Self.opened()
        let first = try Self.screen(bench).sources[0].subscription
        bench.type("slast minute<enter>")
        let second = try Self.screen(bench).sources[0].subscription
        #expect(second.since == Sample.ago(60) && second.tail == nil && second.serial != first.serial)
        #expect(bench.model.subscriptions.contains(.logs(second)) && !bench.model.subscriptions.contains(.logs(first)))
        #expect(try Self.shown(bench).isEmpty)
        bench.send(.logs(first, .entries([Self.entry("of before", 1)])))
        #expect(try Self.shown(bench).isEmpty, "what an earlier reading still brings is not shown")
        bench.send(.logs(second, .entries([Self.entry("now", 1)])))
        #expect(bench.row(0).contains("last minute"))
        bench.type("0")
        let whole = try Self.screen(bench).sources[0].subscription
        #expect(whole.since == nil && whole.tail == nil)
    }

    @Test("A log goes on with its container's next run")
    func resumes() throws {
        var bench = try Self.opened()
        let first = try Self.screen(bench).sources[0].subscription
        bench.send(.logs(first, .ended(nil)))
        #expect(bench.row(0).contains("end of log"))
        #expect(try Self.screen(bench).sources[0].subscription == first, "the same run is not read again")
        var list = Sample.containers
        list[0].state.startedAt = Sample.ago(1)
        bench.send(.containers(list))
        let second = try Self.screen(bench).sources[0].subscription
        let last = Sample.ago(1000 - 90)
        #expect(second.since == Timestamp(nanosecondsSinceEpoch: last.nanosecondsSinceEpoch + 1))
        bench.send(.logs(second, .entries([Self.entry("again", 900)])))
        #expect(try Self.shown(bench).count == 11)
        #expect(bench.row(0).contains("following"))
    }

    @Test("What is shown is saved, with names and times where they are shown")
    func save() throws {
        var bench = try Self.opened("m")
        bench.type("feven<enter>S<ctrl-u>/tmp/x.log<enter>")
        let text = "web 0 even\nweb 2 even\nweb 4 even\nweb 6 even\nweb 8 even\n"
        let asked = bench.takeEffects().compactMap { if case .perform(_, let action) = $0 { action } else { nil } }
        #expect(asked == [.saveText(path: "/tmp/x.log", text, replaces: false)])
        bench = try Self.opened(" j m")
        bench.type("t")
        #expect(try Self.screen(bench).savedText.hasPrefix("web | 2027-01-15T"))
    }

    @Test("Ages of lines are told anew each second while they are counted in seconds, and are kept as the look of logs")
    func ages() throws {
        var bench = try Bench.connected()
        bench.type("m")
        bench.model.wall = .utc
        bench.type("tt")
        #expect(try Self.screen(bench).times == .age && bench.model.preferences.logTimes == .age)
        #expect(ViewPreferences(text: bench.model.preferences.text).logTimes == .age)
        let line = LogEntry(time: Sample.ago(5), source: .stdout, bytes: Array("hello\n".utf8))
        bench.send(.logs(try Self.screen(bench).sources[0].subscription, .entries([line])))
        bench.model.status = nil
        #expect(bench.row(1).hasPrefix("  5s ago hello") && bench.model.clockInterval == .seconds(1))
        bench.send(.tick(Sample.ago(-600)))
        #expect(bench.row(1).hasPrefix(" 10m ago hello") && bench.model.clockInterval == .seconds(30))
        bench.type("t")
        #expect(bench.row(1).hasPrefix("hello"))
    }

    @Test("Lines whose engine tells no times are shown without, and stand where they came")
    func untimed() throws {
        var bench = try Bench.connected()
        bench.type(" j mt")
        let sources = try Self.screen(bench).sources.map(\.subscription)
        func entry(_ text: String, _ time: Timestamp) -> LogEntry {
            LogEntry(time: time, source: .stdout, bytes: Array((text + "\n").utf8))
        }
        let never = Timestamp(nanosecondsSinceEpoch: 0)
        bench.send(.logs(sources[0], .entries([entry("first", Sample.ago(60))])))
        bench.send(.logs(sources[1], .entries([entry("untimed", never)])))
        bench.send(.logs(sources[0], .entries([entry("last", Sample.ago(30))])))
        #expect(try Self.screen(bench).lines.map(\.text) == ["first", "untimed", "last"])
        #expect(try Self.screen(bench).savedText.contains(" | untimed\n"))
        #expect(!bench.text.contains("1970") && bench.row(1).contains("2027-01-15"))
        #expect(bench.row(1).count - "first".count == bench.row(2).count - "untimed".count, "\(bench.text)")
        // Read anew where its container begins again, from that begin on and not from the first day of all.
        bench.send(.logs(sources[1], .ended(nil)))
        var list = Sample.containers
        list[2].state.status = .running
        list[2].state.startedAt = Sample.ago(1)
        list[1].state.startedAt = Sample.ago(1)
        bench.send(.containers(list))
        #expect(try Self.screen(bench).sources.allSatisfy { $0.subscription.since.map { $0 == Sample.ago(1) } ?? true })
    }

    @Test("A file that is there is replaced only where that is said; the form stays until then")
    func saveOverAnother() throws {
        var bench = try Self.opened("m")
        bench.type("S<ctrl-u>/tmp/x.log<enter>")
        let refusal = EngineError(.conflict, "`/tmp/x.log` is there already")
        _ = bench.takeEffects()
        bench.send(.job(try #require(bench.model.jobs.last?.id), .failed(refusal)))
        #expect(bench.text.contains("replace /tmp/x.log?") && bench.text.contains("is there already"))
        bench.type("<enter>")
        let refused = bench.takeEffects()
        #expect(!refused.contains { if case .perform = $0 { true } else { false } }, "Enter says no: \(refused)")
        #expect(bench.model.keyContext == .form)
        bench.type("<enter>")
        bench.send(.job(try #require(bench.model.jobs.last?.id), .failed(refusal)))
        _ = bench.takeEffects()
        bench.type("y")
        let asked = bench.takeEffects().compactMap { if case .perform(_, let action) = $0 { action } else { nil } }
        guard case .saveText("/tmp/x.log", _, replaces: true)? = asked.first else {
            Issue.record("asked: \(asked)")
            return
        }
        bench.send(.job(try #require(bench.model.jobs.last?.id), .succeeded(.done("saved"))))
        #expect(bench.model.keyContext == .logs)
    }

    @Test("A line is copied without its escape sequences")
    func copy() throws {
        var bench = try Self.opened()
        let source = try Self.screen(bench).sources[0]
        bench.send(.logs(source.subscription, .entries([Self.entry("\u{1b}[31mred\u{1b}[0m", 500)])))
        _ = bench.takeEffects()
        bench.type("y")
        #expect(bench.takeEffects().contains(.copy("red")))
    }

    @Test(
        "The level of a line is found where its writer names it, and not in prose",
        arguments: [
            ("2026-01-02 ERROR it broke", .error), ("level=warn msg=x", .warning), ("{\"level\":\"info\"}", .info),
            ("[debug] x", .debug), ("error: no such file", .error), ("an error was found", nil), ("INFORM", nil),
            ("FATAL", .error), ("Warning: x", .warning), ("", nil), ("WARN", .warning),
        ] as [(String, LogLevel?)])
    func level(text: String, level: LogLevel?) {
        #expect(LogLevel.find(in: Array(text.utf8))?.level == level)
    }

    @Test("A level is seen by its colour where the line has none of its own")
    func levelColour() throws {
        var bench = try Self.opened()
        let source = try Self.screen(bench).sources[0]
        bench.send(.logs(source.subscription, .entries([Self.entry("x ERROR y", 500), Self.entry("z", 501)])))
        let cell = bench.frame[column: 2, row: 11]
        #expect(cell.text == "E" && cell.style.foreground == bench.model.theme[.error].foreground)
        #expect(bench.frame[column: 0, row: 11].style.foreground == bench.model.theme[.text].foreground)
    }

    @Test("A part of a line is joined to what came of it before, though others came between")
    func parts() throws {
        var bench = try Self.opened(" j m")
        let sources = try Self.screen(bench).sources
        func part(_ text: String, _ second: Int64) -> LogEntry {
            LogEntry(time: Sample.ago(1000 - second), source: .stdout, bytes: Array(text.utf8))
        }
        bench.send(.logs(sources[0].subscription, .entries([part("half", 300)])))
        bench.send(.logs(sources[1].subscription, .entries([Self.entry("other", 301)])))
        bench.send(.logs(sources[0].subscription, .entries([part(" done\n", 302)])))
        #expect(try Self.shown(bench).suffix(2) == ["half done", "other"])
    }

    @Test("Lines of standard error carry a sign where there are others, so that no colour is needed")
    func standardError() throws {
        for keys in ["m", "mw"] {
            var bench = try Self.opened(keys)
            #expect(bench.row(1).hasPrefix("web 0"), "no room is taken while nothing is told apart")
            let source = try Self.screen(bench).sources[0].subscription
            bench.send(.logs(source, .entries([Self.entry("it failed", 900, .stderr)])))
            #expect((0..<24).contains { bench.row($0).hasPrefix("! it failed") }, "\(bench.text)")
            #expect(bench.row(1).hasPrefix("  web 0"))
            #expect(bench.row(0).contains("! stderr"))
        }
    }

    @Test("Enter on a line that passes the filter shows it among the others")
    func surroundings() throws {
        var bench = try Self.opened("mfeven<enter>")
        #expect(!bench.text.contains("enter back") && bench.text.contains("enter around"))
        bench.type("gj<enter>")
        let screen = try Self.screen(bench)
        #expect(screen.count == 10 && screen.line(screen.cursor).text == "web 2 even" && !screen.follows)
        #expect(bench.text.contains("enter filter"))
        bench.type("j<enter>")
        #expect(try Self.shown(bench).count == 5)
        #expect(try Self.screen(bench).line(Self.screen(bench).cursor).text == "web 4 even", "the next that passes")
        bench.type("<esc><enter>")
        #expect(try Self.screen(bench).filter.isEmpty, "without a filter to go back to Enter does nothing")
    }

    @Test("A line of any length is cut between characters and sequences, keeps its colours, is copied and saved whole")
    func endless() throws {
        var bench = try Self.opened()
        let subscription = try Self.screen(bench).sources[0].subscription
        // The cut comes after 64 KiB: within the sequence, within the letter, within neither.
        let room = LogLine.byteLimit
        for (head, tail) in [
            ("\u{1b}[31m" + String(repeating: "x", count: room - 8) + "\u{1b}[1;3", "2mgreen\n"),
            ("\u{1b}[32m" + String(repeating: "y", count: room - 5), "éa\n"),
            ("\u{1b}[32m" + String(repeating: "z", count: room), "plain\n"),
        ] {
            let isInLetter = tail.hasPrefix("é")
            let first = Array(head.utf8) + (isInLetter ? [0xC3] : [])
            let last = isInLetter ? Array(tail.utf8.dropFirst()) : Array(tail.utf8)
            for bytes in [first, last] {
                bench.send(
                    .logs(subscription, .entries([LogEntry(time: Sample.ago(1), source: .stdout, bytes: bytes)])))
            }
        }
        let screen = try Self.screen(bench)
        #expect(
            screen.count == 16
                && (10..<16).map { screen.line($0).isContinuation } == [false, true, false, true, false, true])
        #expect(screen.line(11).text == "green" && screen.line(13).text == "éa" && screen.line(15).text == "plain")
        #expect(!screen.line(10).text.contains("3") && !screen.line(12).text.contains("\u{FFFD}"))
        let green = bench.model.theme.printed(Style(foreground: .palette(2)))
        for (row, text) in [(12, "green"), (14, "éa"), (16, "plain")] {
            #expect(bench.row(row).hasPrefix(text))
            #expect(bench.frame[column: 0, row: row].style.foreground == green.foreground, "\(text)")
        }
        let saved = screen.savedText.split(separator: "\n").suffix(3)
        #expect(saved.map(\.utf8.count) == [room - 8 + 5, room - 5 + 3, room + 5])
        bench.type("G")
        for line in [15, 14] {
            _ = bench.takeEffects()
            bench.type("y")
            let copied = String(repeating: "z", count: room) + "plain"
            #expect(bench.takeEffects().contains(.copy(copied)), "\(line)")
            bench.type("k")
        }
    }

    @Test("Who leaves the end of a log by a page sees the page before")
    func pages() throws {
        var bench = try Self.opened()
        let subscription = try Self.screen(bench).sources[0].subscription
        bench.send(.logs(subscription, .entries((0..<100).map { Self.entry("more \($0)", Int64(100 + $0)) })))
        let page = (0..<21).map { 79 + $0 }
        #expect(bench.row(1).hasPrefix("more \(page[0])") && bench.row(21).hasPrefix("more 99"))
        bench.type("<pgup>")
        #expect(bench.row(1).hasPrefix("more 59") && bench.row(21).hasPrefix("more 79"))
        bench.type("<ctrl-d>")
        #expect(bench.row(1).hasPrefix("more 69"))
        bench.type("k")
        #expect(bench.row(1).hasPrefix("more 69"), "a line up moves the cursor alone")
    }
}
