/// What a person types to narrow a list: rows hold each of its words, and none of those after a `!`. Capitals or not.
struct ListFilter {
    private let words: [Substring]
    private let unwanted: [Substring]

    init(_ text: String) {
        let all = text.lowercased().split(separator: " ")
        words = all.filter { !$0.hasPrefix("!") }
        // While only the sign is typed there is nothing to leave out yet.
        unwanted = all.filter { $0.hasPrefix("!") }.map { $0.dropFirst() }.filter { !$0.isEmpty }
    }

    var isEmpty: Bool { words.isEmpty && unwanted.isEmpty }

    /// Whether a word is in one of a row's texts.
    func passes(_ texts: [String]) -> Bool {
        guard !isEmpty else { return true }
        let texts = texts.map { $0.lowercased() }
        return passes { word in texts.contains { $0.contains(word) } }
    }

    /// Whether one of a row's texts holds what is to be left out.
    func leavesOut(_ texts: [String]) -> Bool {
        let texts = texts.map { $0.lowercased() }
        return unwanted.contains { word in texts.contains { $0.contains(word) } }
    }

    /// - Parameter holds: whether a row holds a word, which is in small letters.
    func passes(_ holds: (Substring) -> Bool) -> Bool {
        words.allSatisfy(holds) && !unwanted.contains(where: holds)
    }
}

extension Model {
    /// What can be typed into the filter that is open, said while nothing is.
    var filterGrammar: String {
        if case .logs? = dialogs.last { return "words, !words to leave out, or /regex/" }
        return dialogs.isEmpty
            ? "name image state project network port label=value; !word leaves out"
            : "words that a row holds; !word leaves out"
    }
}
