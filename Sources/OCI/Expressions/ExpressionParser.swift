/// Reads the usual notation (PCRE's and RE2's), as far as it can be matched in linear time: neither what looks around
/// nor what refers back.
struct ExpressionParser {
    private static let longestRepetition = 1000
    private static let deepestGroup = 100

    private var rest: Substring.UnicodeScalarView
    private var depth = 0
    private var ignoresCase: Bool
    /// A capital was asked for by itself, not as part of a set such as `\W`.
    private var hasCapital = false

    private init(_ text: String, ignoresCase: Bool) {
        rest = Substring(text).unicodeScalars
        self.ignoresCase = ignoresCase
    }

    /// - Parameter ignoresCase: nil: unless the expression names a capital.
    static func parse(_ text: String, ignoresCase: Bool? = false) throws(ExpressionError) -> ExpressionSyntax {
        var parser = ExpressionParser(text, ignoresCase: ignoresCase ?? true)
        let syntax = try parser.choice()
        guard parser.rest.isEmpty else { throw ExpressionError("`)` without its `(`") }
        return ignoresCase == nil && parser.hasCapital ? try parse(text, ignoresCase: false) : syntax
    }

    private mutating func take() throws(ExpressionError) -> Unicode.Scalar {
        guard let scalar = rest.popFirst() else { throw ExpressionError("it ends too early") }
        return scalar
    }

    private mutating func take(_ text: String) -> Bool {
        guard rest.starts(with: text.unicodeScalars) else { return false }
        rest.removeFirst(text.unicodeScalars.count)
        return true
    }

