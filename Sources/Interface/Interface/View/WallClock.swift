import EngineAPI

/// The clock by which moments are told to people: their own.
enum WallClock: Hashable, Sendable {
    /// By the zone of `TZ` or /etc/localtime, and by its rules of the moment's own day.
    case local
    /// As far ahead of UTC all year long.
    case fixed(secondsAhead: Int64)

    static let utc = WallClock.fixed(secondsAhead: 0)

    /// `2026-01-02 03:04:05.678`
    func dateAndTime(_ moment: Timestamp) -> String { text(moment, 0..<10) + " " + text(moment, 11..<23) }

    /// `2026-01-02 03:04`
    func dateAndMinute(_ moment: Timestamp) -> String { text(moment, 0..<10) + " " + text(moment, 11..<16) }

    /// `03:04:05`; of another day than today's `01-02 03:04:05`.
    func time(_ moment: Timestamp, today now: Timestamp) -> String {
        (isSameDay(moment, now) ? "" : text(moment, 5..<10) + " ") + text(moment, 11..<19)
    }

    /// `20260102T030405`, for names of files.
    func stamp(_ moment: Timestamp) -> String { text(moment, 0..<19).filter { $0 != ":" && $0 != "-" } }

    /// RFC 3339, which says the same moment to everybody: `2026-01-02T03:04:05.678+01:00`.
    func rfc3339(_ moment: Timestamp) -> String {
        let ahead = secondsAhead(at: moment)
        guard ahead != 0 else { return text(moment, 0..<23) + "Z" }
        return text(moment, 0..<23) + (ahead < 0 ? "-" : "+") + Self.digits(abs(ahead) / 3600) + ":"
            + Self.digits(abs(ahead) / 60 % 60)
    }

    /// What is said of times that do not say it themselves: `UTC`, `UTC+1`, `UTC-3:30`.
    func zone(at moment: Timestamp) -> String {
        let ahead = secondsAhead(at: moment)
        guard ahead != 0 else { return "UTC" }
        let minutes = abs(ahead) / 60 % 60
        let rest = minutes > 0 ? ":" + Self.digits(minutes) : ""
        return "UTC" + (ahead < 0 ? "-" : "+") + "\(abs(ahead) / 3600)" + rest
    }

    func isSameDay(_ one: Timestamp, _ other: Timestamp) -> Bool { text(one, 0..<10) == text(other, 0..<10) }

    private func secondsAhead(at moment: Timestamp) -> Int64 {
        switch self {
        case .local: moment.secondsWallClockIsAhead
        case .fixed(let seconds): seconds
        }
    }

    /// A part of what `rfc3339Nano` would be were this clock UTC's.
    private func text(_ moment: Timestamp, _ part: Range<Int>) -> String {
        let shown = moment.before(by: secondsAhead(at: moment).multipliedSaturated(by: -1_000_000_000))
        return String(decoding: shown.rfc3339NanoBytes[part], as: UTF8.self)
    }

    private static func digits(_ number: Int64) -> String { (number < 10 ? "0" : "") + "\(number)" }
}
