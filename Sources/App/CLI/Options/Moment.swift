import EngineAPI
import Linux

/// A point in time as docker's options give it.
enum Moment {
    /// `2026-01-02T15:04:05Z`, `2026-01-02`, seconds since the epoch with a fraction, or so long ago: `1h30m`.
    static func parse(_ text: String?, _ option: String, now: Timestamp = .now()) throws -> Timestamp? {
        guard let text else { return nil }
        if let time = Timestamp(rfc3339: text) ?? Timestamp(rfc3339: text + "Z")
            ?? Timestamp(rfc3339: text + "T00:00:00Z")
        {
            return time
        }
        if let seconds = Double(text), abs(seconds) < 9e9 {
            return Timestamp(nanosecondsSinceEpoch: Int64(seconds * 1e9))
        }
        guard let ago = duration(text) else {
            throw UsageError(
                message: "invalid value for \"\(option)\": failed to parse value as time or duration: \"\(text)\"",
                code: 1)
        }
        return Timestamp(nanosecondsSinceEpoch: now.nanosecondsSinceEpoch - ago)
    }

    /// Go's durations: `1h30m`, `1.5s`, `300ms`; in nanoseconds.
    static func duration(_ text: String) -> Int64? {
        let units: [(String, Double)] = [("ns", 1), ("us", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)]
        var rest = text[...]
        var total = 0.0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let number = rest.prefix { $0.isNumber || $0 == "." }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let value = Double(number), let factor = units.first(where: { $0.0 == unit })?.1 else { return nil }
            total += value * factor
        }
        return total < 9e18 ? Int64(total) : nil
    }
}
