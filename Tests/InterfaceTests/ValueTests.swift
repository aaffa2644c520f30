import EngineAPI
import Terminal
import Testing

@testable import Interface

@Suite struct ValueTests {
    @Test("Braille graphs fill from below, two values in a character, the newest at the right")
    func braille() {
        let rows = Graph.rows([1, 2, 3, 4], columns: 3, rows: 1, maximum: 4)
        #expect(rows.map { String(String.UnicodeScalarView($0)) } == ["\u{2800}\u{28E0}\u{28FE}"])
        let tall = Graph.rows([8, 1], columns: 1, rows: 2, maximum: 8)
        #expect(tall == [["\u{2847}"], ["\u{28C7}"]])
    }

    @Test("Blocks take eight levels, and more than nothing is seen")
    func blocks() {
        let rows = Graph.rows([0, 0.01, 4, 8, nil, 99], columns: 6, rows: 1, maximum: 8, symbols: .blocks)
        #expect(rows == [[" ", "▁", "▄", "█", " ", "█"]])
    }

    @Test("A scale doubles from its floor", arguments: [(0.0, 25.0), (24, 25), (26, 50), (399, 400)])
    func scale(top: Double, scale: Double) { #expect(Graph.scale([top], floor: 25) == scale) }

    @Test(
        "Amounts read as docker's",
        arguments: [
            (0, "0B"), (1023, "1023B"), (1024, "1.0KiB"), (12_582_912, "12.0MiB"), (1_073_741_824, "1.0GiB"),
            (1_048_064, "1.0MiB"), (104_857_600, "100MiB"),
        ] as [(UInt64, String)])
    func bytes(count: UInt64, text: String) { #expect(Quantity.bytes(count) == text) }

    @Test("Figures that another engine makes up are drawn all the same")
    func extremeFigures() throws {
        var history = StatsHistory()
        for (nanoseconds, figure) in [(Int64.min, UInt64(0)), (.min + 1, .max), (.max, .max)] {
            var sample = ContainerStats(id: "a", name: "a", time: Timestamp(nanosecondsSinceEpoch: nanoseconds))
            (sample.cpuNanoseconds, sample.memoryTotalBytes, sample.memoryLimitBytes) = (figure, figure, figure)
            (sample.blockReadBytes, sample.blockWriteBytes, sample.pids) = (figure, figure, figure)
            (sample.outOfMemoryKills, sample.throttledPeriods) = (figure, figure)
            history.add(sample)
            let point = try #require(history.latest)
            #expect(StatsSeries.all(of: history, at: point).count == 5)
        }
        #expect(history.points.count == 3)
        #expect(Quantity.percent(1e30) == "9223372036854775807%" && Quantity.bytes(.max) == "16384PiB")
    }

    @Test("Ages have one unit", arguments: [(5, "5s"), (119, "119s"), (120, "2m"), (7200, "2h"), (200_000, "2d")])
    func ages(seconds: Int64, text: String) {
        #expect(Quantity.age(since: Sample.ago(seconds), at: Sample.now) == text)
    }

    @Test("Rates come from two samples; a new start is no rate")
    func history() throws {
        var history = StatsHistory()
        history.add(Sample.stats("a", second: 0))
        #expect(history.latest?.cpuPercent == nil)
        history.add(Sample.stats("a", second: 1))
        let point = try #require(history.latest)
        #expect(point.readBytesPerSecond == 40_000)
        #expect(point.memoryBytes == (11 << 20) + (3 << 20))
        var restarted = Sample.stats("a", second: 2)
        restarted.cpuNanoseconds = 5
        history.add(restarted)
        #expect(history.latest?.cpuPercent == nil && history.latest?.readBytesPerSecond == nil)
        history.add(Sample.stats("a", second: 2))
        #expect(history.points.count == 3, "the same moment twice is one sample")
    }

    @Test("A history is bounded")
    func boundedHistory() {
        var history = StatsHistory()
        for second in 0..<5000 {
            var sample = ContainerStats(id: "a", name: "a", time: Sample.ago(Int64(5000 - second)))
            sample.pids = 1
            history.add(sample)
        }
        #expect(history.points.count <= StatsHistory.capacity + 60)
        #expect(MemoryLayout<GraphPoint>.stride <= 24, "there are hundreds of each of perhaps a thousand containers")
    }

    @Test("A graph keeps what is drawn, and where there was nothing")
    func graphPoints() {
        var point = StatsPoint(time: Sample.now)
        #expect(GraphPoint(point).cpuPercent == nil && GraphPoint(point).networkBytesPerSecond == nil)
        (point.cpuPercent, point.memoryBytes, point.pids) = (12.5, 64 << 20, 7)
        (point.readBytesPerSecond, point.writeBytesPerSecond) = (4096, 1024)
        (point.throttledPeriods, point.outOfMemoryKills) = (1, .max)
        let kept = GraphPoint(point)
        #expect(kept.cpuPercent == 12.5 && kept.memoryBytes == 67_108_864 && kept.pids == 7)
        #expect(kept.blockBytesPerSecond == 5120 && kept.isThrottled && kept.outOfMemoryKills == 65535)
    }

    @Test("Processes hang on their parents; strays and rings do not hang the list")
    func tree() {
        let rows = ProcessRow.tree(Sample.processes)
        #expect(rows.map(\.node.pid) == [1000, 1200, 1201, 1230, 1231])
        #expect(rows.map(\.branch) == ["", "└─", "  └─", "    ├─", "    └─"])
        var ring = Sample.processes
        ring[0].parentPID = 1231
        #expect(ProcessRow.tree(ring).isEmpty)
    }

    @Test("Escape sequences of a log colour it and do nothing else")
    func escapes() {
        let text = EscapeText(Array("\u{1b}[2J\u{1b}[1;31mred\u{1b}[0m\u{1b}]0;title\u{7} a\tb\r\n\u{7}".utf8))
        #expect(String(decoding: text.plain, as: UTF8.self) == "red a   b")
        #expect(text.runs.first?.style == Style(foreground: .palette(1), attributes: .bold))
        let bar = EscapeText(Array("10 %\r\u{1b}[1m100 %\u{1b}[0m done\r\n".utf8))
        #expect(String(decoding: bar.plain, as: UTF8.self) == "100 % done")
        let colons = EscapeText(Array("\u{1b}[4:3ma\u{1b}[0;38:2::255:100:7mb\u{1b}[>4;7mc".utf8))
        #expect(
            colons.runs.map(\.style) == [
                Style(attributes: .underline), Style(foreground: .rgb(255, 100, 7)),
            ], "with a prefix it is no colour")
        #expect(String(decoding: colons.plain, as: UTF8.self) == "abc")
        let broken = EscapeText(Array("\u{1b}[3\u{1b}[1mbold\u{1b}[1 2mx".utf8))
        #expect(broken.runs.map(\.style) == [Style(attributes: .bold)])
        #expect(String(decoding: broken.plain, as: UTF8.self) == "boldx")
        let wide = EscapeText(Array("\u{1b}[38;5;200;48;2;1;2;3mx".utf8))
        #expect(wide.runs.first?.style == Style(foreground: .palette(200), background: .rgb(1, 2, 3)))
    }

    @Test("A log keeps a bounded number of bytes, the newest, and says so")
    func boundedLog() throws {
        var screen = LogScreen([Sample.containers[0]], serial: 1)
        for number in 0..<100_000 {
            let bytes = Array("line \(number) \(String(repeating: "x", count: 100))\n".utf8)
            let entry = LogEntry(time: Sample.now, source: .stdout, bytes: bytes)
            screen.add(.entries([entry]), of: screen.sources[0].subscription)
        }
        let held = screen.lines.reduce(0) { $0 + $1.bytes.count + LogLine.overhead }
        #expect(held <= LogScreen.byteLimit)
        #expect(screen.lines.last?.text.hasPrefix("line 99999") == true)
        #expect(screen.droppedLines + screen.lines.count == 100_000)
        #expect(screen.summary.contains("dropped"))
    }

    @Test("Parts of a long line are one line")
    func partialLines() {
        var screen = LogScreen([Sample.containers[0]], serial: 1)
        for piece in ["one ", "line\n", "next\n"] {
            let entry = LogEntry(time: Sample.now, source: .stdout, bytes: Array(piece.utf8))
            screen.add(.entries([entry]), of: screen.sources[0].subscription)
        }
        #expect(screen.lines.map(\.text) == ["one line", "next"])
    }

    @Test("Wrapping looks at no more text than rows are wanted")
    func limitedWrap() {
        let text = String(repeating: "word ", count: 1 << 18)
        #expect(TextWrap.lines(of: text, columns: 9, limit: 3) == ["word word", "word word", "word word"])
        #expect(TextWrap.lines(of: "a b", columns: 1, limit: 5) == ["a", "b"])
        #expect(TextWrap.lines(of: text, columns: 9, limit: 0).isEmpty)
    }

    @Test("Processes stand by what they use of a processor, or of the memory, and the container's own first")
    func processOrder() throws {
        var bench = try Bench.connected(200, 50)
        let id = try #require(bench.model.selectedContainer?.id)
        func send(_ second: Int64, busy: Int32) {
            let nodes = Sample.processes.map { node in
                var node = node
                let start = node.startedAt.nanosecondsSinceEpoch + second * 7_654_321
                node.startedAt = Timestamp(nanosecondsSinceEpoch: start)
                node.cpuNanoseconds = UInt64(second) * (node.pid == busy ? 500_000_000 : 1_000_000)
                return node
            }
            bench.send(.processes(containerID: id, nodes, at: Sample.ago(100 - second)))
        }
        send(0, busy: 1230)
        #expect(bench.text.contains("RSS   CPU%  AGE COMMAND") && bench.model.processes.cpuPercents.isEmpty)
        send(2, busy: 1230)
        #expect(bench.model.processes.cpuPercents[1230] == 50)
        #expect(!bench.text.contains("F5 orders them"))
        bench.type("3")
        #expect(bench.text.contains("5, F5 orders them"))
        bench.type("<F5>")
        #expect(bench.model.processes.rows.map(\.node.pid) == [1230, 1201, 1231, 1000, 1200])
        #expect(bench.text.contains("processes by cpu") && bench.text.contains(" 50.0"))
        bench.type("<F5>")
        #expect(bench.model.processes.rows.map(\.node.pid) == [1231, 1230, 1201, 1200, 1000])
        bench.type("<F5>")
        #expect(bench.model.processes.rows.map(\.branch).contains("└─"))
        #expect(bench.model.containers.sort == .created, "the list keeps its own order")
        // A pid that another process has by now has used nothing yet.
        var nodes = Sample.processes
        for index in nodes.indices { nodes[index].startedAt = Sample.ago(1) }
        bench.send(.processes(containerID: id, nodes, at: Sample.ago(50)))
        #expect(bench.model.processes.cpuPercents.isEmpty)
        var narrow = try Bench.connected()
        narrow.send(.processes(containerID: id, Sample.processes))
        #expect(narrow.text.contains("RSS  AGE COMMAND"))
        narrow.type("3<F5>")
        #expect(narrow.text.contains("RSS   CPU% COMMAND"), "the age makes room")
    }
}
