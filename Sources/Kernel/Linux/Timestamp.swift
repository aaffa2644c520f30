import Glibc

/// A moment of the wall clock: nanoseconds since 1970-01-01T00:00:00Z, as clock_gettime(CLOCK_REALTIME) gives them.
public struct Timestamp: Hashable, Comparable, Sendable {
    public var nanosecondsSinceEpoch: Int64

    public init(nanosecondsSinceEpoch: Int64) { self.nanosecondsSinceEpoch = nanosecondsSinceEpoch }

    /// A moment that is too far away to be counted so (before 1677, after 2262) becomes the furthest that is not: dates of
    /// files may lie there.
    public init(seconds: Int64, nanoseconds: Int64 = 0) {
        self.init(
            nanosecondsSinceEpoch: seconds.multipliedSaturated(by: 1_000_000_000).addingSaturated(nanoseconds))
    }

    /// The moment so many nanoseconds before, or after where they are negative; the furthest where there is none.
    public func before(by nanoseconds: Int64) -> Timestamp {
        Timestamp(nanosecondsSinceEpoch: nanosecondsSinceEpoch.subtractingSaturated(nanoseconds))
    }

    /// A nanosecond later; the furthest where there is none.
    public var next: Timestamp { before(by: -1) }

    public static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanosecondsSinceEpoch: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// The moment at which the clock on this machine's wall shows what UTC's shows at this one: mktime(3), by the zone of
    /// `TZ` or /etc/localtime, and by its rules of that day.
    public var asWallClock: Timestamp {
        var seconds = time_t(secondsSinceEpoch)
        var fields = tm()
        gmtime_r(&seconds, &fields)
        fields.tm_isdst = -1
        let shift = Int64(mktime(&fields)).subtractingSaturated(secondsSinceEpoch)
        return before(by: shift.multipliedSaturated(by: -1_000_000_000))
    }

    /// How many seconds the clock on this machine's wall is ahead of UTC's at this moment: localtime_r(3), by the same zone
    /// and rules.
    public var secondsWallClockIsAhead: Int64 {
        var seconds = time_t(secondsSinceEpoch)
        var fields = tm()
        localtime_r(&seconds, &fields)
        return Int64(fields.tm_gmtoff)
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.nanosecondsSinceEpoch < right.nanosecondsSinceEpoch
    }

    public var secondsSinceEpoch: Int64 {
        let (quotient, remainder) = nanosecondsSinceEpoch.quotientAndRemainder(dividingBy: 1_000_000_000)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// The fraction of a second, 0..<1,000,000,000.
    public var nanoseconds: Int64 {
        let remainder = nanosecondsSinceEpoch % 1_000_000_000
        return remainder < 0 ? remainder + 1_000_000_000 : remainder
    }

    /// The nanoseconds from `earlier` until now, negative where it is later; the nearest number that there is where the
    /// two lie more than 292 years apart, as in bodies of other engines they may.
    public func nanoseconds(since earlier: Timestamp) -> Int64 {
        nanosecondsSinceEpoch.subtractingSaturated(earlier.nanosecondsSinceEpoch)
    }
}

extension Timestamp {
    /// RFC 3339 in UTC with nine digits of fraction, as in docker's json-file: `2026-01-02T03:04:05.000000006Z`.
    public var rfc3339Nano: String { String(decoding: rfc3339NanoBytes, as: UTF8.self) }

    /// The 30 bytes of `rfc3339Nano`.
    public var rfc3339NanoBytes: [UInt8] {
        let seconds = secondsSinceEpoch
        var days = seconds / 86400
        var rest = seconds % 86400
        if rest < 0 { (days, rest) = (days - 1, rest + 86400) }
        let (year, month, day) = civilDate(daysSinceEpoch: days)
        var text: [UInt8] = []
        text.reserveCapacity(30)
        appendDigits(year, width: 4, to: &text)
        text.append(UInt8(ascii: "-"))
        appendDigits(month, width: 2, to: &text)
        text.append(UInt8(ascii: "-"))
        appendDigits(day, width: 2, to: &text)
        text.append(UInt8(ascii: "T"))
        appendDigits(rest / 3600, width: 2, to: &text)
        text.append(UInt8(ascii: ":"))
        appendDigits(rest / 60 % 60, width: 2, to: &text)
        text.append(UInt8(ascii: ":"))
        appendDigits(rest % 60, width: 2, to: &text)
        text.append(UInt8(ascii: "."))
        appendDigits(nanoseconds, width: 9, to: &text)
        text.append(UInt8(ascii: "Z"))
        return text
    }

    /// Reads RFC 3339: any number of fraction digits (nine are kept), `Z` or an offset. Nil for anything else.
    public init?(rfc3339 text: some StringProtocol) {
        var bytes = Array(text.utf8)[...]
        func number(_ width: Int) -> Int64? {
            guard bytes.count >= width else { return nil }
            var value: Int64 = 0
            for byte in bytes.prefix(width) {
                guard byte >= 48, byte <= 57 else { return nil }
                value = value * 10 + Int64(byte - 48)
            }
            bytes = bytes.dropFirst(width)
            return value
        }
        func literal(_ options: [Unicode.Scalar]) -> Bool {
            guard let first = bytes.first, options.contains(where: { UInt8(ascii: $0) == first }) else {
                return false
            }
            bytes = bytes.dropFirst()
            return true
        }
        guard let year = number(4), literal(["-"]), let month = number(2), literal(["-"]), let day = number(2),
            literal(["T", "t", " "]), let hour = number(2), literal([":"]), let minute = number(2), literal([":"]),
            let second = number(2), (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60,
            second <= 60
        else { return nil }
        var fraction: Int64 = 0
        if literal(["."]) {
            var scale: Int64 = 100_000_000
            guard let first = bytes.first, first >= 48, first <= 57 else { return nil }
            while let byte = bytes.first, byte >= 48, byte <= 57 {
                fraction += Int64(byte - 48) * scale
                scale /= 10
                bytes = bytes.dropFirst()
            }
        }
        var offset: Int64 = 0
        if !literal(["Z", "z"]) {
            let negative = bytes.first == UInt8(ascii: "-")
            guard literal(["+", "-"]), let hours = number(2), literal([":"]), let minutes = number(2) else {
                return nil
            }
            offset = (hours * 3600 + minutes * 60) * (negative ? -1 : 1)
        }
        guard bytes.isEmpty else { return nil }
        let days = daysSinceEpoch(year: year, month: month, day: day)
        let seconds = days * 86400 + hour * 3600 + minute * 60 + second - offset
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (total, overflowToo) = whole.addingReportingOverflow(fraction)
        guard !overflow, !overflowToo else { return nil }
        self.init(nanosecondsSinceEpoch: total)
    }
}

private func appendDigits(_ value: Int64, width: Int, to text: inout [UInt8]) {
    var divisor: Int64 = 1
    for _ in 1..<width { divisor *= 10 }
    while divisor > 0 {
        text.append(48 + UInt8(value / divisor % 10))
        divisor /= 10
    }
}

/// Days to proleptic Gregorian date: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
private func civilDate(daysSinceEpoch: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = daysSinceEpoch + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
}

private func daysSinceEpoch(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
}

extension Timestamp: Codable {
    /// As RFC 3339 text, so that stored rows can be read by people.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let value = Timestamp(rfc3339: text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "`\(text)` is not an RFC 3339 time"))
        }
        self = value
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rfc3339Nano)
    }
}
