import Terminal

/// A line of text being typed, with the keys of a shell's line.
struct LineEditor: Hashable, Sendable {
    private(set) var text: String
    /// In characters.
    private(set) var cursor: Int

    init(_ text: String = "") {
        self.text = text
        cursor = text.count
    }

    /// Takes a key; false where it means nothing here.
    mutating func handle(_ key: Key) -> Bool {
        if let character = key.typed {
            insert(String(character))
            return true
        }
        switch (key.code, key.modifiers) {
        case (.backspace, _): delete(cursor - 1..<cursor)
        case (.delete, _), (.character("d"), .control): delete(cursor..<cursor + 1)
        case (.left, _), (.character("b"), .control): cursor = max(0, cursor - 1)
        case (.right, _), (.character("f"), .control): cursor = min(text.count, cursor + 1)
        case (.home, _), (.character("a"), .control): cursor = 0
        case (.end, _), (.character("e"), .control): cursor = text.count
        case (.character("u"), .control): delete(0..<cursor)
        case (.character("k"), .control): delete(cursor..<text.count)
        case (.character("w"), .control): delete(wordStart..<cursor)
        default: return false
        }
        return true
    }

    /// Control characters, line ends among them, become spaces.
    mutating func insert(_ piece: String) {
        let clean = String(
            piece.map { $0.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F } ? $0 : " " })
        text.insert(contentsOf: clean, at: text.index(text.startIndex, offsetBy: cursor))
        cursor += clean.count
        // A combining mark joins the character before it.
        cursor = min(cursor, text.count)
    }

    /// The columns of the text before the cursor.
    var cursorColumn: Int { TextWidth.columns(of: text.prefix(cursor)) }

    private var wordStart: Int {
        let before = text.prefix(cursor)
        let word = before.reversed().drop { $0 == " " }.drop { $0 != " " }
        return word.count
    }

    private mutating func delete(_ range: Range<Int>) {
        let lower = max(0, range.lowerBound)
        let upper = min(text.count, range.upperBound)
        guard lower < upper else { return }
        let start = text.index(text.startIndex, offsetBy: lower)
        text.removeSubrange(start..<text.index(text.startIndex, offsetBy: upper))
        cursor = lower
    }
}
