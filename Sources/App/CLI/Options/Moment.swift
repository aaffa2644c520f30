import DockerAPI
import EngineAPI
import Glibc
import Linux
import OCI

/// A point in time as docker's options give it.
enum Moment {
    /// `2026-01-02T15:04:05Z` and less of it down to `2026-01-02`, with a zone or by the clock on this machine's wall;
    /// seconds since the epoch with a fraction; or so long ago: `1h30m`.
    ///
    /// - Parameter wallClock: the moment at which the clock on the wall shows what UTC's shows at the one given.
    static func parse(
        _ text: String?, _ option: String, now: Timestamp = .now(), wallClock: (Timestamp) -> Timestamp = local
    ) throws -> Timestamp? {
        guard let text else { return nil }
        if let time = calendar(text, wallClock) ?? WireTime.parameter(text) { return time }
        guard let ago = GoDuration.nanoseconds(text) else {
            throw UsageError(
                message: "invalid value for \"\(option)\": failed to parse value as time or duration: \"\(text)\"",
                code: 1)
        }
        return now.before(by: ago)
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

    /// mktime(3), by the zone of `TZ` or /etc/localtime, and by its rules of that day.
    private static func local(_ time: Timestamp) -> Timestamp {
        var seconds = time_t(time.secondsSinceEpoch)
        var fields = tm()
        gmtime_r(&seconds, &fields)
        fields.tm_isdst = -1
        let shift = (Int64(mktime(&fields)) - time.secondsSinceEpoch) * 1_000_000_000
        return Timestamp(nanosecondsSinceEpoch: time.nanosecondsSinceEpoch.addingSaturated(shift))
    }
}
