import EngineAPI
import Terminal

/// The last row: the keys that are most useful now, which the mouse can click.
struct HintBar {
    struct Item {
        var key: String
        var label: String
        var column: Int
        var binding: KeyBinding?

        var end: Int { column + TextWidth.columns(of: key) + TextWidth.columns(of: label) + 1 }
    }

    private(set) var items: [Item] = []
    private static let lasting: [Intent] = [.help, .back, .filter, .actionMenu]

    init(_ model: Model) {
        let context = model.keyContext
        if model.isEnding || context == .captured {
            let words = model.isEnding ? ("q", "ends at once") : ("", Self.consoleWords(model))
            items = [Item(key: words.0, label: words.1, column: 0, binding: nil)]
            return
        }
        let hints = Keymap.hints(in: context, model)
        // Whatever else fits, the ways out, to the help, to fewer rows and to all else do.
        var reserved = hints.reduce(0) { Self.lasting.contains($1.intent) ? $0 + Self.columns(of: $1) : $0 }
        var column = 0
        for binding in hints where binding.intent != .help {
            let item = Item(binding, column)
            if Self.lasting.contains(binding.intent) { reserved -= Self.columns(of: binding) }
            guard item.end + reserved <= model.size.columns else { continue }
            items.append(item)
            column = item.end + 1
        }
        if let help = hints.first(where: { $0.intent == .help }) { items.append(Item(help, column)) }
    }

    /// How to leave a console that takes every key.
    private static func consoleWords(_ model: Model) -> String {
        let console = model.shownConsole
        if console?.isEnded == true { return "ended; enter leaves" }
        if console?.takesNoKeys == true { return "takes no input: q leaves · commands: \(model.leader)" }
        return "detach: ctrl-p ctrl-q · \(model.leader) d · commands: \(model.leader)"
    }

    fileprivate static func words(_ binding: KeyBinding) -> [String] {
        [binding.keys.first?.description ?? "", binding.hint ?? ""]
    }

    private static func columns(of binding: KeyBinding) -> Int { TextWidth.columns(of: words(binding).joined()) + 2 }

    func binding(at column: Int) -> KeyBinding? {
        items.first { ($0.column..<$0.end).contains(column) }?.binding
    }
}

extension HintBar.Item {
    init(_ binding: KeyBinding, _ column: Int) {
        let words = HintBar.words(binding)
        self.init(key: words[0], label: words[1], column: column, binding: binding)
    }
}

extension Canvas {
    mutating func drawHints(_ bar: HintBar, in region: Region) {
        fill(region, .hintLabel)
        for item in bar.items {
            let next = item.key.isEmpty ? item.column : put(item.key, .hintKey, column: item.column, in: region) + 1
            put(item.label, .hintLabel, column: next, in: region)
        }
    }

    /// What runs, or what the last thing came to.
    mutating func drawStatus(_ model: Model, in region: Region) {
        fill(region, .status)
        if case .search = model.keyContext {
            return drawPrompt("/", model.search?.editor ?? LineEditor(), in: region)
        }
        if case .filter = model.keyContext {
            return drawPrompt("filter: ", model.filterLine, grammar: model.filterGrammar, in: region)
        }
        if let host = model.reaching {
            let text = "connecting to \(host.name)…"
            return drawWait(text, since: host.startedAt, model, in: region)
        }
        if let job = model.jobs.last { return drawJob(job, model, in: region) }
        if let status = model.status {
            let roles: [Status.Kind: Role] = [.plain: .status, .success: .success, .warning: .warning, .error: .error]
            return drawMessage(status.text, roles[status.kind] ?? .status, in: region)
        }
        if case .lost(let reason) = model.connection {
            put("\(model.lossWords): \(reason); trying again", .error, in: region)
        }
    }

    /// A message that is longer than the row grows upwards over the panels: engines have much to say when they refuse.
    private mutating func drawMessage(_ text: String, _ role: Role, in row: Region) {
        guard row.columns > 0 else { return }
        let lines = TextWrap.lines(of: text, columns: row.columns)
        let rows = min(4, max(1, lines.count), row.row + 1)
        for index in 0..<rows {
            let line = Region(column: row.column, row: row.row - rows + 1 + index, columns: row.columns, rows: 1)
            fill(line, .status)
            put(lines.dropFirst(index).prefix(index == rows - 1 ? .max : 1).joined(separator: " "), role, in: line)
        }
    }

    private mutating func drawPrompt(
        _ prompt: String, _ editor: LineEditor, grammar: String = "", in region: Region
    ) {
        let start = put(prompt, .header, in: region)
        var rest = region
        _ = rest.takeLeft(start)
        guard rest.columns > 0 else { return }
        if editor.text.isEmpty { put(grammar, .muted, in: rest) }
        frame.cursor = Position(column: rest.column + putTyped(editor, .text, in: rest), row: region.row)
    }

    private mutating func drawJob(_ job: Job, _ model: Model, in region: Region) {
        let batch = job.batch.flatMap { model.batches[$0] }
        var more = batch.map { " \($0.outcomes.count) of \($0.count)" } ?? ""
        if batch == nil, !job.progress.text.isEmpty { more = " \(job.progress.text)" }
        let others = model.jobs.count { $0.id != job.id && ($0.batch == nil || $0.batch != job.batch) }
        if others > 0 { more += " (and \(others) more)" }
        let title = batch?.title ?? job.label
        if job.isGivenUp {
            return drawWait("cancelling \(title)…", since: job.startedAt, verb: nil, model, in: region)
        }
        let verb = job.action.endsWithItsCaller ? "cancels" : "stops waiting"
        drawWait("\(title)…", since: job.startedAt, more: more, verb: verb, model, in: region)
    }

    /// `⠹ stop web… 3s`, and how to be rid of it; nil where that has been asked for.
    private mutating func drawWait(
        _ label: String, since start: Timestamp, more: String = "", verb: String? = "cancels", _ model: Model,
        in region: Region
    ) {
        let elapsed = max(0, model.now.nanosecondsSinceEpoch - start.nanosecondsSinceEpoch)
        let turns = Array("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
        let spinner = turns[Int(elapsed / 200_000_000) % turns.count]
        let seconds = elapsed > 1_000_000_000 ? " \(elapsed / 1_000_000_000)s" : ""
        let end = put("\(spinner) \(label)\(seconds)\(more)", .status, in: region)
        if let verb, end + 20 < region.columns {
            put("\(model.dialogs.isEmpty ? "esc" : "ctrl-c") \(verb)", .muted, column: end + 2, in: region)
        }
    }
}
