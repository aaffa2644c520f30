import EngineAPI

/// Times as Go prints them, in docker's lists.
extension Timestamp {
    /// `2026-01-02 15:04:05 +0000 UTC`
    var goText: String {
        let text = rfc3339Nano
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(8)) +0000 UTC"
    }

    /// `2026-01-02 15:04:05.12 +0000 UTC`: the fraction without zeros at its end.
    var goTextWithFraction: String {
        let text = rfc3339Nano
        var fraction = text.dropFirst(19).dropLast()
        while let last = fraction.last, last == "0" || last == "." { fraction.removeLast() }
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(8))\(fraction) +0000 UTC"
    }
}
