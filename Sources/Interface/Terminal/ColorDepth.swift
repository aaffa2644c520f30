/// How many colours the terminal can show.
package enum ColorDepth: Int, Hashable, Sendable, Comparable, CaseIterable {
    /// Attributes only.
    case none
    /// The 8 basic colours; bright ones are bold.
    case eight
    /// The basic colours and their bright forms.
    case sixteen
    case palette256
    case trueColor

    /// What a terminal of so many colours, but no more than 256, can show.
    static func of(_ colors: Int) -> ColorDepth { colors >= 256 ? .palette256 : colors >= 16 ? .sixteen : .eight }

    package static func < (left: ColorDepth, right: ColorDepth) -> Bool { left.rawValue < right.rawValue }

    /// What the environment says: `NO_COLOR` (not empty) turns colour off; `COLORTERM` of `truecolor` or `24bit`, or a
    /// `-direct` terminal, turns all of it on; otherwise the terminal's entry counts.
    ///
    /// - Parameter terminfoColors: `colors` of the terminal's entry; -1 where it has none.
    package static func detect(environment: [String: String], terminfoColors: Int) -> ColorDepth {
        let term = environment["TERM"] ?? ""
        if let refused = environment["NO_COLOR"], !refused.isEmpty { return .none }
        if term == "dumb" || terminfoColors < 8 { return .none }
        let announced = environment["COLORTERM"]?.lowercased() ?? ""
        if announced == "truecolor" || announced == "24bit" || term.hasSuffix("-direct") { return .trueColor }
        if terminfoColors > 256 { return .trueColor }
        return of(terminfoColors)
    }
}
