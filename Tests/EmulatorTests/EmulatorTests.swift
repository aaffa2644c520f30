import Terminal
import Testing

@testable import Emulator

@Suite struct EmulatorTests {
    private func emulator(_ columns: Int = 20, _ rows: Int = 5, fed text: String = "") -> GridEmulator {
        let emulator = GridEmulator(size: Size(columns: columns, rows: rows))
        emulator.feed(Array(text.utf8))
        return emulator
    }

    private func screen(_ emulator: any TerminalEmulator) -> [String] {
        (0..<emulator.size.rows).map { emulator.text(ofLine: emulator.liveStart + $0) }
    }

    @Test("Text, line ends, tabs and cursor moves land where a terminal puts them")
    func placement() {
        let emulator = emulator(fed: "one\r\ntwo\tx\u{1B}[4;3Hhere\u{1B}[1;1H1")
        #expect(screen(emulator) == ["1ne", "two     x", "", "  here", ""])
        #expect(emulator.cursor == Position(column: 1, row: 0))
    }

    @Test("Colours keep their kind: palette, 24 bit and the default; attributes with them")
    func styles() {
        let emulator = emulator(fed: "\u{1B}[1;31ma\u{1B}[0;38;5;200;48;2;1;2;3mb\u{1B}[0;3;4;7;9mc\u{1B}[0md")
        let cells = emulator.line(emulator.liveStart)
        #expect(cells[0].style == Style(foreground: .palette(1), attributes: .bold))
        #expect(cells[1].style == Style(foreground: .palette(200), background: .rgb(1, 2, 3)))
        #expect(cells[2].style.attributes == [.italic, .underline, .reverse, .strike])
        #expect(cells[3].style == .plain)
    }

    @Test("UTF-8 may be cut between any two bytes")
    func splitUTF8() {
        let text = "aé日本🚀e\u{301}z"
        let whole = emulator(fed: text)
        let cut = emulator()
        for byte in text.utf8 { cut.feed([byte]) }
        #expect(screen(cut) == screen(whole))
        #expect(screen(cut)[0] == "aé日本🚀e\u{301}z")
        #expect(cut.cursor?.column == 10)
    }

    @Test("A wide character has a continuation, and at the right edge goes to the next line")
    func wideCharacters() {
        let emulator = emulator(5, 2, fed: "日本語")
        #expect(screen(emulator) == ["日本", "語"])
        let cells = emulator.line(emulator.liveStart)
        #expect(cells.map(\.width) == [2, 0, 2, 0, 1])
    }

    @Test("Lines that scroll off can be read with their styles, and keep their numbers")
    func scrollback() {
        let emulator = emulator(20, 3)
        for number in 0..<10 { emulator.feed(Array("\u{1B}[3\(number % 8)mline 日 \(number)\u{1B}[0m\r\n".utf8)) }
        #expect(emulator.lines == 0..<11)
        #expect(emulator.text(ofLine: 0) == "line 日 0")
        #expect(emulator.line(5)[0].style.foreground == .palette(5))
        #expect(emulator.line(5)[5].width == 2)
        #expect(emulator.text(ofLine: 8) == "line 日 8")
        #expect(emulator.line(99).isEmpty && emulator.line(-1).isEmpty)
    }

    @Test("The scrollback keeps within its limits, the oldest lines go first")
    func scrollbackLimit() {
        let emulator = GridEmulator(
            size: Size(columns: 20, rows: 2), scrollback: ScrollbackLimit(lines: 100, bytes: 1 << 20))
        for number in 0..<1000 { emulator.feed(Array("line \(number)\r\n".utf8)) }
        #expect(emulator.lines == 899..<1001)
        #expect(emulator.text(ofLine: 899) == "line 899")
        #expect(emulator.line(898).isEmpty)
        emulator.clearScrollback()
        #expect(emulator.lines == 999..<1001)
        let tight = GridEmulator(
            size: Size(columns: 20, rows: 2), scrollback: ScrollbackLimit(lines: 100_000, bytes: 10_000))
        for number in 0..<1000 { tight.feed(Array("line \(number)\r\n".utf8)) }
        #expect(tight.lines.count < 100)
    }

