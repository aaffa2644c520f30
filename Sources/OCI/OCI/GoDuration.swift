/// A span of time as Go's programs write it, runc and docker among them: numbers with units one after another, `1m30s`, `500ms`, `1.5h`.
public enum GoDuration {
    /// Nil for what is no span, or one of more than 292 years.
    public static func nanoseconds(_ text: String) -> Int64? {
        var rest = Substring(text)
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest = rest.dropFirst() }
        if rest == "0" { return 0 }
        guard !rest.isEmpty else { return nil }
        var total = 0.0
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { !($0.isASCII && ($0.isNumber || $0 == ".")) }
            rest = rest.dropFirst(unit.count)
            guard let value = Double(number), let scale = scales[String(unit)] else { return nil }
            total += value * scale
        }
        guard total < 9.2e18 else { return nil }
        return isNegative ? -Int64(total) : Int64(total)
    }

    /// As Go prints a span: `1m30s`, `1.5s`, `50ms`.
    public static func text(nanoseconds total: UInt64) -> String {
        if total == 0 { return "0s" }
        for (unit, scale) in [("ns", UInt64(1)), ("µs", 1000), ("ms", 1_000_000)] where total < scale * 1000 {
            return number(total, scale) + unit
        }
        let seconds = number(total % 60_000_000_000, 1_000_000_000) + "s"
        let minutes = total / 60_000_000_000
        switch minutes {
        case 0: return seconds
        case 1..<60: return "\(minutes)m\(seconds)"
        default: return "\(minutes / 60)h\(minutes % 60)m\(seconds)"
        }
    }

    /// A quotient by a power of ten, without zeros at its end.
    private static func number(_ value: UInt64, _ scale: UInt64) -> String {
        let rest = String(value % scale + scale).dropFirst()
        let digits = rest.reversed().drop { $0 == "0" }.reversed()
        return String(value / scale) + (digits.isEmpty ? "" : "." + String(digits))
    }

    private static let scales: [String: Double] = [
        "ns": 1, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9,
    ]
}
