import EngineAPI
import Terminal

extension Canvas {
    mutating func drawProcesses(_ model: Model, _ layout: ScreenLayout) {
        guard let region = layout.panels[.processes], let content = layout.content(of: .processes) else { return }
        let panel = model.processes
        let count = panel.rows.isEmpty ? "" : "\(panel.rows.count)"
        drawTitle(.processes, "processes", right: count, model, in: region)
        guard !panel.rows.isEmpty else {
            guard let container = model.selectedContainer else {
                return drawPurpose("the processes from the engine down to the container's own", model, in: content)
            }
            let text = container.state.isAlive ? "…" : "no processes"
            return putCentered(text, .muted, row: max(0, content.rows / 2 - 1), in: content)
        }
        var rest = content
        drawProcessHeader(in: rest.takeTop(1))
        for index in min(panel.cursor.scroll, panel.rows.count)..<panel.rows.count where rest.rows > 0 {
            let row = rest.takeTop(1)
            drawProcess(panel.rows[index], model, in: row)
            if index == panel.cursor.index, model.focus == .processes { highlight(row, .selection) }
        }
    }

    private mutating func drawProcessHeader(in row: Region) {
        put("    PID S    RSS  AGE COMMAND", .header, in: row)
    }

    private mutating func drawProcess(_ row: ProcessRow, _ model: Model, in region: Region) {
        let node = row.node
        var rest = region
        putRight("\(node.pid)", in: rest.takeLeft(7))
        _ = rest.takeLeft(1)
        put(node.state, stateRole(node.state), in: rest.takeLeft(1))
        // Another engine may tell less of it.
        putRight(node.state.isEmpty ? "-" : Quantity.shortBytes(node.residentBytes), in: rest.takeLeft(7))
        let isAgeKnown = node.startedAt.nanosecondsSinceEpoch > 0
        putRight(isAgeKnown ? Quantity.age(since: node.startedAt, at: model.now) : "-", .muted, in: rest.takeLeft(5))
        _ = rest.takeLeft(1)
        var column = put(row.branch, .rule, in: rest)
        if !node.role.word.isEmpty { column = put("\(node.role.word) ", .header, column: column, in: rest) }
        put(Self.shortCommand(node), column: column, in: rest)
    }

    /// Of our own programs the folder is of no interest, and would take the room of the rest.
    private static func shortCommand(_ node: ProcessNode) -> String {
        guard node.role == .engine || node.role == .shim, node.command.hasPrefix("/") else { return node.command }
        let words = node.command.split(separator: " ", maxSplits: 1)
        let program = words.first?.split(separator: "/").last ?? ""
        return words.count > 1 ? "\(program) \(words[1])" : String(program)
    }

    private func stateRole(_ state: String) -> Role {
        switch state {
        case "R": .stateRunning
        case "Z", "X": .stateFailed
        case "D": .warning
        case "T", "t": .statePaused
        default: .muted
        }
    }
}
