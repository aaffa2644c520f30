import Expressions

/// Which lines of a log are shown: those with each of some words, with none of those that a `!` stands before, or those
/// that a regular expression between slashes finds. Capitals count only where the filter has one.
struct LogFilter: Hashable, Sendable {
    private var wanted: [Expression] = []
    private var unwanted: [Expression] = []

    /// - Throws: `FormError` where what stands between the slashes is no regular expression.
    init(_ text: String) throws(FormError) {
        do throws(ExpressionError) {
            if text.count > 1, text.hasPrefix("/"), text.hasSuffix("/") {
                wanted = [try Expression(String(text.dropFirst().dropLast()), ignoresCase: nil)]
            } else {
                try take(words: text)
            }
        } catch { throw FormError("`\(text)` is no regular expression: \(error.message)") }
    }

    private mutating func take(words: String) throws(ExpressionError) {
        let ignoresCase = words == words.lowercased()
        for word in words.split(separator: " ") {
            let isUnwanted = word.hasPrefix("!") && word.count > 1
            let text = String(isUnwanted ? word.dropFirst() : word)
            let expression = try Expression(.literal(text, ignoresCase: ignoresCase))
            if isUnwanted { unwanted.append(expression) } else { wanted.append(expression) }
        }
    }

    var test: Test { Test(wanted: wanted.map(ExpressionFinder.init), unwanted: unwanted.map(ExpressionFinder.init)) }

    /// Asks the filter about one line after the other.
    struct Test: Sendable {
        fileprivate var wanted: [ExpressionFinder]
        fileprivate var unwanted: [ExpressionFinder]

        mutating func passes(_ line: String) -> Bool {
            for index in wanted.indices where !wanted[index].isFound(in: line) { return false }
            for index in unwanted.indices where unwanted[index].isFound(in: line) { return false }
            return true
        }
    }
}
