import Emulator
import EngineAPI
import Terminal

extension Canvas {
    mutating func drawConsole(_ model: Model, _ layout: ScreenLayout) {
        guard let region = layout.panels[.console], let content = layout.content(of: .console) else { return }
        drawTitle(.console, consoleTitle(model, columns: region.columns), right: consoleNote(model), model, in: region)
        guard let console = model.shownConsole else {
            return drawNoConsole(model, in: content)
        }
        let isTyping = model.focus == .console && model.dialogs.isEmpty && model.consoles.takesKeys && !console.isEnded
        console.emulator.draw(
            into: &frame, region: content, firstLine: console.top, showsCursor: isTyping && !console.isScrolling)
        frame.restyle(content) { theme.printed($0) }
        if !console.isWritten, console.phase == .attached, !isTyping {
            let types = console.takesInput ? "\(model.key(.attach)) types into it, " : ""
            putNotice("nothing has been written yet; \(types)\(model.key(.shell)) opens a shell", in: content)
        }
        if !console.isWritten, console.phase == .paused { putNotice(consoleNote(model), in: content) }
        if isTyping, !console.isTTY { drawPendingLine(console, in: content) }
        if console.isScrolling { drawMarks(console, in: content) }
    }

    private func consoleTitle(_ model: Model, columns: Int) -> String {
        guard let console = model.shownConsole else { return "console" }
        let size = console.emulator.size
        let room = max(12, columns - 56)
        let name = console.title.count > room ? console.title.prefix(room - 1) + "…" : console.title[...]
        var title = "console · \(name) · \(size.columns)×\(size.rows)"
        if !console.isTTY { title += " · no tty" }
        let siblings = model.consoles.ids(of: console.id.containerID)
        if siblings.count > 1, let index = siblings.firstIndex(of: console.id) {
            title += " · \(index + 1)/\(siblings.count)"
        }
        return title
    }

    private func consoleNote(_ model: Model) -> String {
        guard let console = model.shownConsole else { return "" }
        if console.isLeaderPending { return "leader…" }
        if let top = console.top {
            let above = console.emulator.liveStart - top
            return above > 0 ? "scrolled, \(above) lines up" : "scroll mode"
        }
        switch console.phase {
        case .opening, .left: return "opening…"
        case .paused: return "paused: \(model.key(.pauseOrResume)) resumes it"
        case .ended(let reason): return reason
        case .attached:
            let isTyping = model.consoles.takesKeys && model.focus == .console
            if !console.takesInput { return isTyping ? "no input: q leaves" : "no input" }
            return isTyping ? "detach: ctrl-p ctrl-q, leader \(model.leader)" : "\(model.key(.attach)) attaches"
        }
    }

    private mutating func drawNoConsole(_ model: Model, in region: Region) {
        if let project = model.containers.selectedProject {
            let (logs, fold) = (model.key(.logs), project.isFolded ? "unfolds" : "folds")
            return putNotice(
                "\(logs) reads the logs of its containers as one, enter \(fold) them; what is asked here is done to all of "
                    + "them", in: region)
        }
        guard let container = model.selectedContainer else {
            let (attach, leader) = (model.key(.attach), model.leader)
            return drawPurpose(
                "the chosen container's own terminal: \(attach) types into it, \(leader) d leaves it", model, in: region
            )
        }
        let isClosed = model.shownConsoleID.map { model.consoles.closed.contains($0) } ?? false
        let text =
            isClosed
            ? "console closed; \(model.key(.attach)) attaches again"
            : container.state.isAlive ? "opening…" : "not running; \(model.key(.start)) starts it"
        putCentered(text, .muted, row: max(0, region.rows / 2 - 1), in: region)
    }

    /// What is typed for a process without a terminal, on the last row until it is sent.
    private mutating func drawPendingLine(_ console: Console, in content: Region) {
        guard console.takesInput || console.phase == .opening else { return }
        let row = Region(column: content.column, row: content.endRow - 1, columns: content.columns, rows: 1)
        fill(row, .field)
        let start = put("> ", .header, in: row)
        put(console.pendingLine.text, .field, column: start, in: row)
        let column = min(row.endColumn - 1, row.column + start + console.pendingLine.cursorColumn)
        frame.cursor = Position(column: column, row: row.row)
    }

    /// The cursor line, the marked lines and what was found, in scroll mode.
    private mutating func drawMarks(_ console: Console, in content: Region) {
        guard let top = console.top else { return }
        let first = min(console.markedLine ?? console.cursorLine, console.cursorLine)
        let last = max(console.markedLine ?? console.cursorLine, console.cursorLine)
        for row in 0..<content.rows {
            let line = top + row
            let region = Region(column: content.column, row: content.row + row, columns: content.columns, rows: 1)
            if (first...last).contains(line) { highlight(region, .selection) }
            guard let needle = console.search?.needle, console.emulator.lines.contains(line) else { continue }
            for match in console.emulator.matches(of: needle, inLine: line) {
                let found = Region(
                    column: content.column + match.lowerBound, row: region.row, columns: match.count, rows: 1)
                let style = theme[.match]
                frame.restyle(found.clipped(to: content)) { _ in style }
            }
        }
    }
}
