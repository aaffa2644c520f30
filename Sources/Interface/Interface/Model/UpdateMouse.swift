import EngineAPI
import Terminal

extension Model {
    mutating func point(_ mouse: MouseEvent) -> [Effect] {
        switch mouse.action {
        case .press(.left): return click(mouse)
        case .press(.right) where dialogs.isEmpty && !consoles.isCaptured: return clickForMenu(mouse)
        case .drag where !consoles.holdsMouse: return explainDrag()
        case .wheelUp: return wheel(.up, mouse)
        case .wheelDown: return wheel(.down, mouse)
        default: return passOn(mouse)
        }
    }

    private mutating func click(_ mouse: MouseEvent) -> [Effect] {
        let place = mouse.position
        let isDouble = lastClick?.isFollowed(at: place, now) ?? false
        lastClick = nil
        sought = nil
        if layout.hints.contains(place) { return clickHint(place) }
        switch dialogs.last {
        case .confirmation(let question):
            guard let answer = ConfirmationLayout(self, question).button(at: place) else { return [] }
            return answer ? agree() : close(.confirmation(question))
        case .menu(var menu):
            let rows = MenuLayout(self)
            guard let index = rows.index(at: place, scroll: menu.scroll) else {
                return rows.region.contains(place) ? [] : close(.menu(menu))
            }
            menu.selection = min(index, max(0, menu.shown.count - 1))
            replaceDialog(.menu(menu))
            return accept()
        case .form(var form):
            let rows = FormLayout(self, form)
            guard let index = rows.field(at: place) else { return [] }
            form.click(index, in: rows, at: place)
            replaceDialog(.form(form))
        case .list(var screen):
            if place.row == layout.body.row + 1 { sortList(byColumnAt: place.column - layout.body.column) }
            // Below the title and the header.
            guard place.row >= layout.body.row + 2 else { return [] }
            let rows = rowIDs(of: screen)
            let index = screen.cursor.scroll + place.row - layout.body.row - 2
            screen.cursor.choose(index, of: rows)
            replaceDialog(.list(screen))
            if rows.indices.contains(index) { return chosen(at: place, isDouble) }
        case .logs(var screen):
            screen.choose(row: place.row - layout.body.row - 1, page: layout.body.rows - 1)
            replaceDialog(.logs(screen))
        case .help, .inspect, .file: return []
        case nil: return clickPanel(mouse, isDouble: isDouble)
        }
        return []
    }

    /// A row was clicked; twice means Enter.
    private mutating func chosen(at place: Position, _ isDouble: Bool) -> [Effect] {
        guard !isDouble else { return pressEnter() }
        lastClick = Click(place: place, time: now)
        return []
    }

    private mutating func pressEnter() -> [Effect] {
        Keymap.intent(of: Key(.enter), in: keyContext, self).map { perform($0) } ?? []
    }

    private mutating func clickHint(_ place: Position) -> [Effect] {
        guard let binding = HintBar(self).binding(at: place.column) else { return [] }
        if keyContext == .leader { return binding.keys.first.map { pressAfterLeader($0) } ?? [] }
        return perform(binding.intent)
    }

    private mutating func clickPanel(_ mouse: MouseEvent, isDouble: Bool) -> [Effect] {
        if let tab = TabBar(self).panel(at: mouse.position) { return perform(.focus(tab)) }
        guard let panel = layout.panel(at: mouse.position), let content = layout.content(of: panel) else { return [] }
        let row = mouse.position.row - content.row
        let wasFocused = focus == panel
        if panel == .console, wasFocused {
            if consoles.isCaptured { return passOn(mouse) }
            return content.contains(mouse.position) && isAliveOrOpen ? attach() : []
        }
        consoles.isCaptured = consoles.isCaptured && panel == .console
        focus = panel
        if panel == .containers, row == 0, !containers.lines.isEmpty {
            sort(byColumnAt: mouse.position.column - content.column, of: content.columns)
        }
        if panel == .containers, row >= 1 {
            let index = containers.cursor.scroll + row - 1
            if index < containers.lines.count {
                containers.select(index: index)
                return chosen(at: mouse.position, isDouble)
            }
        }
        if panel == .processes, row >= 1 {
            processes.select(index: processes.cursor.scroll + row - 1)
        }
        return []
    }

    /// The right button on a row: what can be done with it.
    private mutating func clickForMenu(_ mouse: MouseEvent) -> [Effect] {
        guard layout.panel(at: mouse.position) == .containers, let content = layout.content(of: .containers) else {
            return passOn(mouse)
        }
        let index = containers.cursor.scroll + mouse.position.row - content.row - 1
        guard mouse.position.row > content.row, index < containers.lines.count else { return [] }
        focus = .containers
        containers.select(index: index)
        return perform(.actionMenu)
    }

