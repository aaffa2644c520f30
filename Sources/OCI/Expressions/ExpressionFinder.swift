/// Looks for an expression in one text after the other, and keeps what it has learnt: the sets of steps that it came
/// through, as states with the ways between them (the lazy construction of a deterministic automaton).
package struct ExpressionFinder: Sendable {
    /// What stands before a place in a text, as far as assertions ask for it.
    private enum Neighbour: Hashable { case edge, word, other }

    /// Where the search can be after a scalar.
    private struct State: Hashable {
        /// Steps that wait for the next scalar, sorted.
        var steps: [Int]
        var before: Neighbour
    }

    /// All that is known is forgotten at so many states: they can be exponentially many.
    private static let stateLimit = 1024
    private static let unknown: Int32 = -1
    private static let found: Int32 = -2

    private let expression: Expression
    private var states: [State] = []
    private var numbers: [State: Int32] = [:]
    /// By state, then class of scalar; the last one of each state is the end of the text.
    private var ways: [Int32] = []
    private let width: Int
    /// By step: the last visit that came to it.
    private var visits: [Int]
    private var visit = 0

    package init(_ expression: Expression) {
        self.expression = expression
        width = expression.classCount + 1
        visits = [Int](repeating: 0, count: expression.steps.count)
        _ = number(State(steps: [], before: .edge))
    }

    package mutating func isFound(in text: String) -> Bool {
        var state: Int32 = 0
        for scalar in text.unicodeScalars {
            let scalarClass = expression.classOf(scalar)
            var next = ways[Int(state) * width + scalarClass]
            if next == Self.unknown { next = explore(state, scalarClass) }
            if next == Self.found { return true }
            state = next
        }
        let end = ways[Int(state) * width + width - 1]
        return (end == Self.unknown ? explore(state, width - 1) : end) == Self.found
    }

    /// Where a scalar of a class leads to, or the end of the text.
    private mutating func explore(_ number: Int32, _ scalarClass: Int) -> Int32 {
        let state = states[Int(number)]
        let isEnd = scalarClass == width - 1
        let after: Neighbour = isEnd ? .edge : expression.isOfWords(scalarClass) ? .word : .other
        var reached: Set<Int> = []
        // A match may begin at each place.
        let isFound = follow(state.steps + [expression.start], state.before, after) { [expression] set, next in
            if !isEnd, expression.set(set, contains: scalarClass) { reached.insert(next) }
        }
        let next =
            isFound ? Self.found : isEnd ? 0 : self.number(State(steps: reached.sorted(), before: after))
        // Unless the numbers have begun anew.
        if states.indices.contains(Int(number)), states[Int(number)] == state {
            ways[Int(number) * width + scalarClass] = next
        }
        return next
    }

    /// Goes through all steps that take no scalar; true where one of them is the end of the expression.
    private mutating func follow(
        _ steps: [Int], _ before: Neighbour, _ after: Neighbour, _ take: (_ set: Int, _ next: Int) -> Void
    ) -> Bool {
        visit += 1
        var open = steps
        while let step = open.popLast() {
            guard visits[step] != visit else { continue }
            visits[step] = visit
            switch expression.steps[step] {
            case .found: return true
            case .scalars(let set, let next): take(set, next)
            case .split(let one, let other): open += [one, other]
            case .assertion(let assertion, let next): if Self.holds(assertion, before, after) { open.append(next) }
            }
        }
        return false
    }

    private static func holds(
        _ assertion: ExpressionSyntax.Assertion, _ before: Neighbour, _ after: Neighbour
    ) -> Bool {
        switch assertion {
        case .start: before == .edge
        case .end: after == .edge
        case .wordBoundary: (before == .word) != (after == .word)
        case .noWordBoundary: (before == .word) == (after == .word)
        }
    }

    private mutating func number(_ state: State) -> Int32 {
        if let known = numbers[state] { return known }
        if states.count == Self.stateLimit {
            (states, numbers, ways) = ([], [:], [])
            if state != State(steps: [], before: .edge) { _ = number(State(steps: [], before: .edge)) }
        }
        let number = Int32(states.count)
        states.append(state)
        numbers[state] = number
        ways += [Int32](repeating: Self.unknown, count: width)
        return number
    }
}
