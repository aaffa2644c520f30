extension Frame {
    /// What stands for the part of a text that does not fit.
    package enum Truncation: Hashable, Sendable {
        case clip
        /// `…` in place of the last column.
        case ellipsis
    }

    package enum Alignment: Hashable, Sendable { case left, center, right }

    /// Draws `text` on one row of `region`, from `column` and `row` counted in the region, cut at its edges.
    /// Returns the columns used, so that the next piece can follow.
    @discardableResult
    package mutating func put(
        _ text: some StringProtocol, column: Int = 0, row: Int = 0, in region: Region, style: Style = .plain,
        truncation: Truncation = .clip
    ) -> Int {
        guard row >= 0, row < region.rows, column < region.columns else { return 0 }
        let room = region.columns - column
        let isCut = truncation == .ellipsis && room > 0 && TextWidth.exceeds(room, text)
        let limit = isCut ? room - 1 : room
        var used = 0
        for cell in TextCells(text, style: style) {
            guard !cell.isContinuation else { continue }
            guard used + Int(cell.width) <= limit else { break }
            set(cell, column: region.column + column + used, row: region.row + row, clip: region)
            used += Int(cell.width)
        }
        guard isCut else { return used }
        set(Cell("…", style: style), column: region.column + column + used, row: region.row + row, clip: region)
        return used + 1
    }

    /// Draws `text` on row `row` of `region`, aligned in it, with `…` where it does not fit.
    @discardableResult
    package mutating func put(
        _ text: some StringProtocol, aligned: Alignment, row: Int = 0, in region: Region, style: Style = .plain
    ) -> Int {
        let spare = max(0, region.columns - TextWidth.columns(of: text))
        let column = aligned == .left ? 0 : aligned == .center ? spare / 2 : spare
        return put(text, column: column, row: row, in: region, style: style, truncation: .ellipsis)
    }

    /// Fills `region` with `cell`, a narrow one.
    package mutating func fill(_ region: Region, with cell: Cell = .blank) {
        let area = region.clipped(to: bounds)
        for row in area.row..<area.endRow {
            for column in area.column..<area.endColumn { set(cell, column: column, row: row, clip: area) }
        }
    }

    package mutating func fill(_ region: Region, style: Style) { fill(region, with: Cell(style: style)) }

    /// Draws the border of `region`, with `title` in the top edge and `footer` in the bottom one, and returns what is
    /// inside. Nothing is drawn where there is no room for a border.
    @discardableResult
    package mutating func box(
        _ region: Region, title: String = "", footer: String = "", border: BoxBorder = .rounded,
        style: Style = .plain, titleStyle: Style? = nil
    ) -> Region {
        guard region.columns >= 2, region.rows >= 2 else { return region.inset() }
        drawEdges(region, border, style)
        let caption = Region(
            column: region.column + 2, row: region.row, columns: region.columns - 4, rows: region.rows)
        if !title.isEmpty { put(title, in: caption, style: titleStyle ?? style, truncation: .ellipsis) }
        if !footer.isEmpty {
            put(footer, aligned: .right, row: region.rows - 1, in: caption, style: titleStyle ?? style)
        }
        return region.inset()
    }

    private mutating func drawEdges(_ region: Region, _ border: BoxBorder, _ style: Style) {
        let right = region.endColumn - 1
        let bottom = region.endRow - 1
        for column in region.column..<region.endColumn {
            set(Cell(border.horizontal, style: style), column: column, row: region.row, clip: region)
            set(Cell(border.horizontal, style: style), column: column, row: bottom, clip: region)
        }
        for row in region.row..<region.endRow {
            set(Cell(border.vertical, style: style), column: region.column, row: row, clip: region)
            set(Cell(border.vertical, style: style), column: right, row: row, clip: region)
        }
        let corners = [
            (border.topLeft, region.column, region.row), (border.topRight, right, region.row),
            (border.bottomLeft, region.column, bottom), (border.bottomRight, right, bottom),
        ]
        for (scalar, column, row) in corners { set(Cell(scalar, style: style), column: column, row: row, clip: region) }
    }

    /// Copies `cells`, whole rows of `columns` each, to the top left of `region`, cut at its edges: an emulator's grid.
    package mutating func blit(_ cells: [Cell], columns: Int, to region: Region) {
        guard columns > 0 else { return }
        for row in 0..<min(region.rows, cells.count / columns) {
            for column in 0..<min(region.columns, columns) {
                set(
                    cells[row * columns + column], column: region.column + column, row: region.row + row, clip: region)
            }
        }
    }
}

/// The characters of a border.
package struct BoxBorder: Hashable, Sendable {
    package var horizontal, vertical, topLeft, topRight, bottomLeft, bottomRight: Unicode.Scalar

    package static let rounded = BoxBorder(
        horizontal: "─", vertical: "│", topLeft: "╭", topRight: "╮", bottomLeft: "╰", bottomRight: "╯")
    package static let sharp = BoxBorder(
        horizontal: "─", vertical: "│", topLeft: "┌", topRight: "┐", bottomLeft: "└", bottomRight: "┘")
    package static let ascii = BoxBorder(
        horizontal: "-", vertical: "|", topLeft: "+", topRight: "+", bottomLeft: "+", bottomRight: "+")
}
