import EngineAPI
import Expressions
import Synchronization

/// What a list's filter asks of a name or an id: a regular expression, found anywhere in it, as docker has it.
///
/// However it is written, a text is looked at once (`Expression`): who may ask for a list must not be able to hold the
/// engine up with it.
struct FilterPattern {
    private let plain: String?
    private let finder: Finder?

    /// One for all names, since it keeps what it has learnt.
    private final class Finder: Sendable {
        private let state: Mutex<ExpressionFinder>

        init(_ expression: Expression) { state = Mutex(ExpressionFinder(expression)) }

        func isFound(in name: String) -> Bool { state.withLock { $0.isFound(in: name) } }
    }

    /// - Parameter filter: the filter's word, for the refusal.
    /// - Throws: `invalid` for a text that is no expression.
    init(_ text: String, of filter: String) throws(EngineError) {
        // Most are plain words, which need no machinery.
        if text.utf8.allSatisfy({ $0 == 45 || $0 == 95 || (48...57).contains($0) || (97...122).contains($0 | 0x20) }) {
            (plain, finder) = (text, nil)
            return
        }
        do throws(ExpressionError) { (plain, finder) = (nil, Finder(try Expression(text))) } catch {
            throw EngineError(.invalid, "invalid filter '\(filter)=\(text)': \(error.message)")
        }
    }

    static func all(_ texts: [String], of filter: String) throws(EngineError) -> [FilterPattern] {
        var patterns: [FilterPattern] = []
        for text in texts { patterns.append(try FilterPattern(text, of: filter)) }
        return patterns
    }

    func matches(_ name: String) -> Bool {
        if let plain { return name.contains(plain) }
        return finder?.isFound(in: name) == true
    }
}

extension [FilterPattern] {
    /// Whether one of them is found in the name, or nothing is asked.
    func accept(_ name: String) -> Bool { isEmpty || contains { $0.matches(name) } }
}