    private mutating func choice() throws(ExpressionError) -> ExpressionSyntax {
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func sequence() throws(ExpressionError) -> ExpressionSyntax {
        var parts: [ExpressionSyntax] = []
        while let next = rest.first, next != "|", next != ")" {
            let part = try atom()
            parts.append(try repeated(part))
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func repeated(_ part: ExpressionSyntax) throws(ExpressionError) -> ExpressionSyntax {
        guard let (least, most) = try repetition() else { return part }
        // Whether few or many are tried first makes no difference to whether there is a match.
        _ = take("?")
        if rest.first == "+" || rest.first == "*" || rest.first == "?" {
            throw ExpressionError("`\(Character(try take()))` has nothing to repeat")
        }
        return .repetition(part, least: least, most: most)
    }

    private mutating func repetition() throws(ExpressionError) -> (least: Int, most: Int?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        guard rest.first == "{" else { return nil }
        let before = rest
        rest.removeFirst()
        let least = number()
        let hasComma = take(",")
        let most = hasComma ? number() : least
        guard let least, take("}") else {
            // A brace that counts nothing stands for itself: logs are full of them.
            rest = before
            return nil
        }
        guard max(least, most ?? 0) <= Self.longestRepetition, least <= most ?? least else {
            throw ExpressionError("a repetition counts to \(Self.longestRepetition) at most, and upwards")
        }
        return (least, most)
    }

    private mutating func number() -> Int? {
        let digits = rest.prefix { ("0"..."9").contains($0) }
        rest.removeFirst(digits.count)
        return digits.isEmpty ? nil : Int(String(digits)) ?? .max
    }

    private mutating func atom() throws(ExpressionError) -> ExpressionSyntax {
        let scalar = try take()
        switch scalar {
        case ".": return .scalars(.everything)
        case "^": return .assertion(.start)
        case "$": return .assertion(.end)
        case "(": return try group()
        case "[": return .scalars(try bracket())
        case "\\": return try escape()
        case "*", "+", "?": throw ExpressionError("`\(Character(scalar))` has nothing to repeat")
        default: return .scalars(cased(ScalarSet(scalar)))
        }
    }

    /// What is asked for by itself, with the other case where that does not count.
    private mutating func cased(_ set: ScalarSet) -> ScalarSet {
        let scalar = set.only
        if let scalar, scalar.properties.isUppercase { hasCapital = true }
        return ignoresCase ? set.ignoringCase : set
    }

    private mutating func group() throws(ExpressionError) -> ExpressionSyntax {
        depth += 1
        guard depth <= Self.deepestGroup else { throw ExpressionError("it is nested too deeply") }
        let outer = ignoresCase
        if take("?"), try !groupKind() {
            // Flags alone hold for what follows in the group around them.
            depth -= 1
            return .sequence([])
        }
        let inner = try choice()
        guard take(")") else { throw ExpressionError("`(` without its `)`") }
        depth -= 1
        ignoresCase = outer
        return inner
    }

    /// After `(?`: a name, which is of no use to a search, or flags. False where the group ends with them.
    private mutating func groupKind() throws(ExpressionError) -> Bool {
        let isLookBehind = rest.starts(with: "<=".unicodeScalars) || rest.starts(with: "<!".unicodeScalars)
        if !isLookBehind, take("<") || take("P<") {
            while try take() != ">" {}
            return true
        }
        var isOn = true
        while true {
            let scalar = try take()
            switch scalar {
            case ":": return true
            case ")": return false
            case "-": isOn = false
            case "i": ignoresCase = isOn
            // What is searched are names and lines, without line ends; and few or many make no difference, as above.
            case "m", "s", "U": break
            default: throw ExpressionError("`(?\(Character(scalar))` is not understood here")
            }
        }
    }

    private mutating func escape() throws(ExpressionError) -> ExpressionSyntax {
        switch rest.first {
        case _ where take("Q"): return try quoted()
        case _ where take("b"): return .assertion(.wordBoundary)
        case _ where take("B"): return .assertion(.noWordBoundary)
        case _ where take("A"): return .assertion(.start)
        case _ where take("z") || take("Z"): return .assertion(.end)
        default:
            let set = try escapedSet()
            return .scalars(set.only == nil ? set : cased(set))
        }
    }

    /// After `\Q`: all stands for itself up to `\E`, or to the end. What counts its repetitions counts those of the last.
    private mutating func quoted() throws(ExpressionError) -> ExpressionSyntax {
        var parts: [ExpressionSyntax] = []
        while !rest.isEmpty, !take("\\E") { parts.append(.scalars(cased(ScalarSet(try take())))) }
        guard let last = parts.popLast() else { return .sequence([]) }
        return .sequence(parts + [try repeated(last)])
    }

    /// After a backslash, in brackets or outside.
    private mutating func escapedSet() throws(ExpressionError) -> ScalarSet {
        let scalar = try take()
        switch scalar {
        case "d": return .digits
        case "D": return ScalarSet.digits.inverted
        case "s": return .spaces
        case "S": return ScalarSet.spaces.inverted
        case "w": return .wordScalars
        case "W": return ScalarSet.wordScalars.inverted
        case "n": return ScalarSet("\n")
        case "r": return ScalarSet("\r")
        case "t": return ScalarSet("\t")
        case "f": return ScalarSet("\u{0C}")
        case "v": return ScalarSet("\u{0B}")
        case "e": return ScalarSet("\u{1B}")
        case "a": return ScalarSet("\u{07}")
        case "0": return octal(0)
        case "1"..."7" where rest.first.map { ("0"..."7").contains($0) } == true: return octal(scalar.value - 0x30)
        case "x": return ScalarSet(try hexadecimal(digits: 2))
        case "u": return ScalarSet(try hexadecimal(digits: 4))
        case "1"..."9": throw ExpressionError("`\\\(Character(scalar))` refers back, which is not understood here")
        case "a"..."z", "A"..."Z": throw ExpressionError("`\\\(Character(scalar))` is not understood here")
        default: return ScalarSet(scalar)
        }
    }

    /// After the first digit: two more at most.
    private mutating func octal(_ first: UInt32) -> ScalarSet {
        var value = first
        for _ in 0..<2 {
            guard let digit = rest.first, ("0"..."7").contains(digit) else { break }
            rest.removeFirst()
            value = value * 8 + digit.value - 0x30
        }
        return ScalarSet([value...value])
    }

    private mutating func hexadecimal(digits: Int) throws(ExpressionError) -> Unicode.Scalar {
        var text = ""
        if take("{") {
            while !take("}") { text.unicodeScalars.append(try take()) }
        } else {
            for _ in 0..<digits { text.unicodeScalars.append(try take()) }
        }
        guard let scalar = UInt32(text, radix: 16).flatMap(Unicode.Scalar.init) else {
            throw ExpressionError("`\(text)` numbers no character")
        }
        return scalar
    }

    /// After `[`.
    private mutating func bracket() throws(ExpressionError) -> ScalarSet {
        let isInverted = take("^")
        var set = ScalarSet()
        var isFirst = true
        while isFirst || rest.first != "]" {
            isFirst = false
            let part = try bracketPart()
            guard let low = part.only else {
                set = set.union(part)
                continue
            }
            guard rest.first == "-", let after = rest.dropFirst().first, after != "]" else {
                set = set.union(cased(part))
                continue
            }
            rest.removeFirst()
            guard let high = try bracketPart().only, low.value <= high.value else {
                throw ExpressionError("a range in `[…]` runs backwards")
            }
            if low.properties.isUppercase { hasCapital = true }
            set = set.union(cased(ScalarSet([low.value...high.value])))
        }
        rest.removeFirst()
        return isInverted ? set.inverted : set
    }

    /// One character of a bracket, an escape, or a class such as `[:alpha:]`.
    private mutating func bracketPart() throws(ExpressionError) -> ScalarSet {
        if take("[:") {
            let isInverted = take("^")
            var name = ""
            while !take(":]") { name.unicodeScalars.append(try take()) }
            guard let set = Self.classes[name] else { throw ExpressionError("there is no class `[:\(name):]`") }
            return isInverted ? set.inverted : set
        }
        let scalar = try take()
        guard scalar == "\\" else { return ScalarSet(scalar) }
        // In brackets it is the backspace key's.
        if take("b") { return ScalarSet("\u{08}") }
        return try escapedSet()
    }

    /// POSIX's classes.
    private static let classes: [String: ScalarSet] = [
        "alpha": ScalarSet([0x41...0x5A, 0x61...0x7A]), "digit": .digits,
        "alnum": ScalarSet([0x30...0x39, 0x41...0x5A, 0x61...0x7A]), "upper": ScalarSet([0x41...0x5A]),
        "lower": ScalarSet([0x61...0x7A]), "space": .spaces, "blank": ScalarSet([0x09...0x09, 0x20...0x20]),
        "punct": ScalarSet([0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E]),
        "xdigit": ScalarSet([0x30...0x39, 0x41...0x46, 0x61...0x66]), "word": .wordScalars,
        "cntrl": ScalarSet([0x00...0x1F, 0x7F...0x7F]), "print": ScalarSet([0x20...0x7E]),
        "graph": ScalarSet([0x21...0x7E]),
    ]
}
