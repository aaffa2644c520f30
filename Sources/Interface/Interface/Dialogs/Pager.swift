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
        let old = cursor
        cursor = movement.applied(to: old, count: lines.count, page: page)
        scroll = movement.scroll(scroll, from: old, to: cursor, count: lines.count, page: page)
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
    ///
    /// - Parameter columns: of the screen: reasons are read whole.
    static func results(of batch: Batch, columns: Int) -> Pager {
        var pager = Pager(title: batch.title)
        for outcome in batch.outcomes.sorted(by: {
            ($0.failure == nil ? 1 : 0, NaturalName($0.label)) < ($1.failure == nil ? 1 : 0, NaturalName($1.label))
        }) {
            let isGood = outcome.failure == nil
            let lead = "\(isGood ? "✓" : "✗") \(outcome.label)"
            let reason = TextWrap.lines(of: outcome.failure ?? "", columns: max(20, columns - 4))
            let isShort = reason.count == 1 && !TextWidth.exceeds(columns - 2, "\(lead): \(reason[0])")
            pager.lines.append(
                Line(
                    text: lead + (isShort ? ": \(reason[0])" : ""), leadCount: lead.count,
                    leadRole: isGood ? .success : .error))
            if !isShort { pager.lines += reason.map { Line(text: "    \($0)") } }
            if !outcome.output.isEmpty { pager.lines += FileText.lines(of: outcome.output) }
        }
        return pager
    }

    /// The help: every key by the place where it holds.
    ///
    /// - Parameters:
    ///   - place: where it is asked for: the keys of that place come first.
    ///   - columns: of the screen: nothing is longer.
    static func help(
        _ table: [KeyBinding], leader: Key, at place: KeyContext = .containers, columns: Int = 80
    ) -> Pager {
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
                let start = keys.count + fill.count + 2
                let words = TextWrap.lines(of: binding.label, columns: max(10, columns - start))
                pager.lines.append(
                    Line(text: "  \(keys)\(fill)\(words.first ?? "")", leadCount: keys.count + 2, leadRole: .hintKey))
                pager.lines += words.dropFirst().map { Line(text: String(repeating: " ", count: start) + $0) }
            }
            pager.lines.append(Line(text: ""))
        }
        pager.lines.append(Line(text: "in an attached console", role: .header))
        for text in [
            "every key goes to the container but the leader key, \(leader)",
            "\(leader) twice sends it; ctrl-p ctrl-q detaches too",
        ] {
            pager.lines += TextWrap.lines(of: text, columns: max(20, columns - 2)).map { Line(text: "  \($0)") }
        }
        return pager
    }
}
