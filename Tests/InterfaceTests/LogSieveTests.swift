import EngineAPI
import Terminal
import Testing

@testable import Interface

@Suite struct LogSieveTests {
    private static func lines(_ texts: [String]) -> [LogLine] {
        texts.map { LogLine(LogEntry(time: Sample.now, source: .stdout, bytes: Array(($0 + "\n").utf8))) }
    }

    private struct Missing: Error {}

    /// What passes once nothing is left to look at.
    private static func finish(_ sieve: inout LogSieve, _ lines: [LogLine]) -> [Int] {
        var number = 100
        while sieve.isBehind(lines) {
            sieve.ask(about: lines, number: number)
            number += 1
            if let piece = sieve.piece { sieve.take(piece.passing, of: piece.number) }
        }
        return sieve.passing
    }

    @Test("Lines are looked at a piece at a time, and an answer to another question is none")
    func pieces() throws {
        let filler = String(repeating: "-", count: 4000)
        let lines = Self.lines((0..<1000).map { "\($0 % 3 == 0 ? "x" : "o") \(filler)" })
        var sieve = LogSieve(try LogFilter("x"))
        sieve.ask(about: lines, number: 1)
        let first = try #require(sieve.piece)
        #expect(first.lines.count < 300 && first.lines.count > 200)
        sieve.ask(about: lines, number: 2)
        #expect(sieve.piece?.number == 1)
        sieve.take([0], of: 7)
        #expect(sieve.passing.isEmpty && sieve.known == 0)
        sieve.take(first.passing, of: 1)
        #expect(sieve.known == first.lines.count && sieve.isBehind(lines))
        #expect(Self.finish(&sieve, lines) == (0..<1000).filter { $0 % 3 == 0 })
    }

    @Test("What is said of lines that have changed or gone meanwhile counts as far as it still holds")
    func meanwhile() throws {
        var lines = Self.lines((0..<20).map { "\($0 % 2 == 0 ? "x" : "o")" })
        var sieve = LogSieve(try LogFilter("x"))
        sieve.ask(about: lines, number: 1)
        let piece = try #require(sieve.piece)
        // Four are dropped, and another comes in at 10.
        lines.removeFirst(4)
        #expect(sieve.drop(4) == 0)
        lines.insert(contentsOf: Self.lines(["x"]), at: 10)
        sieve.forget(from: 10)
        sieve.take(piece.passing, of: 1)
        #expect(sieve.passing == [0, 2, 4, 6, 8] && sieve.known == 10)
        #expect(Self.finish(&sieve, lines) == [0, 2, 4, 6, 8, 10, 11, 13, 15])
        // What was known of the rest is forgotten, too.
        sieve.forget(from: 5)
        #expect(sieve.passing == [0, 2, 4] && sieve.known == 5)
        #expect(sieve.drop(3) == 2)
        #expect(sieve.passing == [1] && sieve.known == 2)
    }

    @Test("A piece that is asked about before all it holds has changed tells nothing")
    func overtaken() throws {
        let lines = Self.lines(["x", "x"])
        var sieve = LogSieve(try LogFilter("x"))
        sieve.ask(about: lines, number: 1)
        sieve.forget(from: 0)
        sieve.take([0, 1], of: 1)
        #expect(sieve.known == 0 && sieve.passing.isEmpty && sieve.piece == nil)
        #expect(Self.finish(&sieve, lines) == [0, 1])
    }

    @Test("A piece is looked at no further once nobody waits for it")
    func cancelled() async throws {
        let lines = Self.lines([String](repeating: String(repeating: "a", count: 1000), count: 200))
        let piece = LogPiece(number: 1, filter: try LogFilter("b"), lines: lines)
        let all = await piece.passingUnlessCancelled()
        #expect(all == [])
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return await piece.passingUnlessCancelled()
        }
        task.cancel()
        #expect(await task.value == nil)
    }

    @Test("A screen goes on while its filter looks at a long log, which ends with the filter or the screen")
    func screen() throws {
        var bench = try Bench.connected()
        bench.type("m")
        guard case .logs(let screen)? = bench.model.dialogs.last else { throw Missing() }
        let filler = String(repeating: "-", count: 400)
        let entries = (0..<8000).map { number in
            LogEntry(
                time: Sample.now, source: .stdout,
                bytes: Array("\(number % 4000 == 10 ? "found" : "other") \(number) \(filler)\n".utf8))
        }
        bench.send(.logs(screen.sources[0].subscription, .entries(entries)))
        for key in Bench.keys("kkf/fo+und/") { bench.sendAlone(.input(.key(key))) }
        #expect(bench.siftedPiece == nil)
        bench.sendAlone(.input(.key(Key(.enter))))
        let piece = try #require(bench.siftedPiece)
        #expect(piece.lines.count < 8000)
        #expect(bench.text.contains("looking through the lines…") && bench.row(0).contains("looked at 0%"))
        bench.sendAlone(.sifted(piece.number, piece.passing))
        #expect(bench.row(1).hasPrefix("found 10"))
        let next = try #require(bench.siftedPiece)
        #expect(next.number != piece.number)
        // Another filter asks anew, and an answer to the old one is not taken.
        for key in Bench.keys("f<ctrl-u>/^other 799/<enter>") { bench.sendAlone(.input(.key(key))) }
        let other = try #require(bench.siftedPiece)
        #expect(other.number != next.number)
        bench.sendAlone(.sifted(next.number, [0]))
        #expect(bench.text.contains("looking through the lines…"))
        bench.send(.tick(Sample.now))
        guard case .logs(let after)? = bench.model.dialogs.last else { throw Missing() }
        #expect(after.count == 10 + 1 && after.line(after.cursor).text.hasPrefix("other 7997"))
        bench.sendAlone(.input(.key(.character("f"))))
        for key in Bench.keys("<ctrl-u>x<enter>") { bench.sendAlone(.input(.key(key))) }
        #expect(bench.siftedPiece != nil)
        for key in Bench.keys("<esc>") { bench.sendAlone(.input(.key(key))) }
        #expect(bench.siftedPiece == nil, "escape drops the filter, and its work with it")
    }

    @Test("A line that goes on passes once the whole of it does")
    func growingLine() throws {
        var bench = try Bench.connected()
        bench.type("mfneedle<enter>")
        guard case .logs(let screen)? = bench.model.dialogs.last else { throw Missing() }
        let subscription = screen.sources[0].subscription
        for part in ["hay, nee", "dle, hay\n", "hay\n"] {
            let entry = LogEntry(time: Sample.now, source: .stdout, bytes: Array(part.utf8))
            bench.send(.logs(subscription, .entries([entry])))
        }
        #expect(bench.row(1) == "hay, needle, hay" && bench.row(0).contains("1 of 2 lines"))
    }
}
