/// Everything the screen shall show at one moment: cells and the cursor. A value; drawing never fails, and what lies
/// outside is not drawn.
package struct Frame: Hashable, Sendable {
    /// `block` is the shape that the user's terminal has anyway, whatever it is.
    package enum CursorShape: Hashable, Sendable { case block, underline, bar }

    package let size: Size
    /// Row after row.
    package private(set) var cells: [Cell]
    /// Where the cursor shows; nil hides it.
    package var cursor: Position?
    package var cursorShape = CursorShape.block

    package init(size: Size, style: Style = .plain) {
        self.size = Size(columns: max(0, size.columns), rows: max(0, size.rows))
        cells = [Cell](repeating: Cell(style: style), count: self.size.columns * self.size.rows)
    }

    /// The whole frame.
    package var bounds: Region { Region(size) }

    /// The cell at a position inside the frame; `Cell.blank` outside.
    package subscript(column column: Int, row row: Int) -> Cell {
        guard column >= 0, column < size.columns, row >= 0, row < size.rows else { return .blank }
        return cells[row * size.columns + column]
    }

    /// The cells of one row.
    package func row(_ row: Int) -> ArraySlice<Cell> {
        cells[row * size.columns..<(row + 1) * size.columns]
    }

    /// The text of one row, without the spaces at its end.
    package func text(ofRow row: Int) -> String {
        var text = self.row(row).map(\.text).joined()
        while text.last == " " { text.removeLast() }
        return text
    }

    /// Places `cell` and, for a wide one, its continuation. Half a wide character is never left standing: what the cell
    /// cuts in two becomes spaces, and a wide cell in the last column of `clip` becomes a space.
    package mutating func set(_ cell: Cell, column: Int, row: Int, clip: Region) {
        let area = clip.clipped(to: bounds)
        guard area.contains(Position(column: column, row: row)), !cell.isContinuation else { return }
        let index = row * size.columns + column
        guard cell.width == 2 else { return place(cell, at: index) }
        guard column + 1 < area.endColumn else { return place(Cell(style: cell.style), at: index) }
        place(Cell(style: cell.style), at: index)
        place(Cell(style: cell.style), at: index + 1)
        cells[index] = cell
        cells[index + 1] = .continuation(style: cell.style)
    }

    /// Replaces the style of what is drawn, keeping the characters.
    package mutating func restyle(_ region: Region, _ change: (Style) -> Style) {
        let area = region.clipped(to: bounds)
        for row in area.row..<area.endRow {
            for column in area.column..<area.endColumn {
                let index = row * size.columns + column
                cells[index].style = change(cells[index].style)
            }
        }
    }

    private mutating func place(_ cell: Cell, at index: Int) {
        if cells[index].isContinuation {
            if index > 0, cells[index - 1].width == 2 { cells[index - 1] = Cell(style: cells[index - 1].style) }
        } else if cells[index].width == 2, index + 1 < cells.count {
            cells[index + 1] = Cell(style: cells[index + 1].style)
        }
        cells[index] = cell
    }
}

extension Frame {
    /// The same picture in another size: cut at the right and the bottom, or filled with spaces.
    package func fitted(to size: Size) -> Frame {
        guard size != self.size else { return self }
        var frame = Frame(size: size)
        frame.blit(cells, columns: self.size.columns, to: frame.bounds)
        frame.cursor = cursor.flatMap { frame.bounds.contains($0) ? $0 : nil }
        frame.cursorShape = cursorShape
        return frame
    }
}
