import Expressions

/// Looking for text in lines.
struct Search: Hashable, Sendable {
    var editor = LineEditor()
    var isEditing = false
    /// What was last looked for; empty for nothing.
    var needle = ""

    mutating func begin() {
        editor = LineEditor()
        isEditing = true
    }

    mutating func accept() {
        isEditing = false
        if !editor.text.isEmpty { needle = editor.text }
    }

    mutating func giveUp() { isEditing = false }

    /// The next index from `start` (not itself) whose text holds the needle, around the end; nil where none does. Capitals
    /// count only when the needle has one.
    func next(from start: Int, count: Int, backwards: Bool, text: (Int) -> String) -> Int? {
        guard count > 0, !needle.isEmpty else { return nil }
        let ignoresCase = needle == needle.lowercased()
        // One that is too long for an expression is found nowhere.
        guard let expression = try? Expression(.literal(needle, ignoresCase: ignoresCase)) else { return nil }
        var finder = ExpressionFinder(expression)
        for step in 1...count {
            let index = ((start + (backwards ? -step : step)) % count + count) % count
            if finder.isFound(in: text(index)) { return index }
        }
        return nil
    }

    func matches(_ text: String) -> Bool {
        guard !needle.isEmpty else { return false }
        return needle == needle.lowercased() ? text.lowercased().contains(needle) : text.contains(needle)
    }
}
