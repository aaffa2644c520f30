import EngineAPI
import Terminal

extension Model {
    /// What the leader key's commands and the scroll mode ask for.
    mutating func performInConsole(_ intent: Intent) -> [Effect] {
        switch intent {
        case .detach:
            consoles.isCaptured = false
            focus = .containers
            if layoutMode == .full { layoutMode = .normal }
            if let name = selectedContainer?.name { say("detached from \(name); it runs on") }
        case .nextConsole: showNextConsole()
        case .newExec:
            guard let container = selectedContainer, container.state.status == .running else { return [] }
            return openExec(in: target(container), execSpecOfShown)
        case .closeConsole:
            guard let id = shownConsoleID else { return [] }
            consoles.isCaptured = false
            focus = .containers
            if !id.isExec { consoles.closed.insert(id) }
            return closeConsole(id)
        case .scrollConsole: beginScrolling()
        case .searchConsole:
            beginScrolling()
            performInDialog(.search)
        case .back: stopScrolling()
        case .markLine:
            if let id = shownConsoleID, let line = consoles.open[id]?.cursorLine {
                consoles.open[id]?.markedLine = line
            }
        case .copyLines: return copyLines()
        default: break
        }
        return []
    }

    private var execSpecOfShown: ExecSpec {
        var spec = ExecSpec(command: ["sh"])
        spec.environment = ["TERM=xterm-256color"]
        spec.tty = true
        spec.attachStdin = true
        return spec
    }

    /// The next open console in a steady order, of whichever container.
    private mutating func showNextConsole() {
        let ids = consoles.ids.filter { container($0.containerID) != nil }
        guard let shown = shownConsoleID, ids.count > 1 else {
            say("no other console is open")
            return
        }
        let next = ids[((ids.firstIndex(of: shown) ?? -1) + 1) % ids.count]
        consoles.shownExec[next.containerID] = next.isExec ? next : nil
        containers.select(id: next.containerID)
        if selectedContainer?.id != next.containerID {
            containers.filter = ""
            containers.hidesStopped = false
            containers.arrange(stats.histories)
            containers.select(id: next.containerID)
        }
        focus = .console
    }

    private mutating func beginScrolling() {
        guard let id = shownConsoleID, let emulator = consoles.open[id]?.emulator else { return }
        focus = .console
        consoles.open[id]?.isTurnedByWheel = false
        consoles.open[id]?.top = emulator.liveStart
        consoles.open[id]?.cursorLine = emulator.liveStart + (emulator.cursor?.row ?? emulator.size.rows - 1)
        consoles.open[id]?.markedLine = nil
    }

    mutating func stopScrolling() {
        guard let id = shownConsoleID else { return }
        consoles.open[id]?.top = nil
        consoles.open[id]?.markedLine = nil
        consoles.open[id]?.search = nil
    }

    /// Moves through the scrollback; begins to scroll where that is needed.
    mutating func scrollConsole(_ movement: Movement, page: Int) {
        guard let id = shownConsoleID else { return }
        if consoles.open[id]?.isScrolling == false { beginScrolling() }
        guard var console = consoles.open[id] else { return }
        let lines = console.emulator.lines
        let index = movement.applied(to: console.cursorLine - lines.lowerBound, count: lines.count, page: page)
        console.cursorLine = lines.lowerBound + index
        console.showCursorLine()
        consoles.open[id] = console
        // At the end with nothing to read there, the live screen is back, unless it was asked to be in this mode.
        if movement == .bottom, !consoles.isCaptured { stopScrolling() }
    }

    mutating func findInConsole(_ needle: String, backwards: Bool) -> Bool {
        guard let id = shownConsoleID, var console = consoles.open[id] else { return false }
        if !console.isScrolling { return false }
        let lines = console.emulator.lines
        let start = console.cursorLine + (backwards ? -1 : 1)
        let ahead = lines.contains(start) ? console.emulator.find(needle, from: start, backwards: backwards) : nil
        // Around the end, as in texts and logs.
        let end = backwards ? lines.upperBound - 1 : lines.lowerBound
        guard let match = ahead ?? console.emulator.find(needle, from: end, backwards: backwards) else { return false }
        console.cursorLine = match.line
        console.showCursorLine()
        consoles.open[id] = console
        return true
    }

    private mutating func copyLines() -> [Effect] {
        guard let id = shownConsoleID, let console = consoles.open[id] else { return [] }
        let first = min(console.markedLine ?? console.cursorLine, console.cursorLine)
        let last = max(console.markedLine ?? console.cursorLine, console.cursorLine)
        let text = console.emulator.text(
            from: .init(line: first, column: 0), through: .init(line: last, column: .max - 1))
        stopScrolling()
        say(first == last ? "copied the line" : "copied \(last - first + 1) lines", .success)
        return [.copy(text)]
    }
}

extension Console {
    /// Lines that are looked at may have been the oldest, and gone: those that are the oldest now are seen then.
    mutating func keepWithinScrollback() {
        let first = emulator.lines.lowerBound
        top = top.map { max(first, $0) }
        cursorLine = max(first, cursorLine)
        markedLine = markedLine.map { max(first, $0) }
    }

    /// Moves the view so that the cursor line is seen.
    mutating func showCursorLine() {
        let lines = emulator.lines
        let rows = emulator.size.rows
        cursorLine = min(max(lines.lowerBound, cursorLine), max(lines.lowerBound, lines.upperBound - 1))
        let scroll = scrollToShow(
            cursorLine - lines.lowerBound, from: (top ?? emulator.liveStart) - lines.lowerBound, count: lines.count,
            page: rows)
        top = lines.lowerBound + scroll
    }
}
