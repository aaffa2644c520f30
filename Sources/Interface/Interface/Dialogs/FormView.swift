import Terminal

/// Where a form stands: one row for each field, one for what is wrong with the focused one, one for the end.
struct FormLayout {
    let region: Region
    let inner: Region
    /// The first field shown, where not all fit.
    let first: Int
    let rows: Int
    /// What is wrong takes as many as it needs, up to six.
    let footerRows: Int
    /// The layers of what it waits for, the unfinished ones first to be seen; below the fields.
    let layers: [TransferProgress.Layer]
    /// Lines of what a path can go on with, in the same place.
    let choices: [String]

    init(_ model: Model, _ form: Form) {
        let known = model.jobs.first { $0.id == form.job }?.progress.transfer.layers ?? []
        let room = max(0, min(12, model.layout.body.rows - form.fields.count - 6))
        let unfinished = known.filter { !$0.step.isDone }
        layers = known.count <= room ? known : Array((unfinished + known.filter(\.step.isDone)).prefix(room))
        let width = max(1, min(72, model.size.columns - 6))
        choices = NameColumns.lines(of: form.choices, columns: width, rows: min(6, room))
        let complaint = TextWrap.lines(of: form.complaint ?? "", columns: width)
        let extra = [layers.count, choices.count].reduce(max(0, min(complaint.count, 6) - 2)) {
            $1 == 0 ? $0 : $0 + $1 + 1
        }
        let wanted = Size(columns: min(76, model.size.columns - 2), rows: form.fields.count + 5 + extra)
        region = model.layout.body.centered(wanted)
        inner = region.inset(columns: 2, rows: 1)
        footerRows = max(2, min(complaint.count, 6, inner.rows - 2))
        rows = max(0, min(form.fields.count, inner.rows - footerRows - 1))
        first = scrollToShow(form.focus, from: 0, count: form.fields.count, page: rows)
    }

    /// Where the fields' values begin, after their labels.
    var valueColumn: Int { inner.column + Self.labelColumns(of: inner.columns) }

    static func labelColumns(of width: Int) -> Int { min(15, width / 3) }

    func field(at position: Position) -> Int? {
        let row = position.row - inner.row
        guard inner.contains(position), row >= 0, row < rows else { return nil }
        return first + row
    }
}

extension Form {
    /// A click goes to a field; on a switch, on an arrow of a choice or on the field that one is at, it changes it.
    mutating func click(_ index: Int, in layout: FormLayout, at place: Position) {
        let wasFocused = focus == index
        focus = index
        switch fields[index].kind {
        case .text: break
        case .toggle: if place.column >= layout.valueColumn { _ = handle(Key(.right)) }
        case .choice:
            if place.column == layout.valueColumn {
                step(by: -1)
            } else if wasFocused || place.column == fields[index].nextArrowColumn(from: layout.valueColumn) {
                step(by: 1)
            }
        }
    }
}

extension Field {
    /// Where the arrow stands that leads to the next choice.
    fileprivate func nextArrowColumn(from column: Int) -> Int { column + 3 + TextWidth.columns(of: text) }
}

extension Canvas {
    mutating func draw(_ form: Form, _ model: Model) {
        let layout = FormLayout(model, form)
        fill(layout.region, .dialog)
        frame.box(
            layout.region, title: " \(form.title) ", style: theme[.dialog], titleStyle: theme[.dialogTitle])
        drawScrollMarks(layout, form)
        var rest = layout.inner
        for index in layout.first..<min(form.fields.count, layout.first + layout.rows) {
            draw(form.fields[index], isFocused: index == form.focus, isWaiting: form.job != nil, in: rest.takeTop(1))
        }
        _ = rest.takeTop(1)
        for layer in layout.layers { draw(layer, in: rest.takeTop(1)) }
        if !layout.layers.isEmpty { _ = rest.takeTop(1) }
        for line in layout.choices { put(line, .dialogMuted, in: rest.takeTop(1)) }
        if !layout.choices.isEmpty { _ = rest.takeTop(1) }
        drawFooter(form, model, in: rest)
    }

    /// On the frame: that there are fields above, and below.
    private mutating func drawScrollMarks(_ layout: FormLayout, _ form: Form) {
        let edge = Region(
            column: layout.region.endColumn - 1, row: layout.inner.row, columns: 1, rows: max(1, layout.rows))
        if layout.first > 0 { put("▲", .dialogTitle, in: edge) }
        if layout.first + layout.rows < form.fields.count { put("▼", .dialogTitle, row: edge.rows - 1, in: edge) }
    }

