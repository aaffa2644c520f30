import EngineAPI

extension CommandLog.Entry {
    /// How it went, in words.
    var result: String {
        switch outcome {
        case .running: "runs…"
        case .done(let words): words
        case .failed(let reason): reason
        }
    }

    fileprivate var role: Role {
        switch outcome {
        case .running: .muted
        case .done: .success
        case .failed: .error
        }
    }

    fileprivate var sign: String {
        switch outcome {
        case .running: "…"
        case .done: "✓"
        case .failed: "✗"
        }
    }
}

extension Model {
    func commandRows(_ filter: String = "") -> [CommandLog.Entry] {
        let filter = ListFilter(filter)
        guard !filter.isEmpty else { return commands.entries }
        return commands.entries.filter { filter.passes([$0.line(), $0.result]) }
    }

    var selectedCommand: CommandLog.Entry? {
        guard let screen = listScreen, screen.kind == .commands else { return nil }
        let rows = commandRows(screen.filter)
        return rows.indices.contains(screen.cursor.index) ? rows[screen.cursor.index] : nil
    }

    func commandTable(_ filter: String, width: Int) -> ListTable {
        // The oldest, which stand last, tell whether there are days to tell.
        let hasDays = commands.entries.last.map { !wall.isSameDay($0.time, now) } ?? false
        let time = width < 60 ? 0 : hasDays ? 14 : 8
        let rest = max(0, width - (time > 0 ? time + 1 : 0) - 7 - 1 - 3)
        let command = width < 60 ? rest : max(rest / 2, min(rest, 40))
        let rows = commandRows(filter).map { entry in
            ListTable.Row(
                id: "\(entry.number)",
                texts: [
                    wall.time(entry.time, today: now), entry.took.map(Quantity.duration) ?? "",
                    entry.sign, entry.line(), entry.result,
                ], roles: [.muted, .muted, entry.role, .text, entry.role == .error ? .error : .muted])
        }
        return ListTable(
            title: "commands · \(commands.entries.count)", note: time > 0 ? wall.zone(at: now) : "",
            columns: [
                ListColumn("TIME", time, isRight: true), ListColumn("TOOK", 7, isRight: true), ListColumn("", 1),
                ListColumn("COMMAND", command), ListColumn("RESULT", max(0, rest - command - 1)),
            ], rows: rows, empty: "nothing was asked of the engine yet")
    }

    /// The whole of a command and its result, which the list has no room for.
    mutating func showCommand() {
        guard let entry = selectedCommand else { return }
        let width = max(20, layout.body.columns - 2)
        func lines(_ title: String, _ text: String, _ role: Role = .text) -> [Pager.Line] {
            [Pager.Line(text: title, role: .header)]
                + TextWrap.lines(of: text, columns: width).map { Pager.Line(text: "  \($0)", role: role) }
        }
        let took = entry.took.map { ", took \(Quantity.duration($0))" } ?? ""
        let isFailure = if case .failed = entry.outcome { true } else { false }
        var pager = Pager(title: "command")
        pager.lines = lines("command", entry.line()) + lines("begun", wall.rfc3339(entry.time) + took)
        if !entry.result.isEmpty { pager.lines += lines("result", entry.result, isFailure ? .error : .text) }
        dialogs.append(.help(pager))
    }

    /// What can be copied of a command: for this engine, for docker's client, and what came of it.
    mutating func copyCommand() {
        guard let entry = selectedCommand else { return }
        let texts = [
            ("docker line", entry.line()), ("gantry line", entry.line("gantry")), ("result", entry.result),
        ]
        let items = texts.filter { !$0.1.isEmpty }.map {
            Menu.Item(label: $0, detail: String($1.prefix(40)), intent: .copy($1))
        }
        dialogs.append(.menu(Menu(title: "copy", items: items)))
    }
}
