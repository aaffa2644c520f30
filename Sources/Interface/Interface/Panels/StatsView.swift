import EngineAPI
import Terminal

extension Canvas {
    mutating func drawStats(_ model: Model, _ layout: ScreenLayout) {
        guard let region = layout.panels[.stats], let content = layout.content(of: .stats) else { return }
        let project = model.containers.selectedProject
        let name = model.selectedContainer?.name ?? project?.name ?? ""
        drawTitle(.stats, name.isEmpty ? "stats" : "stats · \(name)", model, in: region)
        if let project { return draw(ProjectReport(project, model.stats.histories), in: content) }
        guard let container = model.selectedContainer else {
            return drawPurpose("what the chosen container uses: processor, memory, disks, network", model, in: content)
        }
        guard let history = model.stats.histories[container.id], let point = history.latest else {
            guard container.state.isAlive else { return drawStopped(container, model, in: content) }
            return putCentered(
                "waiting for the first sample", .muted, row: max(0, content.rows / 2 - 1), in: content)
        }
        guard container.state.isAlive else { return drawStopped(container, model, in: content) }
        var rest = content
        if let words = StopReport.illness(container.state), content.rows > 2 {
            put(words, container.state.isSick ? .stateFailed : .warning, in: rest.takeTop(1))
        }
        draw(StatsSeries.all(of: history, at: point), in: rest)
    }

    /// Why it does not run, as far as the rows reach.
    private mutating func drawStopped(_ container: ContainerSummary, _ model: Model, in region: Region) {
        var rest = region.inset(columns: 1, rows: 0)
        let lines = StopReport(container, model.stats.stopped, at: model.now).lines
        for line in model.cutRecreation(of: container) + lines {
            for text in TextWrap.lines(of: line.text, columns: rest.columns, limit: rest.rows) {
                put(text, line.role, in: rest.takeTop(1))
            }
        }
    }

    /// One row for each where there is little room; otherwise a line of words and a graph below it.
    private mutating func draw(_ series: [StatsSeries], in region: Region) {
        let series = series.prefix(max(1, region.rows))
        let graphRows = (region.rows - series.count) / series.count
        var rest = region
        for (index, one) in series.enumerated() {
            guard graphRows >= 1 else {
                drawLine(one, in: rest.takeTop(1))
                continue
            }
            // What the division leaves over goes to the first ones.
            let extra = index < (region.rows - series.count) % series.count ? 1 : 0
            drawWords(one, in: rest.takeTop(1))
            drawGraph(one, in: rest.takeTop(graphRows + extra))
        }
    }

    /// `cpu   12.5%  ▂▃▅  100% = one core`
    private mutating func drawLine(_ series: StatsSeries, in row: Region) {
        var rest = row
        put(series.label, .header, in: rest.takeLeft(5))
        let isWide = row.columns >= 34
        put(series.value, series.role, in: rest.takeLeft(max(isWide ? 13 : 10, series.value.count + 1)))
        let note = series.alert.isEmpty ? series.note : series.alert
        let noteColumns = min(note.count, max(0, rest.columns - 6))
        if noteColumns > 0 { put(note, series.alert.isEmpty ? .muted : .warning, in: rest.takeRight(noteColumns)) }
        _ = rest.takeRight(1)
        drawGraph(series, in: rest)
    }

    private mutating func drawWords(_ series: StatsSeries, in row: Region) {
        var end = put(series.label, .header, in: row)
        end = put(series.value, series.role, column: end + 1, in: row)
        end = put(series.note, .muted, column: end + 1, in: row)
        if !series.alert.isEmpty { end = put(series.alert, .warning, column: end + 1, in: row) }
        var rest = row
        _ = rest.takeLeft(end + 1)
        if rest.columns >= series.top.count { putRight(series.top, .muted, in: rest) }
    }

    private mutating func drawGraph(_ series: StatsSeries, in region: Region) {
        let rows = Graph.rows(
            series.values, columns: region.columns, rows: region.rows, maximum: series.maximum)
        let marked = markedColumns(series.marks, columns: region.columns)
        for (row, scalars) in rows.enumerated() {
            for (column, scalar) in scalars.enumerated()
            where scalar != " " && scalar != "\u{2800}" || marked.contains(column) {
                let role = marked.contains(column) ? Role.graphMark : series.role
                let isMark = marked.contains(column) && row == 0 && (scalar == "\u{2800}" || scalar == " ")
                frame.set(
                    Cell(isMark ? "▾" : scalar, style: theme[role]), column: region.column + column,
                    row: region.row + row, clip: region)
            }
        }
    }

    /// Two values stand in a column of braille.
    private func markedColumns(_ marks: [Bool], columns: Int) -> Set<Int> {
        let shown = Array(marks.suffix(columns * 2))
        let missing = columns * 2 - shown.count
        return Set(shown.indices.filter { shown[$0] }.map { (missing + $0) / 2 })
    }
}