    /// `3f1a9c0d2b44  downloading  ████▌        12.3MB of 48MB`
    private mutating func draw(_ layer: TransferProgress.Layer, in row: Region) {
        var rest = row
        let digest = layer.digest.split(separator: ":").last.map(String.init) ?? layer.digest
        put(digest.prefix(12), .dialogMuted, in: rest.takeLeft(13))
        put(layer.step.words, layer.step.isDone ? .dialogMuted : .dialog, in: rest.takeLeft(13))
        guard let (done, total) = layer.step.bytes else { return }
        let amount = Quantity.decimalBytes(done) + (total > 0 ? " of \(Quantity.decimalBytes(total))" : "")
        putRight(amount, .dialogMuted, in: rest.takeRight(min(rest.columns, 18)))
        _ = rest.takeRight(1)
        guard total > 0, rest.columns > 4 else { return }
        let eighths = Int(Double(max(0, min(done, total))) / Double(total) * Double(rest.columns * 8))
        let part = eighths % 8 == 0 ? "" : String(Array("▏▎▍▌▋▊▉")[eighths % 8 - 1])
        put(String(repeating: "█", count: eighths / 8) + part, .dialogTitle, in: rest)
    }

    private mutating func draw(_ field: Field, isFocused: Bool, isWaiting: Bool, in row: Region) {
        var rest = row
        let label = rest.takeLeft(FormLayout.labelColumns(of: row.columns))
        put(field.label + (field.isRequired ? " *" : ""), field.error == nil ? .dialog : .fieldError, in: label)
        let role: Role = isFocused ? .fieldFocused : .field
        fill(rest, role)
        switch field.kind {
        case .text(let editor):
            if editor.text.isEmpty { put(field.placeholder, style: faint(role), in: rest) }
            guard rest.columns > 0 else { return }
            if field.isOpen, !editor.text.isEmpty, !field.offered.contains(editor.text) {
                putForeign(style: faint(role), after: editor, in: rest)
            }
            let column = putTyped(editor, role, in: rest)
            guard isFocused, !isWaiting else { return }
            frame.cursor = Position(column: rest.column + column, row: row.row)
            frame.cursorShape = .bar
        case .toggle(let on): put(on ? "[x] yes" : "[ ] no", role, in: rest)
        case .choice(let options, let index):
            let text = options.indices.contains(index) ? options[index] : "none"
            put(options.count > 1 ? "‹ \(text) ›  \(index + 1)/\(options.count)" : text, role, in: rest)
        }
    }

    /// Of a name that the field does not offer.
    private mutating func putForeign(style: Style, after editor: LineEditor, in row: Region) {
        let words = "pulled first"
        guard !TextWidth.exceeds(row.columns - words.count - 3, editor.text) else { return }
        put(words, style: style, column: row.columns - words.count - 1, in: row)
    }

    /// What stands in a field that is empty: readable, and no text of anybody's.
    private func faint(_ role: Role) -> Style {
        let style = theme[role]
        let muted = theme[.dialogMuted]
        // Where the theme has no colour for it, an attribute tells it.
        guard muted.foreground != style.foreground else { return style.with(.dim) }
        return Style(foreground: muted.foreground, background: style.background, attributes: style.attributes)
    }

    private mutating func drawFooter(_ form: Form, _ model: Model, in region: Region) {
        if let job = form.job, let running = model.jobs.first(where: { $0.id == job }) {
            let text = running.progress.text
            put("\(running.label)…\(text.isEmpty ? "" : " \(text)")", .dialogTitle, in: region)
            put(
                form.canRunOn ? "esc cancels · enter lets it go on alone" : "esc cancels", .dialogMuted, row: 1,
                in: region)
            return
        }
        if let error = form.complaint {
            // A long message of the engine takes the rows that there are, the rest of it the last.
            let lines = TextWrap.lines(of: error, columns: max(1, region.columns))
            let rows = max(1, region.rows)
            for (row, line) in lines.prefix(rows - 1).enumerated() { put(line, .fieldError, row: row, in: region) }
            let rest = lines.dropFirst(rows - 1).joined(separator: " ")
            put(rest, .fieldError, row: min(rows - 1, lines.count - 1), in: region)
            return
        }
        if case .limits(let target, _, _) = form.purpose, let point = model.stats.histories[target.id]?.latest {
            let cpu = Quantity.percent(point.cpuPercent)
            put(
                "now: \(Quantity.bytes(point.memoryBytes)), cpu \(cpu), "
                    + (point.pids == 1 ? "1 process" : "\(point.pids) processes"), .dialogMuted,
                in: region)
        }
        let tab = form.pathQuestion == nil ? "next" : "completes"
        put("enter does it · tab \(tab) · esc gives up", .dialogMuted, row: 1, in: region)
    }
}
