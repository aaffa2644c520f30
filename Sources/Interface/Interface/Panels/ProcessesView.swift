import EngineAPI
import Terminal

extension Canvas {
    mutating func drawProcesses(_ model: Model, _ layout: ScreenLayout) {
        guard let region = layout.panels[.processes], let content = layout.content(of: .processes) else { return }
        let panel = model.processes
        let way = model.focus == .processes ? ", \(model.key(.nextProcessOrder)) orders them" : ""
        let count = panel.rows.isEmpty ? "" : "\(panel.rows.count)\(way)"
        let order = panel.order == .tree ? "" : " by \(panel.order.rawValue)"
        drawTitle(.processes, "processes\(order)", right: count, model, in: region)
        guard !panel.rows.isEmpty else {
            if model.containers.selectedProject != nil {
                return putNotice("those of the container that is chosen", in: content)
            }
            guard let container = model.selectedContainer else {
                return drawPurpose("the processes from the engine down to the container's own", model, in: content)
            }
            let text = container.state.isAlive ? "…" : "no processes"
            return putCentered(text, .muted, row: max(0, content.rows / 2 - 1), in: content)
        }
        var rest = content
        let columns = ProcessColumns(panel.order, width: content.columns)
        put(
            "    PID S    RSS" + (columns.hasCPU ? "   CPU%" : "") + (columns.hasAge ? "  AGE" : "") + " COMMAND",
            .header,
            in: rest.takeTop(1))
        for index in min(panel.cursor.scroll, panel.rows.count)..<panel.rows.count where rest.rows > 0 {
            let row = rest.takeTop(1)
            drawProcess(panel.rows[index], columns, model, in: row)
            if index == panel.cursor.index, model.focus == .processes { highlight(row, .selection) }
        }
    }

    private mutating func drawProcess(
        _ row: ProcessRow, _ columns: ProcessColumns, _ model: Model, in region: Region
    ) {
        let node = row.node
        var rest = region
        putRight("\(node.pid)", in: rest.takeLeft(7))
        _ = rest.takeLeft(1)
        put(node.state, stateRole(node.state), in: rest.takeLeft(1))
        // Another engine may tell less of it.
        putRight(node.state.isEmpty ? "-" : Quantity.shortBytes(node.residentBytes), in: rest.takeLeft(7))
        if columns.hasCPU {
            let percent = model.processes.cpuPercents[node.pid]
            putRight(String(Quantity.percent(percent).prefix { $0 != "%" }), in: rest.takeLeft(7))
        }
        if columns.hasAge {
            let isKnown = node.startedAt.nanosecondsSinceEpoch > 0
            putRight(isKnown ? Quantity.age(since: node.startedAt, at: model.now) : "-", .muted, in: rest.takeLeft(5))
        }
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

/// Which figures there is room for.
private struct ProcessColumns {
    let hasCPU: Bool
    let hasAge: Bool

    init(_ order: ProcessesPanel.Order, width: Int) {
        hasCPU = width >= 50 || order == .cpu
        hasAge = width >= 50 || order != .cpu
    }
}