    /// Somebody draws the mouse over text as if to mark it, which the terminal leaves to us.
    private mutating func explainDrag() -> [Effect] {
        let copying = consoles.isCaptured ? "\(leader) [" : key(.copyMenu)
        say("with shift held the mouse marks text; \(copying) copies")
        return []
    }

    private mutating func sort(byColumnAt place: Int, of width: Int) {
        var end = 0
        for column in containerColumns(width) {
            end += column.columns + 1
            guard place < end else { continue }
            if let sort = ContainerSort.allCases.first(where: { $0.column == column.kind }) { self.sort(by: sort) }
            return
        }
    }

    /// By what was asked for; once more turns the order round.
    mutating func sort(by sort: ContainerSort) {
        containers.isReversed = sort == containers.sort ? !containers.isReversed : false
        containers.sort = sort
        containers.followTop()
        say("sorted by \(sort.rawValue)\(containers.isReversed ? ", reversed" : "")")
    }

    private var isAliveOrOpen: Bool { selectedContainer?.state.isAlive == true && shownConsole != nil }

    /// The wheel turns what is under the pointer, focused or not.
    private mutating func wheel(_ movement: Movement, _ mouse: MouseEvent) -> [Effect] {
        guard dialogs.isEmpty else {
            for _ in 0..<3 { moveInDialog(movement, page: pageRows) }
            return []
        }
        guard let panel = layout.panel(at: mouse.position) else { return [] }
        let page = max(1, (layout.content(of: panel)?.rows ?? 2) - 1)
        switch panel {
        case .containers:
            containers.move(movement, page: page)
        case .processes: for _ in 0..<3 { processes.move(movement, page: page) }
        case .stats: break
        case .console: return wheelConsole(movement, mouse)
        }
        return []
    }

    private mutating func wheelConsole(_ movement: Movement, _ mouse: MouseEvent) -> [Effect] {
        guard let console = shownConsole, !consoles.isHolderGone else { return [] }
        // What is only looked at is not typed to.
        let isTaken = focus == .console && consoles.takesKeys
        if console.emulator.modes.mouse != .off, !console.isScrolling { return isTaken ? passOn(mouse) : [] }
        if console.emulator.modes.isAlternateScreen, !console.isScrolling {
            guard isTaken else { return [] }
            let key = Key(movement == .up ? .up : .down)
            return withShownConsole { for _ in 0..<3 { $0.emulator.send(key) } }
        }
        guard console.isScrolling || movement == .up, let id = shownConsoleID else { return [] }
        var changed = console
        if !console.isScrolling { changed.isTurnedByWheel = true }
        changed.top = (console.top ?? console.emulator.liveStart) + (movement == .up ? -3 : 3)
        changed.top = max(console.emulator.lines.lowerBound, changed.top ?? 0)
        if let top = changed.top, top >= console.emulator.liveStart { changed.top = nil }
        changed.cursorLine = (changed.top ?? 0) + console.emulator.size.rows - 1
        consoles.open[id] = changed
        return []
    }

    /// Tells the program in the console of a mouse event on it, where it asked for such.
    private mutating func passOn(_ mouse: MouseEvent) -> [Effect] {
        guard dialogs.isEmpty, focus == .console, !consoles.isHolderGone, let content = layout.content(of: .console),
            shownConsole?.isTTY == true
        else {
            consoles.holdsMouse = false
            return []
        }
        let isInside = content.contains(mouse.position)
        // A drag is the program's whose it began as, wherever it leads: one whose end is not told goes on for ever.
        switch mouse.action {
        case .press:
            // What is only looked at is not touched.
            guard isInside, consoles.takesKeys else { return [] }
            consoles.holdsMouse = true
        case .drag: guard consoles.holdsMouse else { return [] }
        case .release:
            guard consoles.holdsMouse else { return [] }
            consoles.holdsMouse = false
        default: guard isInside else { return [] }
        }
        var inner = mouse
        inner.position = Position(
            column: mouse.position.column - content.column, row: mouse.position.row - content.row)
        return withShownConsole { _ = $0.emulator.send(inner) }
    }
}

/// Where and when the mouse's button was pressed.
struct Click: Hashable, Sendable {
    /// Within this a second press is meant as one with the first.
    private static let intervalNanoseconds: Int64 = 400_000_000

    let place: Position
    let time: Timestamp

    func isFollowed(at other: Position, _ now: Timestamp) -> Bool {
        let age = now.nanosecondsSinceEpoch - time.nanosecondsSinceEpoch
        return other == place && (0...Self.intervalNanoseconds).contains(age)
    }
}
