import EngineAPI
import JSON
import OCI

/// Moments as the Docker API writes them.
package enum WireTime {
    /// What Go writes for a time that never was.
    package static let zero = "0001-01-01T00:00:00Z"

    /// RFC 3339 with as much of the fraction as is not zero.
    package static func text(_ time: Timestamp?) -> String {
        guard let time else { return zero }
        let text = time.rfc3339Nano
        var digits = text.dropLast().utf8
        while digits.last == UInt8(ascii: "0") { digits = digits.dropLast() }
        if digits.last == UInt8(ascii: ".") { digits = digits.dropLast() }
        return String(Substring(digits)) + "Z"
    }

    private static let year1970 = Timestamp(nanosecondsSinceEpoch: 0)
    private static let year2200 = Timestamp(nanosecondsSinceEpoch: 7_258_118_400_000_000_000)

    /// The nearest time that an engine may well have told: what is computed with it stays within 64 bits.
    package static func clamped(_ time: Timestamp) -> Timestamp {
        min(max(time, year1970), year2200)
    }

    /// Nil for the zero time and for what is no time; clamped.
    package static func parse(_ text: String) -> Timestamp? {
        if text.isEmpty || text.hasPrefix("0001-") { return nil }
        return Timestamp(rfc3339: text).map(clamped)
    }

    /// A `since` or `until` of a query: seconds with an optional fraction, or RFC 3339.
    package static func parameter(_ text: String) -> Timestamp? {
        if let time = Timestamp(rfc3339: text) { return time }
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first.flatMap({ Int64($0) }) else { return nil }
        var nanoseconds: Int64 = 0
        if parts.count == 2 {
            let digits = parts[1].prefix(9)
            guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
            nanoseconds = Int64(String(digits) + String(repeating: "0", count: 9 - digits.count)) ?? 0
        }
        let (product, overflow) = whole.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isTooFar) = product.addingReportingOverflow(nanoseconds)
        return overflow || isTooFar ? nil : Timestamp(nanosecondsSinceEpoch: sum)
    }

    /// A moment as people give it: what `parameter` reads, a day with less of its time or none, by the clock on the wall
    /// where no zone is said, or so long before `now`: `1h30m`.
    ///
    /// - Parameter wallClock: the moment at which the clock on the wall shows what UTC's shows at the one given.
    package static func moment(
        _ text: String, now: Timestamp, wallClock: (Timestamp) -> Timestamp = { $0.asWallClock }
    ) -> Timestamp? {
        calendar(text, wallClock) ?? parameter(text) ?? GoDuration.nanoseconds(text).map { now.before(by: $0) }
    }

    /// A day, and what is said of the time of day: hours, minutes, seconds with a fraction, each of which may be missing
    /// with those after it.
    private static func calendar(_ text: String, _ wallClock: (Timestamp) -> Timestamp) -> Timestamp? {
        let day = text.prefix(10)
        let clock = text.dropFirst(10).prefix { !"Zz+-".contains($0) }
        let zone = text.dropFirst(10 + clock.count)
        let rest =
            switch clock.split(separator: ":").count {
            case 0: "T00:00:00"
            case 1: ":00:00"
            case 2: ":00"
            default: ""
            }
        guard let time = Timestamp(rfc3339: day + clock + rest + (zone.isEmpty ? "Z" : zone)) else { return nil }
        return zone.isEmpty ? wallClock(time) : time
    }

    /// A moment as `parameter` reads it.
    package static func parameter(_ time: Timestamp) -> String {
        let fraction = String(time.nanoseconds)
        return "\(time.secondsSinceEpoch).\(String(repeating: "0", count: 9 - fraction.count))\(fraction)"
    }
}
