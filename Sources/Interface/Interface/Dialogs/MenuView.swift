import Terminal

/// Where the menu on top stands.
struct MenuLayout {
    let region: Region
    let inner: Region
    private let count: Int

    /// Rows of the list.
    var page: Int { max(1, inner.rows - 1) }

    init(_ model: Model) {
        guard case .menu(let menu)? = model.dialogs.last else {
            (region, inner, count) = (Region(Size(columns: 0, rows: 0)), Region(Size(columns: 0, rows: 0)), 0)
            return
        }
        count = menu.shown.count
        let body = model.layout.body
        region = body.centered(
            Size(columns: min(64, body.columns - 2), rows: min(body.rows, max(8, min(22, count + 3)))))
        inner = region.inset(columns: 2, rows: 1)
    }

    func index(at position: Position, scroll: Int) -> Int? {
        let row = position.row - inner.row - 1
        guard inner.contains(position), row >= 0, scroll + row < count else { return nil }
        return scroll + row
    }
}

/// Where a question stands, with its two buttons.
struct ConfirmationLayout {
    let region: Region
    let inner: Region
    let yes: Region
    let no: Region
    /// What will happen, in rows that fit. Where there are not enough of them the first make room: what is lost is said last.
    let lines: [String]

    init(_ model: Model, _ question: Confirmation) {
        let body = model.layout.body
        let widest = max(question.title.count + 4, question.lines.map(\.count).max() ?? 0, question.verb.count + 20)
        let columns = min(body.columns, widest + 6)
        let wrapped = question.lines.flatMap { line in
            TextWidth.exceeds(columns - 4, line) ? TextWrap.lines(of: line, columns: max(1, columns - 4)) : [line]
        }
        // The frame and the buttons; a free row above and below the lines where there is room for it.
        let room = max(0, body.rows - 3)
        lines = wrapped.count <= room ? wrapped : ["…"] + wrapped.suffix(max(0, room - 1))
        region = body.centered(Size(columns: columns, rows: min(body.rows, lines.count + 5)))
        inner = region.inset(columns: 2, rows: 1)
        let row = inner.endRow - 1
        yes = Region(column: inner.column, row: row, columns: question.verb.count + 6, rows: 1).clipped(to: inner)
        no = Region(column: yes.endColumn + 2, row: row, columns: 8, rows: 1).clipped(to: inner)
    }

    /// True for yes, false for no.
    func button(at position: Position) -> Bool? {
        yes.contains(position) ? true : no.contains(position) ? false : nil
    }
}

extension Canvas {
    mutating func draw(_ menu: Menu, _ model: Model) {
        let layout = MenuLayout(model)
        fill(layout.region, .dialog)
        let items = menu.shown
        let below = items.count - menu.scroll - layout.page
        let hidden = [(menu.scroll, "above"), (below, "below")].filter { $0.0 > 0 }.map { "\($0.0) more \($0.1)" }
        frame.box(
            layout.region, title: " \(menu.title) ",
            footer: hidden.isEmpty ? "" : " \(hidden.joined(separator: ", ")) ", style: theme[.dialog],
            titleStyle: theme[.dialogTitle])
        var rest = layout.inner
        let line = rest.takeTop(1)
        let start = put("› ", .dialogTitle, in: line)
        if menu.filter.text.isEmpty { put("type to narrow", .dialogMuted, column: start, in: line) }
        put(menu.filter.text, .dialog, column: start, in: line)
        frame.cursor = Position(
            column: min(line.endColumn, line.column + start + menu.filter.cursorColumn), row: line.row)
        if items.isEmpty { put("nothing", .dialogMuted, in: rest) }
        let end = min(items.count, menu.scroll + rest.rows)
        for index in min(menu.scroll, end)..<end {
            let row = rest.takeTop(1)
            let isChosen = index == menu.selection
            if isChosen { fill(row, .selection) }
            putRight(items[index].detail, isChosen ? .selection : .dialogMuted, in: row)
            var left = row
            _ = left.takeRight(min(row.columns / 2, items[index].detail.count + 1))
            put(items[index].label, isChosen ? .selection : .dialog, in: left)
        }
    }

    mutating func draw(_ question: Confirmation, _ model: Model) {
        let layout = ConfirmationLayout(model, question)
        fill(layout.region, .dialog)
        frame.box(
            layout.region, title: " \(question.title) ", style: theme[.dialog], titleStyle: theme[.dialogTitle])
        var rest = layout.inner
        if rest.rows > layout.lines.count + 1 { _ = rest.takeTop(1) }
        for line in layout.lines { put(line, .dialog, in: rest.takeTop(1)) }
        drawButton(" y  \(question.verb) ", isChosen: question.choosesYes, in: layout.yes)
        drawButton(" n  no ", isChosen: !question.choosesYes, in: layout.no)
    }

    /// The mark tells what Enter does without colours.
    private mutating func drawButton(_ text: String, isChosen: Bool, in region: Region) {
        let role: Role = isChosen ? .buttonFocused : .button
        fill(region, role)
        put(text + (isChosen ? "⏎" : ""), role, in: region)
    }
}
