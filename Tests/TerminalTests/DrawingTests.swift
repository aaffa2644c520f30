import Testing

@testable import Terminal

@Suite struct DrawingTests {
    @Test(
        "Columns of a text are what a terminal takes for it",
        arguments: [
            ("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("日本", 4), ("한국", 4), ("ﾊﾝｶｸ", 4), ("─│╭", 3), ("⣿", 1),
            ("🚀", 2), ("👩‍👩‍👧", 6), ("👍🏽", 2), ("❤️", 1), ("🇩🇪", 2), ("a\u{200B}b", 2), ("\u{301}", 1), ("a\tb", 3),
            ("\u{1B}[1m", 4), ("𠀀", 2), ("각", 2),
        ])
    func columns(text: String, count: Int) {
        #expect(TextWidth.columns(of: text) == count)
        #expect(TextCells(text, style: .plain).reduce(0) { $0 + Int($1.width) } == count)
    }

    @Test("No control character reaches a cell")
    func noControls() {
        for value in Array(UInt32(0)..<0x20) + Array(0x7F..<0xA0) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            #expect(Cell(scalar).text == "\u{FFFD}")
        }
        #expect(Cell("\u{202E}").text == "\u{FFFD}")
    }

    @Test("Text is cut at the edges of its region, a wide character never in half")
    func clipping() {
        var frame = Frame(size: Size(columns: 10, rows: 2))
        let region = Region(column: 2, row: 0, columns: 5, rows: 1)
        #expect(frame.put("ab日本", in: region) == 4)
        #expect(frame.text(ofRow: 0) == "  ab日")
        #expect(frame.put("x", row: 1, in: region) == 0)
        #expect(frame.put("abcdef", column: 3, in: region) == 2)
        #expect(frame.text(ofRow: 0) == "  ab ab")
        frame.put("abcdefg", in: region, truncation: .ellipsis)
        #expect(frame.text(ofRow: 0) == "  abcd…")
        frame.put("日本語", in: region, truncation: .ellipsis)
        #expect(frame.text(ofRow: 0) == "  日本…")
        frame.put("zz", column: 50, row: -1, in: frame.bounds)
        frame.put("zz", aligned: .right, row: 1, in: frame.bounds)
        #expect(frame.text(ofRow: 1) == "        zz")
    }

    @Test("Overwriting half a wide character leaves a space of the other half")
    func halves() {
        var frame = Frame(size: Size(columns: 6, rows: 1))
        frame.put("日本語", in: frame.bounds)
        frame.put("x", column: 1, in: frame.bounds)
        #expect(frame.text(ofRow: 0) == " x本語")
        frame.put("y", column: 2, in: frame.bounds)
        #expect(frame.text(ofRow: 0) == " xy 語")
        frame.put("界", column: 3, in: frame.bounds)
        #expect(frame.text(ofRow: 0) == " xy界")
    }

    @Test("A box has its title, its footer and an inside; without room there is none")
    func box() {
        var frame = Frame(size: Size(columns: 12, rows: 3))
        let inside = frame.box(frame.bounds, title: "long title here", footer: "f")
        #expect(inside == Region(column: 1, row: 1, columns: 10, rows: 1))
        #expect((0..<3).map { frame.text(ofRow: $0) } == ["╭─long ti…─╮", "│          │", "╰────────f─╯"])
        let none = frame.box(Region(column: 0, row: 0, columns: 1, rows: 1), title: "x")
        #expect(none.isEmpty)
    }

    @Test("Regions are cut apart and never grow past what there is")
    func regions() {
        var rest = Region(column: 1, row: 1, columns: 10, rows: 5)
        #expect(rest.takeTop(1) == Region(column: 1, row: 1, columns: 10, rows: 1))
        #expect(rest.takeBottom(2) == Region(column: 1, row: 4, columns: 10, rows: 2))
        #expect(rest.takeLeft(3) == Region(column: 1, row: 2, columns: 3, rows: 2))
        #expect(rest.takeRight(100) == Region(column: 4, row: 2, columns: 7, rows: 2))
        #expect(rest.isEmpty && rest.takeTop(-3).rows == 0)
        #expect(Region(column: 0, row: 0, columns: 3, rows: 3).inset(columns: 2, rows: 2).isEmpty)
    }

    @Test("The difference is the runs that changed, near ones joined, wide characters whole")
    func difference() {
        var old = Frame(size: Size(columns: 20, rows: 3))
        old.put("aaaaaaaaaaaaaaaaaaaa", in: old.bounds)
        old.put("日本語", row: 1, in: old.bounds)
        #expect(RowDiff.runs(from: old, to: old).isEmpty)
        var new = old
        new.put("b", column: 1, in: new.bounds)
        new.put("b", column: 4, in: new.bounds)
        new.put("b", column: 15, in: new.bounds)
        new.put("x", column: 3, row: 1, in: new.bounds)
        #expect(
            RowDiff.runs(from: old, to: new) == [
                .init(row: 0, columns: 1..<5), .init(row: 0, columns: 15..<16), .init(row: 1, columns: 2..<4),
            ])
        #expect(RowDiff.runs(from: nil, to: new).map(\.columns) == [0..<20, 0..<20, 0..<20])
        #expect(RowDiff.runs(from: Frame(size: Size(columns: 3, rows: 3)), to: new).count == 3)
    }

    @Test("Writing the runs of a difference makes the old frame the new one", arguments: [1, 2, 3, 4, 5])
    func differenceIsEnough(seed: Int) {
        var value = UInt64(seed)
        func random(_ limit: Int) -> Int {
            value = value &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((value >> 33) % UInt64(limit))
        }
        var shown = Frame(size: Size(columns: 17, rows: 4))
        for _ in 0..<200 {
            var next = shown
            for _ in 0..<random(4) {
                next.put(["a", "日", "bc", "本x", "🚀"][random(5)], column: random(17), row: random(4), in: next.bounds)
            }
            var written = shown
            for run in RowDiff.runs(from: shown, to: next) {
                for column in run.columns {
                    written.set(next[column: column, row: run.row], column: column, row: run.row, clip: next.bounds)
                }
            }
            #expect(written == next)
            shown = next
        }
    }
}