    @Test("The alternate screen leaves the scrollback alone and comes off again")
    func alternateScreen() {
        let emulator = emulator(20, 3, fed: "a\r\nb\r\nc\r\nd")
        let lines = emulator.lines
        emulator.feed(Array("\u{1B}[?1049h\u{1B}[Hfull\r\n\r\n\r\n\r\n\r\n".utf8))
        #expect(emulator.modes.isAlternateScreen)
        #expect(emulator.lines == lines)
        emulator.feed(Array("\u{1B}[?1049l".utf8))
        #expect(!emulator.modes.isAlternateScreen)
        #expect(screen(emulator) == ["b", "c", "d"])
    }

    @Test("Title, cursor and bell are told; a title has no control characters")
    func properties() {
        let emulator = emulator(fed: "\u{1B}]2;my title\u{07}\u{1B}[?25l\u{07}\u{07}")
        #expect(emulator.title == "my title")
        #expect(emulator.cursor == nil)
        #expect(emulator.takeBells() == 2)
        #expect(emulator.takeBells() == 0)
        emulator.feed(Array("\u{1B}[?25h\u{1B}[4 q\u{1B}[?1002h".utf8))
        #expect(emulator.cursorShape == .underline)
        #expect(emulator.modes.mouse == .drag)
    }

    @Test("The generation changes with what can be seen, and only then")
    func generation() {
        let emulator = emulator(fed: "x")
        let before = emulator.generation
        emulator.feed([])
        _ = emulator.takeOutput()
        #expect(emulator.generation == before)
        emulator.feed([0x79])
        #expect(emulator.generation != before)
        #expect(screen(emulator)[0] == "xy")
    }

    @Test("Questions are answered: device, cursor place")
    func replies() {
        let emulator = emulator(fed: "ab\u{1B}[6n")
        #expect(String(decoding: emulator.takeOutput(), as: UTF8.self) == "\u{1B}[1;3R")
        emulator.feed(Array("\u{1B}[c".utf8))
        #expect(String(decoding: emulator.takeOutput(), as: UTF8.self).hasPrefix("\u{1B}[?"))
        #expect(emulator.takeOutput().isEmpty)
    }

    @Test("A resize keeps the rows that fit; growing takes lines back from the scrollback")
    func resize() {
        let emulator = emulator(20, 3, fed: "a\r\nb\r\nc 日\r\nd\r\ne")
        #expect(emulator.lines.count == 5)
        emulator.resize(to: Size(columns: 20, rows: 5))
        #expect(screen(emulator) == ["a", "b", "c 日", "d", "e"])
        emulator.resize(to: Size(columns: 4, rows: 5))
        #expect(emulator.line(emulator.liveStart + 2).count == 4)
        emulator.resize(to: Size(columns: 0, rows: -3))
        #expect(emulator.size == Size(columns: 1, rows: 1))
        emulator.feed(Array("日本語\r\nabc\u{1B}[6n".utf8))
        emulator.resize(to: Size(columns: 80, rows: 24))
        emulator.feed(Array("after".utf8))
        #expect(screen(emulator).joined().contains("after"))
    }

