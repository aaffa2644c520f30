/// A number of columns and rows.
package struct Size: Hashable, Sendable {
    package var columns: Int
    package var rows: Int

    package init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = rows
    }
}

/// A character position, from 0 at the left and at the top.
package struct Position: Hashable, Sendable {
    package var column: Int
    package var row: Int

    package init(column: Int, row: Int) {
        self.column = column
        self.row = row
    }
}

/// A rectangle of character positions. Never of negative size: what would be is empty.
package struct Region: Hashable, Sendable {
    package var column: Int
    package var row: Int
    package var columns: Int
    package var rows: Int

    package init(column: Int, row: Int, columns: Int, rows: Int) {
        self.column = column
        self.row = row
        self.columns = max(0, columns)
        self.rows = max(0, rows)
    }

    package init(_ size: Size) { self.init(column: 0, row: 0, columns: size.columns, rows: size.rows) }

    package var size: Size { Size(columns: columns, rows: rows) }
    package var isEmpty: Bool { columns == 0 || rows == 0 }
    package var endColumn: Int { column + columns }
    package var endRow: Int { row + rows }

    package func contains(_ position: Position) -> Bool {
        position.column >= column && position.column < endColumn && position.row >= row && position.row < endRow
    }

    /// What of `self` lies in `other`; empty, at this region's origin, where they do not meet.
    package func clipped(to other: Region) -> Region {
        let left = max(column, other.column)
        let top = max(row, other.row)
        return Region(
            column: left, row: top, columns: min(endColumn, other.endColumn) - left,
            rows: min(endRow, other.endRow) - top)
    }

    /// Without `columns` at both sides and `rows` at top and bottom.
    package func inset(columns: Int = 1, rows: Int = 1) -> Region {
        Region(
            column: column + columns, row: row + rows, columns: self.columns - 2 * columns, rows: self.rows - 2 * rows)
    }

    /// Cuts off up to `count` rows at the top and returns them.
    package mutating func takeTop(_ count: Int) -> Region {
        let taken = min(max(0, count), rows)
        defer {
            row += taken
            rows -= taken
        }
        return Region(column: column, row: row, columns: columns, rows: taken)
    }

    /// Cuts off up to `count` rows at the bottom and returns them.
    package mutating func takeBottom(_ count: Int) -> Region {
        let taken = min(max(0, count), rows)
        rows -= taken
        return Region(column: column, row: endRow, columns: columns, rows: taken)
    }

    /// Cuts off up to `count` columns at the left and returns them.
    package mutating func takeLeft(_ count: Int) -> Region {
        let taken = min(max(0, count), columns)
        defer {
            column += taken
            columns -= taken
        }
        return Region(column: column, row: row, columns: taken, rows: rows)
    }

    /// Cuts off up to `count` columns at the right and returns them.
    package mutating func takeRight(_ count: Int) -> Region {
        let taken = min(max(0, count), columns)
        columns -= taken
        return Region(column: endColumn, row: row, columns: taken, rows: rows)
    }

    /// A region of `size` in the middle of this one, cut to fit.
    package func centered(_ size: Size) -> Region {
        let width = min(size.columns, columns)
        let height = min(size.rows, rows)
        return Region(
            column: column + (columns - width) / 2, row: row + (rows - height) / 2, columns: width, rows: height)
    }
}
