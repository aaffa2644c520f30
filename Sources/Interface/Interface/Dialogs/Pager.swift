import Terminal

/// Lines to read, with a cursor line, scrolling and search.
struct Pager: Hashable, Sendable {
    struct Line: Hashable, Sendable {
        var text: String
        var role = Role.text
        /// The first so many characters in `leadRole`: a key of the help, a name of the inspection.
        var leadCount = 0
        var leadRole = Role.hintKey
    }

    var title: String
    var lines: [Line] = []
    var cursor = 0
    var scroll = 0
    /// The first column shown of what follows the lead.
    var column = 0
    var search = Search()

    init(title: String, lines: [Line] = []) {
        self.title = title
        self.lines = lines
    }

    mutating func move(_ movement: Movement, page: Int) {
        cursor = movement.applied(to: cursor, count: lines.count, page: page)
        scroll = scrollToShow(cursor, from: scroll, count: lines.count, page: page)
    }

    /// To the right or to the left of long lines.
    mutating func shift(_ intent: Intent) {
        if intent == .nextChoice { column += 8 }
        if intent == .previousChoice { column = max(0, column - 8) }
    }

    /// Goes to the next match; false where there is none.
    mutating func find(backwards: Bool, page: Int) -> Bool {
        let found = search.next(from: cursor, count: lines.count, backwards: backwards) { lines[$0].text }
        guard let found else { return false }
        cursor = found
        scroll = scrollToShow(cursor, from: scroll, count: lines.count, page: page)
        return true
    }
}

extension Pager {
    /// What each of several actions came to, those that failed first.
    static func results(of batch: Batch) -> Pager {
        var pager = Pager(title: batch.title)
        for outcome in batch.outcomes.sorted(by: {
            ($0.failure == nil ? 1 : 0, $0.label) < ($1.failure == nil ? 1 : 0, $1.label)
        }) {
            let isGood = outcome.failure == nil
            let lead = "\(isGood ? "✓" : "✗") \(outcome.label)"
            pager.lines.append(
                Line(
                    text: lead + (outcome.failure.map { ": \($0)" } ?? ""), leadCount: lead.count,
                    leadRole: isGood ? .success : .error))
        }
        return pager
    }

    /// The help: every key by the place where it holds.
    ///
    /// - Parameter place: where it is asked for: the keys of that place come first.
    static func help(_ table: [KeyBinding], leader: Key, at place: KeyContext = .containers) -> Pager {
        var pager = Pager(title: "help")
        for (context, bindings) in Keymap.sections(of: table, at: place) {
            let title =
                switch context {
                case nil: "everywhere on the main screen"
                case .leader?: "console, after \(leader)"
                case let context?: context.title
                }
            pager.lines.append(Line(text: title, role: .header))
            for binding in bindings {
                let keys = binding.notation
                let fill = String(repeating: " ", count: max(1, 18 - keys.count))
                pager.lines.append(
                    Line(text: "  \(keys)\(fill)\(binding.label)", leadCount: keys.count + 2, leadRole: .hintKey))
            }
            pager.lines.append(Line(text: ""))
        }
        pager.lines.append(Line(text: "in an attached console", role: .header))
        pager.lines.append(Line(text: "  every key goes to the container but the leader key, \(leader)"))
        pager.lines.append(Line(text: "  \(leader) twice sends it; ctrl-p ctrl-q detaches too"))
        return pager
    }
}
