import Terminal

/// A screen with what acts on it: cursor, margins, pen, tab stops. Positions are always within the grid.
struct ScreenState {
    var grid: ScreenGrid
    var row = 0
    var column = 0
    /// The cursor stands in the last column with a character written there: the next goes to the next line.
    var isWrapPending = false
    var style = Style.plain
    var sets: [CharacterSet] = [.ascii, .ascii]
    var activeSet = 0
    /// The rows that scroll.
    var margins: Range<Int>
    var wraps = true
    var inserts = false
    /// DECOM: rows count from the upper margin.
    var isOrigin = false
    var tabs: [Bool]
    var saved = SavedCursor()
    /// What a repetition repeats, and what a combining scalar joins.
    var lastScalar: Unicode.Scalar?
    var lastPosition: Position?

    init(size: Size) {
        grid = ScreenGrid(size: size)
        margins = 0..<size.rows
        tabs = (0..<size.columns).map { $0 % 8 == 0 }
    }

    /// The style of cells that are erased: the background alone.
    var eraseStyle: Style { Style(background: style.background) }

    mutating func move(row: Int, column: Int) {
        let rows = isOrigin ? margins : 0..<grid.size.rows
        self.row = min(max(row, rows.lowerBound), rows.upperBound - 1)
        self.column = min(max(column, 0), grid.size.columns - 1)
        isWrapPending = false
    }

    /// CUU, CUD: a margin stops a cursor that is inside it.
    mutating func moveVertically(_ count: Int) {
        let top = row >= margins.lowerBound ? margins.lowerBound : 0
        let bottom = row < margins.upperBound ? margins.upperBound - 1 : grid.size.rows - 1
        row = min(max(row + count, top), bottom)
        isWrapPending = false
    }

    mutating func nextTab() {
        repeat { column += 1 } while column < grid.size.columns - 1 && !tabs[column]
        column = min(column, grid.size.columns - 1)
    }

    mutating func previousTab() {
        repeat { column -= 1 } while column > 0 && !tabs[column]
        column = max(column, 0)
        isWrapPending = false
    }

    /// DECSTBM, rows counted from 1; fewer than two rows are no region, and nothing happens.
    mutating func setMargins(top: Int, bottom: Int) {
        let last = min(bottom, grid.size.rows)
        guard top >= 1, last > top else { return }
        margins = top - 1..<last
        move(row: isOrigin ? margins.lowerBound : 0, column: 0)
    }

    mutating func save() {
        saved = SavedCursor(
            row: row, column: column, style: style, sets: sets, activeSet: activeSet, isOrigin: isOrigin)
    }

    mutating func restore() {
        style = saved.style
        sets = saved.sets
        activeSet = saved.activeSet
        isOrigin = saved.isOrigin
        move(row: saved.row, column: saved.column)
    }
}

extension ScreenState {
    /// Takes a new size without a scrollback: rows go at the bottom, as far as the cursor allows.
    mutating func resize(to size: Size) {
        var none = Scrollback(limit: ScrollbackLimit(lines: 0, bytes: 0))
        resize(to: size, scrollback: &none)
    }

    /// Takes a new size. Rows that no longer fit go to the scrollback from the top, after the blank ones at the bottom; rows that
    /// come free are filled from it.
    mutating func resize(to size: Size, scrollback: inout Scrollback) {
        let surplus = grid.size.rows - size.rows
        if surplus > 0 {
            let blank = min(surplus, grid.blankRows(below: row))
            grid.dropBottom(blank)
            for index in 0..<(surplus - blank) { scrollback.append(ScrollbackLine(grid.rows[index])) }
            grid.dropTop(surplus - blank)
            row = max(0, row - (surplus - blank))
        }
        grid.setColumns(size.columns)
        while grid.size.rows < size.rows, let line = scrollback.removeLast() {
            grid.addTop(line.cells)
            row += 1
        }
        grid.addBottom(size.rows - grid.size.rows)
        tabs = (0..<size.columns).map { $0 < tabs.count ? tabs[$0] : $0 % 8 == 0 }
        margins = 0..<size.rows
        isOrigin = false
        lastPosition = nil
        move(row: row, column: column)
    }
}
