import DockerAPI
import EngineAPI

/// A point in time as docker's options give it.
enum Moment {
    /// `2026-01-02T15:04:05Z` and less of it down to `2026-01-02`, with a zone or by the clock on this machine's wall;
    /// seconds since the epoch with a fraction; or so long ago: `1h30m`.
    ///
    /// - Parameter wallClock: the moment at which the clock on the wall shows what UTC's shows at the one given.
    static func parse(
        _ text: String?, _ option: String, now: Timestamp = .now(),
        wallClock: (Timestamp) -> Timestamp = { $0.asWallClock }
    ) throws -> Timestamp? {
        guard let text else { return nil }
        if let time = WireTime.moment(text, now: now, wallClock: wallClock) { return time }
        throw UsageError(
            message: "invalid value for \"\(option)\": failed to parse value as time or duration: \"\(text)\"",
            code: 1)
    }
}
