import Terminal

/// A place in an emulator's lines.
package struct LinePosition: Hashable, Sendable, Comparable {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package static func < (left: LinePosition, right: LinePosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// Where a search found its text: `columns` of one line.
package struct LineMatch: Hashable, Sendable {
    package var line: Int
    package var columns: Range<Int>

    package init(line: Int, columns: Range<Int>) {
        self.line = line
        self.columns = columns
    }
}

extension TerminalEmulator {
    /// The number of the live screen's first line.
    package var liveStart: Int { lines.upperBound - size.rows }

    /// Draws the lines from `firstLine` (nil: the live screen, from its top) into `region`, and the cursor where it is seen
    /// and `showsCursor`. What the lines do not cover is filled with spaces.
    package func draw(
        into frame: inout Frame, region: Region, firstLine: Int? = nil, showsCursor: Bool = false
    ) {
        let first = firstLine ?? liveStart
        for row in 0..<region.rows {
            let target = Region(column: region.column, row: region.row + row, columns: region.columns, rows: 1)
            let cells = line(first + row)
            if cells.count < target.columns {
                var rest = target
                _ = rest.takeLeft(cells.count)
                frame.fill(rest)
            }
            frame.blit(cells, columns: cells.count, to: target)
        }
        guard showsCursor, let cursor else { return }
        let place = Position(
            column: region.column + cursor.column, row: region.row + liveStart + cursor.row - first)
        guard region.contains(place) else { return }
        frame.cursor = place
        frame.cursorShape = cursorShape
    }

    /// The text of a line, without the spaces at its end.
    package func text(ofLine number: Int) -> String {
        var text = line(number).map(\.text).joined()
        while text.last == " " { text.removeLast() }
        return text
    }

    /// The text between two places, both included, lines parted by `\n` and without the spaces at their ends.
    package func text(from first: LinePosition, through last: LinePosition) -> String {
        let (first, last) = first <= last ? (first, last) : (last, first)
        let numbers = lines.clamped(to: first.line..<last.line + 1)
        return numbers.map { number in
            let cells = line(number)
            let from = number == first.line ? min(max(0, first.column), cells.count) : 0
            let to = number == last.line ? min(max(0, last.column + 1), cells.count) : cells.count
            var text = cells[from..<max(from, to)].map(\.text).joined()
            while text.last == " " { text.removeLast() }
            return text
        }.joined(separator: "\n")
    }

    /// The nearest line that holds `needle`, from `start` on or, `backwards`, from it upwards; nil where none does. Capitals
    /// count only when `needle` has one.
    package func find(_ needle: String, from start: Int, backwards: Bool = false) -> LineMatch? {
        guard !needle.isEmpty, !lines.isEmpty else { return nil }
        let search = LineSearch(needle)
        var number = min(max(start, lines.lowerBound), lines.upperBound - 1)
        while lines.contains(number) {
            if let columns = search.columns(in: line(number)) { return LineMatch(line: number, columns: columns) }
            number += backwards ? -1 : 1
        }
        return nil
    }

    /// All places in one line that hold `needle`, for marking them.
    package func matches(of needle: String, inLine number: Int) -> [Range<Int>] {
        guard !needle.isEmpty else { return [] }
        return LineSearch(needle).allColumns(in: line(number))
    }
}
