/// What is wrong with a regular expression, in words.
package struct ExpressionError: Error, Hashable {
    package let message: String

    init(_ message: String) { self.message = message }
}

/// A regular expression taken apart.
package indirect enum ExpressionSyntax: Hashable, Sendable {
    case scalars(ScalarSet)
    case assertion(Assertion)
    case sequence([ExpressionSyntax])
    case choice([ExpressionSyntax])
    /// Nil: as often as one likes.
    case repetition(ExpressionSyntax, least: Int, most: Int?)

    /// A place between two scalars.
    package enum Assertion: Hashable, Sendable { case start, end, wordBoundary, noWordBoundary }

    /// The scalars of a text, one after the other.
    package static func literal(_ text: String, ignoresCase: Bool = false) -> ExpressionSyntax {
        .sequence(
            text.unicodeScalars.map { scalar in
                .scalars(ignoresCase ? ScalarSet(scalar).ignoringCase : ScalarSet(scalar))
            })
    }
}