    @Test("What a narrower screen hides of a row is seen again on a wider one, unless the row was written to meanwhile")
    func hiddenCells() {
        let emulator = emulator(20, 4, fed: "a long line of text\r\nanother long line\r\n日本語日本語\r\n$ ")
        emulator.resize(to: Size(columns: 7, rows: 4))
        #expect(screen(emulator) == ["a long", "another", "日本語", "$"])
        emulator.feed(Array("\u{1B}[2;1Hnew\u{1B}[4;3H".utf8))
        emulator.resize(to: Size(columns: 20, rows: 4))
        #expect(screen(emulator) == ["a long line of text", "newther", "日本語日本語", "$"])
        emulator.resize(to: Size(columns: 7, rows: 4))
        emulator.feed(Array("\r\nx\r\ny".utf8))
        emulator.resize(to: Size(columns: 20, rows: 6))
        #expect(
            screen(emulator) == ["a long line of text", "newther", "日本語日本語", "$", "x", "y"],
            "what scrolled off meanwhile had all of it")
        emulator.resize(to: Size(columns: 7, rows: 6))
        emulator.feed(Array("\u{1B}[1;1H\u{1B}[K\u{1B}[3;1H\u{1B}[P".utf8))
        emulator.resize(to: Size(columns: 20, rows: 6))
        #expect(screen(emulator)[0] == "" && screen(emulator)[2] == " 本語")
    }

    @Test("A line taken back from the scrollback at another width never has half a wide character")
    func popAtOtherWidth() {
        for columns in 1...9 {
            let emulator = emulator(9, 2, fed: "日本語日x\r\n2\r\n3\r\n4")
            emulator.resize(to: Size(columns: columns, rows: 2))
            emulator.resize(to: Size(columns: columns, rows: 6))
            for number in emulator.lines where number >= emulator.liveStart {
                let cells = emulator.line(number)
                #expect(cells.count == columns)
                for (index, cell) in cells.enumerated() where cell.width == 2 {
                    #expect(index + 1 < columns && cells[index + 1].isContinuation)
                }
            }
        }
    }

    @Test("Search goes both ways, ignores case for small letters, and counts columns")
    func search() {
        let emulator = emulator(20, 2, fed: "Alpha\r\nbeta 日本 ALPHA\r\ngamma\r\nend")
        #expect(emulator.find("alpha", from: 0) == LineMatch(line: 0, columns: 0..<5))
        #expect(emulator.find("alpha", from: 1) == LineMatch(line: 1, columns: 10..<15))
        #expect(emulator.find("alpha", from: 3, backwards: true)?.line == 1)
        #expect(emulator.find("Alpha", from: 1) == nil)
        #expect(emulator.find("本", from: 0) == LineMatch(line: 1, columns: 7..<9))
        #expect(emulator.matches(of: "a", inLine: 2) == [1..<2, 4..<5])
        #expect(emulator.find("", from: 0) == nil)
    }

    @Test("The text of a selection has its lines, whichever end came first")
    func selection() {
        let emulator = emulator(20, 2, fed: "first line\r\nsecond 日本\r\nthird")
        let text = emulator.text(from: LinePosition(line: 2, column: 2), through: LinePosition(line: 0, column: 6))
        #expect(text == "line\nsecond 日本\nthi")
        let outside = emulator.text(
            from: LinePosition(line: -5, column: 0), through: LinePosition(line: 99, column: 0))
        #expect(outside.hasPrefix("first line\n"))
        #expect(
            emulator.text(from: LinePosition(line: 50, column: 0), through: LinePosition(line: 60, column: 0)) == "")
    }

    @Test("Drawing places lines, fills the rest and shows the cursor where it is seen")
    func drawing() {
        let emulator = emulator(6, 2, fed: "a\r\nb\r\nc")
        var frame = Frame(size: Size(columns: 8, rows: 3), style: Style(background: .palette(1)))
        let region = Region(column: 1, row: 0, columns: 7, rows: 3)
        emulator.draw(into: &frame, region: region, showsCursor: true)
        #expect((0..<3).map { frame.text(ofRow: $0) } == [" b", " c", ""])
        #expect(frame.cursor == Position(column: 2, row: 1))
        emulator.draw(into: &frame, region: region, firstLine: 0, showsCursor: true)
        #expect((0..<3).map { frame.text(ofRow: $0) } == [" a", " b", " c"])
        #expect(frame.cursor == Position(column: 2, row: 2))
    }
}
