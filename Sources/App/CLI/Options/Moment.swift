import DockerAPI
import EngineAPI
import Linux
import OCI

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
        guard let ago = GoDuration.nanoseconds(text) else {
            throw UsageError(
                message: "invalid value for \"\(option)\": failed to parse value as time or duration: \"\(text)\"",
                code: 1)
        }
        return now.before(by: ago)
    }
}
