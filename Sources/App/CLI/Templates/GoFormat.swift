import JSON

/// Go's fmt for the values of templates: `Sprint`, and `Sprintf` with flags, width and precision.
enum GoFormat {
    /// Operands one after another, with a space between two of which neither is a string.
    static func sprint(_ values: [TemplateValue]) -> String {
        var text = ""
        for (index, value) in values.enumerated() {
            if index > 0, value.json.string == nil, values[index - 1].json.string == nil { text += " " }
            text += value.printed
        }
        return text
    }

    static func sprintf(_ format: String, _ values: ArraySlice<TemplateValue>) -> String {
        var text = ""
        var values = values
        var rest = format[...]
        while let character = rest.popFirst() {
            guard character == "%" else {
                text.append(character)
                continue
            }
            let directive = Directive(&rest)
            guard let verb = directive.verb else { return text + "%!(NOVERB)" }
            if verb == "%" {
                text += "%"
            } else if let value = values.popFirst() {
                text += directive.text(verb, value)
            } else {
                text += "%!\(verb)(MISSING)"
            }
        }
        guard !values.isEmpty else { return text }
        return text + "%!(EXTRA " + values.map { "\($0.type)=\($0.printed)" }.joined(separator: ", ") + ")"
    }

}

/// What stands between a `%` and its verb.
private struct Directive {
    var flags: Set<Character> = []
    var width = 0
    var precision: Int?
    var verb: Character?

    init(_ rest: inout Substring) {
        while let flag = rest.first, "-+# 0".contains(flag) {
            flags.insert(flag)
            rest.removeFirst()
        }
        width = Self.number(&rest) ?? 0
        if rest.first == "." {
            rest.removeFirst()
            precision = Self.number(&rest) ?? 0
        }
        verb = rest.popFirst()
    }

    /// Bounded as fmt bounds it.
    private static func number(_ rest: inout Substring) -> Int? {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(digits.count)
        return digits.isEmpty ? nil : min(Int(digits) ?? 1_000_000, 1_000_000)
    }

    func text(_ verb: Character, _ value: TemplateValue) -> String {
        switch verb {
        case "v": return padded(value.printed)
        case "s" where value.json.string != nil || value.json.array != nil || value.json.object != nil:
            let text = value.printed
            return padded(precision.map { String(text.prefix($0)) } ?? text)
        case "q": if let text = value.json.string { return padded(text.goQuoted) }
        case "t": if case .bool(let isTrue) = value.json { return padded(isTrue ? "true" : "false") }
        case "d", "x", "X", "o", "b", "c":
            if let number = value.whole { return whole(verb, number) }
            if verb == "x" || verb == "X", let text = value.json.string {
                let digits = text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
                return padded(verb == "X" ? digits.uppercased() : digits)
            }
        case "f", "F", "e", "g":
            if case .number(let number) = value.json { return padded(sign(number >= 0) + decimal(verb, number)) }
        default: break
        }
        return "%!\(verb)(\(value.type)=\(value.printed))"
    }

    private func whole(_ verb: Character, _ number: Int64) -> String {
        if verb == "c" {
            let scalar = UInt32(exactly: number).flatMap(Unicode.Scalar.init) ?? "\u{FFFD}"
            return padded(String(Character(scalar)))
        }
        let radix = verb == "d" ? 10 : verb == "o" ? 8 : verb == "b" ? 2 : 16
        let prefix = flags.contains("#") ? (radix == 16 ? "0\(verb)" : radix == 8 ? "0" : radix == 2 ? "0b" : "") : ""
        let digits = String(number.magnitude, radix: radix, uppercase: verb == "X")
        let head = (number < 0 ? "-" : sign(true)) + prefix
        guard flags.contains("0"), !flags.contains("-") else { return padded(head + digits) }
        return head + String(repeating: "0", count: max(0, width - head.count - digits.count)) + digits
    }

    private func sign(_ isPositive: Bool) -> String {
        guard isPositive else { return "" }
        return flags.contains("+") ? "+" : flags.contains(" ") ? " " : ""
    }

    private func decimal(_ verb: Character, _ number: Double) -> String {
        if verb == "f" || verb == "F" { return Units.fixed(number, min(precision ?? 6, 15)) }
        return number.description
    }

    private func padded(_ text: String) -> String {
        let gap = String(repeating: " ", count: max(0, width - text.count))
        return flags.contains("-") ? text + gap : gap + text
    }
}
