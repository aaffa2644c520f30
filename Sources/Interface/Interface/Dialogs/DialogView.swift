import EngineAPI
import Terminal

extension Canvas {
    mutating func draw(_ dialog: Dialog, _ model: Model) {
        switch dialog {
        case .form(let form): draw(form, model)
        case .menu(let menu): draw(menu, model)
        case .confirmation(let question): draw(question, model)
        case .help(let pager): draw(pager, note: "", model)
        case .inspect(let screen): draw(screen.pager, note: "z folds", model)
        case .logs(let screen): draw(screen, model)
        case .list(let screen): draw(screen, model)
        }
    }

    /// A screen's title row; returns what is below it.
    mutating func drawScreenTitle(_ title: String, _ note: String, _ model: Model) -> Region {
        var body = model.layout.body
        let row = body.takeTop(1)
        fill(row, .titleFocused)
        var left = row
        _ = left.takeRight(max(0, min(row.columns - 16, TextWidth.columns(of: note) + 3)))
        let end = put(" \(title)", .titleFocused, in: left)
        var rest = row
        _ = rest.takeLeft(end + 1)
        _ = rest.takeRight(1)
        putRight(note, .titleFocused, in: rest)
        return body
    }

    private mutating func draw(_ pager: Pager, note: String, _ model: Model) {
        let place = "\(min(pager.cursor + 1, pager.lines.count))/\(pager.lines.count)"
        var rest = drawScreenTitle(pager.title, note.isEmpty ? place : "\(note) · \(place)", model)
        let page = rest.rows
        let scroll = scrollToShow(pager.cursor, from: pager.scroll, count: pager.lines.count, page: page)
        for index in min(scroll, pager.lines.count)..<min(pager.lines.count, scroll + page) {
            let line = pager.lines[index]
            let row = rest.takeTop(1)
            let lead = String(line.text.prefix(line.leadCount))
            let end = line.leadCount > 0 ? put(lead, line.leadRole == .hintKey ? .header : line.leadRole, in: row) : 0
            put(String(line.text.dropFirst(line.leadCount + pager.column)), line.role, column: end, in: row)
            mark(pager.search, in: row)
            if index == pager.cursor { highlight(row, .selection) }
        }
    }

    /// Restyles what was searched for in a drawn row.
    private mutating func mark(_ search: Search, in row: Region) {
        guard !search.needle.isEmpty, search.matches(frame.text(ofRow: row.row)) else { return }
        let needle = Array(search.needle.lowercased())
        let cells = (row.column..<row.endColumn).map { frame[column: $0, row: row.row].text.lowercased() }
        let style = theme[.match]
        var column = 0
        while column + needle.count <= cells.count {
            let isHere = needle.indices.allSatisfy { cells[column + $0] == String(needle[$0]) }
            if isHere {
                let found = Region(column: row.column + column, row: row.row, columns: needle.count, rows: 1)
                frame.restyle(found) { _ in style }
            }
            column += isHere ? needle.count : 1
        }
    }

    private mutating func draw(_ screen: LogScreen, _ model: Model) {
        let rest = drawScreenTitle("logs · \(screen.name)", screen.summary, model)
        guard !screen.lines.isEmpty else {
            let text = screen.end == nil ? "waiting for output…" : "the log is empty"
            return putCentered(text, .muted, row: rest.rows / 3, in: rest)
        }
        if screen.wraps { drawWrapped(screen, in: rest) } else { drawLines(screen, in: rest) }
    }

    private mutating func drawLines(_ screen: LogScreen, in region: Region) {
        let scroll = scrollToShow(screen.cursor, from: screen.scroll, count: screen.lines.count, page: region.rows)
        for index in scroll..<min(screen.lines.count, scroll + region.rows) {
            let row = Region(
                column: region.column, row: region.row + index - scroll, columns: region.columns, rows: 1)
            drawLog(screen.lines[index], screen, skipping: screen.column, in: row)
            finish(screen, index, row)
        }
    }

    /// From the cursor's line upwards, then downwards, since lines differ in height.
    private mutating func drawWrapped(_ screen: LogScreen, in region: Region) {
        let width = max(1, region.columns)
        func height(_ index: Int) -> Int {
            let text = (screen.showsTimes ? screen.lines[index].timeText + " " : "") + screen.lines[index].text
            return max(1, (TextWidth.columns(of: text) + width - 1) / width)
        }
        var first = screen.cursor
        var rows = height(first)
        let wanted = screen.follows ? region.rows : region.rows / 2
        while first > 0, rows + height(first - 1) <= wanted {
            first -= 1
            rows += height(first)
        }
        var row = 0
        var index = first
        while index < screen.lines.count, row < region.rows {
            for part in 0..<height(index) where row < region.rows {
                let line = Region(column: region.column, row: region.row + row, columns: width, rows: 1)
                drawLog(screen.lines[index], screen, skipping: part * width, in: line)
                finish(screen, index, line)
                row += 1
            }
            index += 1
        }
    }

    private mutating func finish(_ screen: LogScreen, _ index: Int, _ row: Region) {
        mark(screen.search, in: row)
        if index == screen.cursor, !screen.follows { highlight(row, .selection) }
    }

    /// One row of a log line, from a column of it on, in its own colours.
    private mutating func drawLog(_ line: LogLine, _ screen: LogScreen, skipping: Int, in row: Region) {
        let base = theme[line.source == .stderr ? .warning : .text]
        var column = -skipping
        if screen.showsTimes { column = drawPiece(line.timeText + " ", theme[.muted], column, in: row) }
        for run in EscapeText(line.bytes).runs {
            guard column < row.columns else { return }
            column = drawPiece(String(decoding: run.bytes, as: UTF8.self), run.style.over(base), column, in: row)
        }
    }

    /// Draws text at a column that may lie left of the region; returns the column after it.
    private mutating func drawPiece(_ text: String, _ style: Style, _ start: Int, in row: Region) -> Int {
        var column = start
        for cell in TextCells(text, style: style) where !cell.isContinuation {
            if column >= row.columns { break }
            if column >= 0 { frame.set(cell, column: row.column + column, row: row.row, clip: row) }
            column += Int(cell.width)
        }
        return column
    }
}
