import Terminal

/// Where everything stands on a screen of one size.
struct ScreenLayout: Hashable {
    static let smallest = Size(columns: 40, rows: 12)
    static let roomy = Size(columns: 80, rows: 24)
    /// From this width on the panels stand in two columns.
    static let twoColumns = 118

    /// Title row included; a panel that is not there is not shown.
    var panels: [Panel: Region] = [:]
    /// The row of tabs of the compact layout.
    var tabs: Region?
    var status = Region(Size(columns: 0, rows: 0))
    var hints = Region(Size(columns: 0, rows: 0))
    /// All that is above the status line.
    var body = Region(Size(columns: 0, rows: 0))
    var isTooSmall = false

    init(size: Size, mode: LayoutMode, focus: Panel, containerCount: Int) {
        guard size.columns >= Self.smallest.columns, size.rows >= Self.smallest.rows else {
            isTooSmall = true
            return
        }
        var rest = Region(size)
        hints = rest.takeBottom(1)
        status = rest.takeBottom(1)
        body = rest
        if mode == .full {
            panels[focus] = rest
        } else if size.columns < Self.roomy.columns || size.rows < Self.roomy.rows {
            layCompact(rest, mode, focus)
        } else if size.columns >= Self.twoColumns {
            layColumns(rest, mode, focus, containerCount)
        } else {
            layStack(rest, mode, focus, containerCount)
        }
    }

    /// Inside of a panel, below its title row.
    func content(of panel: Panel) -> Region? {
        guard var region = panels[panel] else { return nil }
        _ = region.takeTop(1)
        return region
    }

    func panel(at position: Position) -> Panel? {
        Panel.allCases.first { panels[$0]?.contains(position) ?? false }
    }

    /// List above, one other panel below.
    private mutating func layCompact(_ area: Region, _ mode: LayoutMode, _ focus: Panel) {
        var rest = area
        tabs = rest.takeTop(1)
        if focus == .containers, mode == .half || rest.rows < 7 {
            panels[.containers] = rest
            return
        }
        // The list needs the room of whoever goes through it.
        let share = mode == .half ? 4 : max(4, rest.rows * (focus == .containers ? 5 : 4) / 10)
        panels[.containers] = rest.takeTop(share)
        panels[focus == .containers ? .console : focus] = rest
    }

    /// Containers, then stats beside processes, then the console, all of it as wide as the screen.
    private mutating func layStack(_ area: Region, _ mode: LayoutMode, _ focus: Panel, _ count: Int) {
        var rest = area
        let wanted = Self.listRows(count, within: area.rows * 2 / 5)
        let (list, middle) =
            switch (mode, focus) {
            case (.half, .containers): (area.rows - 11, 5)
            case (.half, .console): (4, 0)
            case (.half, _): (4, area.rows - 10)
            default: (wanted, max(6, area.rows * 28 / 100))
            }
        panels[.containers] = rest.takeTop(list)
        var pair = rest.takeTop(middle)
        panels[.console] = rest
        guard middle > 0 else { return }
        panels[.stats] = pair.takeLeft(pair.columns / 2)
        _ = pair.takeLeft(1)
        panels[.processes] = pair
    }

    /// Containers over the console at the left, stats over processes at the right.
    private mutating func layColumns(_ area: Region, _ mode: LayoutMode, _ focus: Panel, _ count: Int) {
        var right = area
        let share = mode == .half && (focus == .stats || focus == .processes) ? 40 : mode == .half ? 72 : 62
        var left = right.takeLeft(max(80, area.columns * share / 100))
        _ = right.takeLeft(1)
        let list =
            switch (mode, focus) {
            case (.half, .containers): area.rows * 7 / 10
            case (.half, .console): 5
            default: Self.listRows(count, within: area.rows / 2)
            }
        panels[.containers] = left.takeTop(list)
        panels[.console] = left
        let graphs = mode == .half && focus == .processes ? 6 : right.rows * (mode == .half ? 65 : 55) / 100
        panels[.stats] = right.takeTop(graphs)
        panels[.processes] = right
    }

    /// As many rows as the list needs with its title and header. In steps, so that the consoles do not change their size
    /// with each container that comes or goes.
    private static func listRows(_ count: Int, within most: Int) -> Int {
        let step = [5, 8, 12, 16, 22, 30, 50].first { $0 >= count + 2 } ?? count + 2
        return min(step, max(7, most))
    }
}

extension Model {
    var layout: ScreenLayout {
        ScreenLayout(size: size, mode: layoutMode, focus: focus, containerCount: containers.lines.count)
    }

    func showsPanel(_ panel: Panel) -> Bool { layout.panels[panel] != nil && !coversPanels }

    /// The rows of the list that are on the screen.
    var visibleRows: Range<Int> {
        let room = max(0, (layout.content(of: .containers)?.rows ?? 0) - 1)
        let start = min(containers.cursor.scroll, containers.lines.count)
        return start..<min(containers.lines.count, start + room)
    }
}
