import Terminal

/// The compact layout's row of panels to choose from.
struct TabBar {
    private let tabs: [(panel: Panel, text: String, columns: Range<Int>)]
    private let region: Region?
    /// Where four names in full are wider than the screen.
    private static let shortNames: [Panel: String] = [.containers: "list", .processes: "procs"]
    let focus: Panel

    init(_ model: Model) {
        region = model.layout.tabs
        focus = model.focus
        let isNarrow = model.size.columns < 60
        var column = 0
        tabs = Panel.allCases.map { panel in
            let name = isNarrow ? Self.shortNames[panel] ?? panel.title : panel.title
            let text = " \(panel.rawValue) \(name) "
            defer { column += text.count }
            return (panel, text, column..<column + text.count)
        }
    }

    func panel(at position: Position) -> Panel? {
        guard let region, region.contains(position) else { return nil }
        return tabs.first { $0.columns.contains(position.column - region.column) }?.panel
    }

    var items: [(text: String, column: Int, isFocused: Bool)] {
        tabs.map { ($0.text, $0.columns.lowerBound, $0.panel == focus) }
    }
}

extension Canvas {
    mutating func drawTabs(_ bar: TabBar, in region: Region) {
        fill(region, .title)
        for item in bar.items {
            put(item.text, item.isFocused ? .titleFocused : .title, column: item.column, in: region)
        }
    }
}
