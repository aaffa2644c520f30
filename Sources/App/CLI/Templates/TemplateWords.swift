/// The words of one action, read from the left.
struct TemplateWords {
    private let tokens: [TemplateToken]
    private let end: Int
    private(set) var mark = 0

    init(_ tokens: [TemplateToken], end: Int) {
        self.tokens = tokens
        self.end = end
    }

    var next: TemplateToken? { mark < tokens.count ? tokens[mark] : nil }

    /// The word with which the action begins, leading spaces aside.
    var keyword: String? {
        let first = tokens[mark...].first { $0.kind != .space }
        return if case .word(let word)? = first?.kind { word } else { nil }
    }

    /// Passes over the next word and the spaces before it.
    mutating func drop() {
        skipSpaces()
        mark += 1
    }

    @discardableResult mutating func skipSpaces() -> Bool {
        guard next?.kind == .space else { return false }
        while next?.kind == .space { mark += 1 }
        return true
    }

    mutating func take(_ kind: TemplateToken.Kind) -> Bool {
        skipSpaces()
        guard next?.kind == kind else { return false }
        mark += 1
        return true
    }

    mutating func expectEnd(_ context: String) throws(TemplateFailure) {
        skipSpaces()
        if let next { throw .parsing("unexpected \"\(next.source)\" in \(context)") }
    }

    /// `$a :=`, `$a =`, and in a range `$a, $b :=`; nothing is read where it is something else.
    mutating func declaration(isRange: Bool) -> (variables: [String], assigns: Bool)? {
        let before = mark
        var variables: [String] = []
        repeat {
            skipSpaces()
            guard case .variable(let name)? = next?.kind else { break }
            variables.append(name)
            mark += 1
        } while isRange && variables.count < 2 && take(.comma)
        if !variables.isEmpty {
            if take(.declare) { return (variables, false) }
            if take(.assign) { return (variables, true) }
        }
        mark = before
        return nil
    }

    /// What was read since `start`, as it is written.
    func source(from start: Int) -> String {
        tokens[start..<mark].map(\.source).joined().trimmingBlanks
    }
}

extension String {
    fileprivate var trimmingBlanks: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
