import EngineAPI
import Terminal

extension Canvas {
    mutating func draw(_ screen: LogScreen, _ model: Model) {
        let rest = drawScreenTitle("logs · \(screen.title)", screen.summary, model)
        guard screen.count > 0 else {
            let isOver = screen.sources.allSatisfy { $0.end != nil }
            let text =
                !screen.filter.isEmpty && screen.hasLines
                ? screen.siftedPercent == nil
                    ? "no line passes \(screen.filter): \\ clears it" : "looking through the lines…"
                : isOver ? "the log is empty" : "waiting for output…"
            return putCentered(text, .muted, row: rest.rows / 3, in: rest)
        }
        if screen.wraps {
            drawWrapped(screen, at: model.now, in: rest)
        } else {
            drawLines(screen, at: model.now, in: rest)
        }
    }

    private mutating func drawLines(_ screen: LogScreen, at now: Timestamp, in region: Region) {
        let scroll = scrollToShow(screen.cursor, from: screen.scroll, count: screen.count, page: region.rows)
        for index in scroll..<min(screen.count, scroll + region.rows) {
            var row = Region(column: region.column, row: region.row + index - scroll, columns: region.columns, rows: 1)
            let whole = row
            drawName(of: screen.line(index), screen, in: row.takeLeft(screen.nameColumns))
            drawSign(of: screen.line(index), in: row.takeLeft(screen.signColumns))
            let goesOn = drawLog(screen.line(index), screen, at: now, skipping: screen.column, in: row)
            if goesOn, row.columns > 1 { put("›", .muted, in: row.takeRight(1)) }
            finish(screen, index, whole)
        }
    }

    /// From the cursor's line upwards, then downwards, since lines differ in height.
    private mutating func drawWrapped(_ screen: LogScreen, at now: Timestamp, in region: Region) {
        let width = max(1, region.columns - screen.nameColumns - screen.signColumns)
        func height(_ index: Int) -> Int {
            let line = screen.line(index)
            let text = screen.timeText(of: line, at: now) + line.text
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
        while index < screen.count, row < region.rows {
            for part in 0..<height(index) where row < region.rows {
                var line = Region(column: region.column, row: region.row + row, columns: region.columns, rows: 1)
                let whole = line
                let name = line.takeLeft(screen.nameColumns)
                let sign = line.takeLeft(screen.signColumns)
                if part == 0 {
                    drawName(of: screen.line(index), screen, in: name)
                    drawSign(of: screen.line(index), in: sign)
                }
                drawLog(screen.line(index), screen, at: now, skipping: part * width, in: line)
                finish(screen, index, whole)
                row += 1
            }
            index += 1
        }
    }

    private mutating func finish(_ screen: LogScreen, _ index: Int, _ row: Region) {
        mark(screen.search, in: row)
        if index == screen.cursor, !screen.follows { highlight(row, .selection) }
    }

    /// Whose line it is, where there are several, each container in a colour of its own.
    private mutating func drawName(of line: LogLine, _ screen: LogScreen, in cell: Region) {
        guard cell.columns > 2 else { return }
        let roles: [Role] = [.graphCPU, .graphMemory, .graphIO, .graphPids, .statePaused, .header]
        var name = cell
        put("│", .rule, in: name.takeRight(2))
        guard !line.isContinuation else { return }
        put(screen.sources[line.container].name, roles[line.container % roles.count], in: name)
    }

    /// What tells standard error without a colour.
    private mutating func drawSign(of line: LogLine, in cell: Region) {
        if line.source == .stderr, cell.columns > 0 { put("!", .warning, in: cell) }
    }

    /// One row of a log line, from a column of it on, in its own colours; without such, its level is told by one.
    ///
    /// - Returns: whether there is more of it than the row holds.
    @discardableResult
    private mutating func drawLog(
        _ line: LogLine, _ screen: LogScreen, at now: Timestamp, skipping: Int, in row: Region
    ) -> Bool {
        let base = theme[line.source == .stderr ? .warning : .text]
        var column = -skipping
        if screen.showsTimes { column = drawPiece(screen.timeText(of: line, at: now), theme[.muted], column, in: row) }
        let runs = EscapeText(line.bytes, from: line.firstStyle).runs
        for run in runs {
            guard column <= row.columns else { return true }
            if runs.count == 1, run.style == .plain, let (level, range) = LogLevel.find(in: run.bytes) {
                column = drawPiece(run.bytes[..<range.lowerBound], base, column, in: row)
                column = drawPiece(run.bytes[range], theme[level.role].with(.bold), column, in: row)
                column = drawPiece(run.bytes[range.upperBound...], base, column, in: row)
            } else {
                let isColoured = run.style.foreground != .default || run.style.background != .default
                let style = isColoured ? theme.printed(run.style) : run.style.over(base)
                column = drawPiece(run.bytes[...], style, column, in: row)
            }
        }
        return column > row.columns
    }

    private mutating func drawPiece(_ bytes: ArraySlice<UInt8>, _ style: Style, _ start: Int, in row: Region) -> Int {
        drawPiece(String(decoding: bytes, as: UTF8.self), style, start, in: row)
    }

    /// Draws text at a column that may lie left of the region; returns the column after it, or one past the region where
    /// that does not hold all of it.
    private mutating func drawPiece(_ text: String, _ style: Style, _ start: Int, in row: Region) -> Int {
        var column = start
        for cell in TextCells(text, style: style) where !cell.isContinuation {
            if column >= row.columns { return row.columns + 1 }
            if column >= 0 { frame.set(cell, column: row.column + column, row: row.row, clip: row) }
            column += Int(cell.width)
        }
        return column
    }
}

extension LogScreen {
    /// What the signs take between the names and the lines; 0 where there are none.
    fileprivate var signColumns: Int { marksErrors ? 2 : 0 }

    /// What the names take at the left, with what parts them from the lines; 0 for one container.
    fileprivate var nameColumns: Int {
        isMerged ? min(18, sources.map { TextWidth.columns(of: $0.name) }.max() ?? 0) + 2 : 0
    }
}
