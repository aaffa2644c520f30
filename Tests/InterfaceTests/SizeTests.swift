import EngineAPI
import Terminal
import Testing

@testable import Interface

@Suite struct SizeTests {
    static let screens = [
        "", "2", "3z", "4+", "a", "n", "?", "m", "i", "I", "Ip", "U", "t", "N", "V", "x", "d", "/w", "a<ctrl-]>[", "+",
        "@", "f", "fi",
        " j m", "mf", "ms", "f<enter>",
        "1++",
    ]

    @Test("No size and no screen is too small or too large to draw", arguments: screens)
    func everySize(keys: String) throws {
        var bench = try Bench.connected()
        bench.fillFigures()
        bench.openConsole("\u{1b}[31m日本\u{1b}[0m")
        bench.type(keys)
        bench.send(.inspected(Sample.details(Sample.containers[0]), .show))
        if keys != "i" { bench.type("<esc>") }
        var widths = Array(1...45) + [79, 80, 81, 117, 118, 119, 200, 500]
        // A tall screen with each width, a wide one with each height: all pairs would be a hundred thousand.
        widths.shuffle()
        for width in widths {
            for height in [1, 2, 5, 11, 12, 13, 23, 24, 25, 50, 200] where width * height < 30_000 {
                bench.send(.input(.resize(Size(columns: width, rows: height))))
                let frame = bench.frame
                #expect(frame.size == Size(columns: width, rows: height))
            }
        }
        for height in 1...30 {
            bench.send(.input(.resize(Size(columns: 83, rows: height))))
            #expect(bench.frame.size.rows == height)
            bench.type("j")
        }
    }

    @Test(
        "The list of many containers has half of a wide screen, and less of one on which it stands over all others",
        arguments: [(120, 40, 62, 19), (200, 60, 62, 29), (120, 40, 5, 8), (80, 24, 62, 8), (80, 24, 2, 5)])
    func listRows(columns: Int, rows: Int, count: Int, list: Int) {
        let layout = ScreenLayout(
            size: Size(columns: columns, rows: rows), mode: .normal, focus: .containers, containerCount: count)
        #expect(layout.panels[.containers]?.rows == list)
    }

    @Test("Panels do not overlap and leave the last rows free", arguments: [LayoutMode.normal, .half, .full])
    func layout(mode: LayoutMode) {
        for columns in [40, 60, 80, 100, 117, 118, 160, 300] {
            for rows in [12, 16, 23, 24, 30, 50, 100] {
                for focus in Panel.allCases {
                    for count in [0, 5, 500] {
                        let size = Size(columns: columns, rows: rows)
                        let layout = ScreenLayout(size: size, mode: mode, focus: focus, containerCount: count)
                        var taken: Set<Position> = []
                        for region in layout.panels.values {
                            for row in region.row..<region.endRow {
                                for column in region.column..<region.endColumn {
                                    let isNew = taken.insert(Position(column: column, row: row)).inserted
                                    #expect(isNew, "\(size) \(mode) \(focus)")
                                }
                            }
                            #expect(region.endRow <= rows - 2 && region.endColumn <= columns)
                        }
                        #expect(layout.panels[focus]?.rows ?? 0 >= 3, "\(size) \(mode) \(focus) \(count)")
                    }
                }
            }
        }
    }

    @Test("Below the smallest size the screen says what it needs, and q still quits")
    func tooSmall() throws {
        var bench = try Bench.connected(30, 8)
        #expect(bench.text.contains("needs 40×12"))
        bench.openConsole()
        _ = bench.takeEffects()
        bench.type("sdk<enter>")
        #expect(bench.takeEffects() == [], "nothing is done unseen")
        bench.type("q")
        #expect(bench.takeEffects() == [.quit])
    }

    @Test("Help and questions are read whole on the smallest screen, too")
    func wholeWords() throws {
        var bench = try Bench.connected(40, 12)
        bench.type("d")
        for words in ["its processes will", "is lost.", "D removes", "kill and remove"] {
            #expect(bench.text.contains(words), "\(words) in \(bench.text)")
        }
        #expect(!bench.text.contains("…") || bench.row(0).contains("…"), "\(bench.text)")
        bench.type("<esc>?")
        guard case .help(let pager)? = bench.model.dialogs.last else { return #expect(Bool(false), "no help") }
        for line in pager.lines { #expect(!TextWidth.exceeds(40, line.text), "\(line.text)") }
    }

    @Test("A question about more than there are rows for keeps its end, where it says what is lost")
    func longQuestion() throws {
        let many = (0..<400).map { Sample.container(id: Sample.id($0 + 1), name: "container-\($0)", .running) }
        for (columns, rows) in [(40, 12), (80, 24), (60, 16)] {
            var bench = try Bench.connected(columns, rows, containers: many)
            bench.type("*d")
            #expect(bench.text.contains("is lost."), "\(bench.text)")
            #expect(bench.text.contains("kill and remove"))
        }
    }
}
