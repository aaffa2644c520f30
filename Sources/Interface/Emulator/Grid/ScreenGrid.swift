import Terminal

/// The rows of a terminal's screen and what can be done to them. Every position is clipped to the grid: no call can reach
/// outside, whatever a program asked for. Half a wide character is never left standing.
///
/// A row may hold more cells than the screen has columns: what a narrower screen hides of it stays until the row is
/// written to, and is seen again where the screen becomes wider before.
struct ScreenGrid {
    private(set) var size: Size
    private(set) var rows: [[Cell]]

    init(size: Size) {
        self.size = size
        rows = [[Cell]](repeating: [Cell](repeating: .blank, count: size.columns), count: size.rows)
    }

    /// Writes narrow ASCII characters from `column` on, as many as fit; returns how many.
    mutating func write(_ text: UnsafeBufferPointer<UInt8>, row: Int, column: Int, style: Style) -> Int {
        let count = min(text.count, size.columns - column)
        guard count > 0 else { return 0 }
        dropHidden(row)
        mend(row: row, from: column, to: column + count)
        rows[row].withUnsafeMutableBufferPointer { cells in
            for offset in 0..<count { cells[column + offset] = Cell(ascii: text[offset], style: style) }
        }
        return count
    }

    /// Writes one cell, with its continuation where it is wide and there is room.
    mutating func write(_ cell: Cell, row: Int, column: Int) {
        let end = min(column + Int(cell.width), size.columns)
        dropHidden(row)
        mend(row: row, from: column, to: end)
        guard cell.width == 2 else { return rows[row][column] = cell }
        guard column + 1 < size.columns else { return rows[row][column] = Cell(style: cell.style) }
        rows[row][column] = cell
        rows[row][column + 1] = .continuation(style: cell.style)
    }

    mutating func combine(_ mark: Unicode.Scalar, row: Int, column: Int) {
        guard rows.indices.contains(row), rows[row].indices.contains(column) else { return }
        rows[row][column].combine(mark)
    }

    /// Makes the cells `columns` of a row spaces in `style`.
    mutating func erase(row: Int, columns: Range<Int>, style: Style) {
        let range = columns.clamped(to: 0..<size.columns)
        guard !range.isEmpty, rows.indices.contains(row) else { return }
        dropHidden(row)
        mend(row: row, from: range.lowerBound, to: range.upperBound)
        let blank = Cell(style: style)
        rows[row].withUnsafeMutableBufferPointer { cells in
            for column in range { cells[column] = blank }
        }
    }

    mutating func erase(rows range: Range<Int>, style: Style) {
        // One array for all of them, copied when a row is written to.
        let blank = blankRow(style)
        for row in range.clamped(to: 0..<size.rows) { rows[row] = blank }
    }

    /// ICH: moves the cells from `column` on to the right.
    mutating func insertCells(_ count: Int, row: Int, column: Int, style: Style) {
        let count = min(count, size.columns - column)
        guard count > 0 else { return }
        dropHidden(row)
        mend(row: row, from: column, to: column)
        mend(row: row, from: size.columns - count, to: size.columns)
        rows[row].removeLast(count)
        rows[row].insert(contentsOf: repeatElement(Cell(style: style), count: count), at: column)
    }

    /// DCH: moves the cells behind `count` to the left.
    mutating func deleteCells(_ count: Int, row: Int, column: Int, style: Style) {
        let count = min(count, size.columns - column)
        guard count > 0 else { return }
        dropHidden(row)
        mend(row: row, from: column, to: column + count)
        rows[row].removeSubrange(column..<column + count)
        rows[row].append(contentsOf: repeatElement(Cell(style: style), count: count))
    }

    /// Moves the rows of `region` up and blanks those that come free; returns those that went.
    @discardableResult
    mutating func scrollUp(_ count: Int, region: Range<Int>, style: Style) -> [[Cell]] {
        let region = region.clamped(to: 0..<size.rows)
        let count = min(max(0, count), region.count)
        guard count > 0 else { return [] }
        // An array of its own: a slice would share the storage, and the change copy it.
        let gone = Array(rows[region.lowerBound..<region.lowerBound + count])
        rows.removeSubrange(region.lowerBound..<region.lowerBound + count)
        rows.insert(contentsOf: repeatElement(blankRow(style), count: count), at: region.upperBound - count)
        return gone
    }

    mutating func scrollDown(_ count: Int, region: Range<Int>, style: Style) {
        let region = region.clamped(to: 0..<size.rows)
        let count = min(max(0, count), region.count)
        guard count > 0 else { return }
        rows.removeSubrange(region.upperBound - count..<region.upperBound)
        rows.insert(contentsOf: repeatElement(blankRow(style), count: count), at: region.lowerBound)
    }

    /// DECALN: the test picture.
    mutating func fillWithLetterE() {
        let row = [Cell](repeating: Cell("E"), count: size.columns)
        for index in rows.indices { rows[index] = row }
    }

    private func blankRow(_ style: Style) -> [Cell] { [Cell](repeating: Cell(style: style), count: size.columns) }

    /// Turns the outer halves of wide characters that `from` or `to` cuts into spaces.
    private mutating func mend(row: Int, from: Int, to: Int) {
        if from > 0, from < size.columns, rows[row][from].isContinuation {
            rows[row][from - 1] = Cell(style: rows[row][from - 1].style)
            rows[row][from] = Cell(style: rows[row][from].style)
        }
        if to > 0, to < size.columns, rows[row][to].isContinuation {
            rows[row][to] = Cell(style: rows[row][to].style)
            rows[row][to - 1] = Cell(style: rows[row][to - 1].style)
        }
    }
}

extension ScreenGrid {
    /// What is seen of a row: as many cells as the screen has columns.
    func visible(_ row: Int) -> [Cell] { Self.cut(rows[row], to: size.columns) }

    private mutating func dropHidden(_ row: Int) {
        if rows[row].count > size.columns { rows[row] = visible(row) }
    }

    /// How many rows at the end are wholly blank, down to and without `row`.
    func blankRows(below row: Int) -> Int {
        var count = 0
        while size.rows - 1 - count > row, rows[size.rows - 1 - count].allSatisfy({ $0 == .blank }) { count += 1 }
        return count
    }

    /// Takes a new width: rows are filled with spaces, or hide what no longer fits.
    mutating func setColumns(_ columns: Int) {
        for index in rows.indices { rows[index] = Self.filled(rows[index], to: columns) }
        size.columns = columns
    }

    mutating func dropBottom(_ count: Int) {
        rows.removeLast(min(max(0, count), rows.count))
        size.rows = rows.count
    }

    mutating func dropTop(_ count: Int) {
        rows.removeFirst(min(max(0, count), rows.count))
        size.rows = rows.count
    }

    mutating func addTop(_ row: [Cell]) {
        rows.insert(Self.filled(row, to: size.columns), at: 0)
        size.rows = rows.count
    }

    mutating func addBottom(_ count: Int) {
        rows.append(contentsOf: repeatElement(blankRow(.plain), count: max(0, count)))
        size.rows = rows.count
    }

    private static func filled(_ row: [Cell], to columns: Int) -> [Cell] {
        row.count < columns ? row + repeatElement(Cell.blank, count: columns - row.count) : row
    }

    private static func cut(_ row: [Cell], to columns: Int) -> [Cell] {
        guard row.count > columns else { return row }
        var cut = Array(row[..<columns])
        if row[columns].isContinuation, let last = cut.last { cut[columns - 1] = Cell(style: last.style) }
        return cut
    }
}
