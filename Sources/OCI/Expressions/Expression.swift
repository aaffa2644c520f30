/// A regular expression made ready for finding: the steps of Thompson's automaton, over classes of scalars that it does
/// not tell apart.
///
/// Whether it is found in a text is known after one pass over that text, whatever the expression (`ExpressionFinder`):
/// an expression that somebody types, or sends, must not be able to hold the program up, as those can that are tried out and taken
/// back.
package struct Expression: Hashable, Sendable {
    enum Step: Hashable, Sendable {
        /// Takes a scalar of a set.
        case scalars(set: Int, next: Int)
        case split(Int, Int)
        case assertion(ExpressionSyntax.Assertion, next: Int)
        case found
    }

    /// More steps than these are not taken: each scalar of a text may cost as many.
    static let stepLimit = 1000

    private(set) var steps: [Step] = [.found]
    private(set) var start = 0
    private var sets: [ScalarSet] = []
    /// The first scalar of each class, in rising order.
    private var classStarts: [UInt32] = [0]
    private var asciiClasses: [UInt8] = []
    /// By set, then class.
    private var members: [[Bool]] = []
    /// Whether the scalars of a class are of words; empty where nothing asks for that.
    private var wordClasses: [Bool] = []

    /// - Throws: `ExpressionError` where the text is no expression, or one of too many steps.
    ///
    /// - Parameter ignoresCase: nil: unless the expression names a capital.
    package init(_ text: String, ignoresCase: Bool? = false) throws(ExpressionError) {
        try self.init(ExpressionParser.parse(text, ignoresCase: ignoresCase))
    }

    package init(_ syntax: ExpressionSyntax) throws(ExpressionError) {
        start = try add(syntax, before: 0)
        classify()
    }

    /// Scalars of different classes are told apart by some set.
    var classCount: Int { classStarts.count }

    func classOf(_ scalar: Unicode.Scalar) -> Int {
        let value = scalar.value
        if value < 0x80 { return Int(asciiClasses[Int(value)]) }
        var low = 0
        var high = classStarts.count
        while low + 1 < high {
            let middle = (low + high) / 2
            if classStarts[middle] <= value { low = middle } else { high = middle }
        }
        return low
    }

    func set(_ set: Int, contains scalarClass: Int) -> Bool { members[set][scalarClass] }

    func isOfWords(_ scalarClass: Int) -> Bool { !wordClasses.isEmpty && wordClasses[scalarClass] }

    /// Adds the steps of a part; returns the first of them, which ends at `next`.
    private mutating func add(_ syntax: ExpressionSyntax, before next: Int) throws(ExpressionError) -> Int {
        switch syntax {
        case .scalars(let set): return try add(.scalars(set: number(of: set), next: next))
        case .assertion(let assertion): return try add(.assertion(assertion, next: next))
        case .sequence(let parts):
            var place = next
            for part in parts.reversed() { place = try add(part, before: place) }
            return place
        case .choice(let branches):
            var place = try add(branches[branches.count - 1], before: next)
            for branch in branches.dropLast().reversed() {
                place = try add(.split(try add(branch, before: next), place))
            }
            return place
        case .repetition(let part, let least, let most):
            var place = next
            if let most {
                for _ in least..<most { place = try add(.split(try add(part, before: place), next)) }
            } else {
                // The way back is known once the part is.
                let split = try add(.split(next, next))
                steps[split] = .split(try add(part, before: split), next)
                place = split
            }
            for _ in 0..<least {
                let count = steps.count
                place = try add(part, before: place)
                // Nothing, repeated, is nothing.
                if steps.count == count { break }
            }
            return place
        }
    }

    private mutating func add(_ step: Step) throws(ExpressionError) -> Int {
        guard steps.count < Self.stepLimit else { throw ExpressionError("it is too large") }
        steps.append(step)
        return steps.count - 1
    }

    private mutating func number(of set: ScalarSet) -> Int {
        if let known = sets.firstIndex(of: set) { return known }
        sets.append(set)
        return sets.count - 1
    }

    private mutating func classify() {
        let asksForWords = steps.contains { step in
            guard case .assertion(let assertion, _) = step else { return false }
            return assertion == .wordBoundary || assertion == .noWordBoundary
        }
        let words = asksForWords ? [ScalarSet.wordScalars] : []
        var bounds: Set<UInt32> = [0]
        for range in (sets + words).flatMap(\.ranges) { bounds.formUnion([range.lowerBound, range.upperBound + 1]) }
        classStarts = bounds.filter { $0 <= ScalarSet.lastScalar }.sorted()
        members = sets.map { set in classStarts.map { set.contains($0) } }
        wordClasses = asksForWords ? classStarts.map { ScalarSet.wordScalars.contains($0) } : []
        var scalarClass = 0
        asciiClasses = (0..<0x80).map { value in
            while scalarClass + 1 < classStarts.count, classStarts[scalarClass + 1] <= value { scalarClass += 1 }
            return UInt8(scalarClass)
        }
    }
}
