import SeededNumbers
import Terminal
import Testing

@testable import Emulator

/// Our emulator against libvterm: the same output gives the same picture, colour for colour.
@Suite struct OracleTests {
    /// Random programs of the sequences that both know, on small screens, where margins and edges are met at once.
    @Test("Random programs draw the same picture on both", arguments: 1...60)
    func randomPrograms(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let size = Size(columns: 4 + Int(random.next() % 30), rows: 2 + Int(random.next() % 12))
        let ours = GridEmulator(size: size)
        let oracle = VTermEmulator(size: size)
        let program = RandomProgram(size: size, hasMargins: seed % 2 == 0, hasWide: seed % 3 == 0)
        ours.feed(Array(program.opening.utf8))
        oracle.feed(Array(program.opening.utf8))
        var history = ""
        for step in 0..<250 {
            let piece = program.piece(&random)
            history += piece
            ours.feed(Array(piece.utf8))
            oracle.feed(Array(piece.utf8))
            guard let difference = difference(ours, oracle, seesBlanks: !program.hasWide) else { continue }
            Issue.record(
                "\(size) step \(step), \(piece.debugDescription): \(difference)\n\(history.suffix(300).debugDescription)"
            )
            return
        }
    }

    private func difference(
        _ ours: any TerminalEmulator, _ oracle: any TerminalEmulator, seesBlanks: Bool
    ) -> String? {
        if !sameCursor(ours, oracle) {
            return "cursor \(describe(ours.cursor)), not \(describe(oracle.cursor))"
        }
        for row in 0..<ours.size.rows {
            let mine = ours.line(ours.liveStart + row)
            let theirs = oracle.line(oracle.liveStart + row)
            for column in 0..<ours.size.columns where !same(mine[column], theirs[column], seesBlanks) {
                return "row \(row) column \(column): \(mine[column].style), not \(theirs[column].style);\n"
                    + "\(mine.map(\.text).joined())\n\(theirs.map(\.text).joined())"
            }
        }
        return nil
    }

    /// After a wide character at the right edge libvterm's cursor stands on its left half, xterm's on its right.
    private func sameCursor(_ ours: any TerminalEmulator, _ oracle: any TerminalEmulator) -> Bool {
        guard let mine = ours.cursor, let theirs = oracle.cursor, mine != theirs else {
            return ours.cursor == oracle.cursor
        }
        return mine.row == theirs.row && mine.column == ours.size.columns - 1 && theirs.column == mine.column - 1
            && ours.line(ours.liveStart + mine.row)[mine.column].isContinuation
    }

    /// Of a wide character that was half overwritten libvterm keeps the left half, and other colours than ours on the blank
    /// one: blanks are compared only where there are no wide ones. It gives erased cells the pen's attributes and foreground too; on a blank they are not seen.
    private func same(_ mine: Cell, _ theirs: Cell, _ seesBlanks: Bool) -> Bool {
        if mine.text == " ", theirs.text == "\u{FFFD}" { return true }
        guard mine.text == " ", theirs.text == " " else { return mine == theirs }
        return !seesBlanks || mine.style.background == theirs.style.background
            || theirs.style.attributes != mine.style.attributes
    }

    private func describe(_ position: Position?) -> String { position.map { "\($0.column),\($0.row)" } ?? "hidden" }
}

/// Pieces of output of the kind that full-screen programs write, without what libvterm is known to do otherwise than DEC's and
/// xterm's terminals: margins that do not stop the cursor but stop an insertion beyond them, wraps
/// that survive a line feed or an erasure, marks and cursors at the right edge.
private struct RandomProgram {
    let size: Size
    let hasMargins: Bool
    let hasWide: Bool

    var opening: String {
        guard hasMargins, size.rows > 3 else { return "\u{1B}7" }
        return "\u{1B}[2;\(size.rows - 1)r\u{1B}7"
    }

    func piece(_ random: inout SplitMix) -> String {
        func number(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }
        func any(_ list: [String]) -> String { list[number(list.count)] }
        switch number(16) {
        case 0...4: return String((0..<1 + number(12)).map { _ in Character(Unicode.Scalar(UInt8(0x21 + number(90)))) })
        case 5 where hasWide: return any(["\u{1B}[4l日本\r", "\u{1B}[4l語\r", "\u{1B}[4l🚀\r"])
        case 5: return any(["é", "\re\u{301}", "│"])
        case 6: return any(["\r\n", "\n\r", "\r", "\r\t", "\u{1B}M\r", "\u{1B}D\r", "\u{1B}E"])
        case 7...9:
            return movement(
                any(Array(hasMargins ? "CDGHJKLMXdST`a" : "ABCDEFGHJKLMPX@dST`ae").map { String($0) }), number)
        case 10: return "\u{1B}[\(1 + number(size.rows));\(1 + number(size.columns))H"
        case 11: return "\u{1B}[\(1 + number(size.rows))d\u{1B}[\(1 + number(size.columns))G"
        case 12: return "\u{1B}[\([0, 1, 3, 4, 7, 9, 22, 23, 24, 27, 29][number(11)])m"
        case 13: return any(["\u{1B}[3\(number(8))m", "\u{1B}[4\(number(8))m", "\u{1B}[9\(number(8))m"])
        case 14: return any(["\u{1B}[38;5;\(number(256))m", "\u{1B}[48;2;\(number(256));7;9m", "\u{1B}[39;49m"])
        default: return any(["\u{1B}[4h", "\u{1B}[4l", "\u{1B}(0qx\u{1B}(B", "\u{1B}[H\u{1B}7", "\u{1B}[m\u{1B}8"])
        }
    }

    private func movement(_ letter: String, _ number: (Int) -> Int) -> String {
        if letter == "J" || letter == "K" {
            return "\u{1B}[\(1 + number(size.rows));\(1 + number(size.columns))H\u{1B}[\(number(3))\(letter)"
        }
        // Inserting and deleting lines returns the cursor on a DEC terminal, and not on libvterm's.
        return "\u{1B}[\(number(size.rows + 2))\(letter)" + (letter == "L" || letter == "M" ? "\r" : "")
    }
}
