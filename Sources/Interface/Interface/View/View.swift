import Terminal

/// Draws the model. A pure function of it; what it leaves out is not on the screen.
func view(_ model: Model) -> Frame {
    var canvas = Canvas(size: model.size, theme: model.theme)
    let layout = model.layout
    guard !layout.isTooSmall else {
        canvas.drawTooSmall(model.size)
        return canvas.frame
    }
    if let index = model.dialogs.lastIndex(where: \.isScreen) {
        canvas.draw(model.dialogs[index], model)
    } else {
        canvas.drawPanels(model, layout)
    }
    for dialog in model.dialogs where !dialog.isScreen { canvas.draw(dialog, model) }
    canvas.drawStatus(model, in: layout.status)
    canvas.drawHints(HintBar(model), in: layout.hints)
    return canvas.frame
}

extension Canvas {
    mutating func drawTooSmall(_ size: Size) {
        let need = "\(ScreenLayout.smallest.columns)×\(ScreenLayout.smallest.rows)"
        let lines = ["gantry needs \(need),", "this is \(size.columns)×\(size.rows)", "q quits"]
        let region = Region(size)
        let top = max(0, (size.rows - lines.count) / 2)
        for (index, line) in lines.enumerated() { putCentered(line, row: top + index, in: region) }
    }

    mutating func drawPanels(_ model: Model, _ layout: ScreenLayout) {
        if let tabs = layout.tabs { drawTabs(TabBar(model), in: tabs) }
        drawContainers(model, layout)
        drawStats(model, layout)
        drawProcesses(model, layout)
        drawConsole(model, layout)
        drawDivider(layout)
    }

    /// A panel's title row: its name, what it shows, and at the right what can be said in short.
    mutating func drawTitle(_ panel: Panel, _ title: String, right: String = "", _ model: Model, in region: Region) {
        let isFocused = model.focus == panel && model.dialogs.isEmpty
        let isCaptured = isFocused && panel == .console && model.consoles.takesKeys
        let role: Role = isCaptured ? .titleCaptured : isFocused ? .titleFocused : .title
        var row = region
        row.rows = min(1, row.rows)
        fill(row, role)
        // The mark tells the focus without colours.
        let mark = isCaptured ? "▶ " : isFocused ? "● " : "  "
        var left = row
        // The most needful part of the note has its place beside a title of any length.
        let needful = right.split(separator: ",").first.map { TextWidth.columns(of: $0) } ?? 0
        if needful > 0, needful < row.columns / 4 { _ = left.takeRight(needful + 2) }
        let end = put("\(mark)[\(panel.rawValue)] \(title)", role, in: left)
        let room = row.columns - end - 2
        var right = right
        // Said in parts, the least needed last.
        while TextWidth.columns(of: right) > room, let comma = right.lastIndex(of: ",") {
            right = String(right[..<comma])
        }
        guard room >= min(8, needful), !right.isEmpty else { return }
        var rest = row
        _ = rest.takeLeft(end + 1)
        _ = rest.takeRight(1)
        putRight(right, role, in: rest)
    }

    /// The line between two panels side by side.
    private mutating func drawDivider(_ layout: ScreenLayout) {
        let columns = Set(layout.panels.values.map(\.column)).filter { $0 > 0 }
        for column in columns {
            let rows = layout.panels.values.filter { $0.column == column }
            guard let top = rows.map(\.row).min(), let bottom = rows.map(\.endRow).max() else { continue }
            for row in top..<bottom { put("│", .rule, in: Region(column: column - 1, row: row, columns: 1, rows: 1)) }
        }
    }
}
