import EngineAPI

/// How far back a log is read.
enum LogReach: Hashable, Sendable {
    /// The newest lines, so many of each container.
    case newest
    case whole
    case minutes(Int)

    /// As k9s offers them.
    static let choices: [LogReach] = [
        .newest, .whole, .minutes(1), .minutes(5), .minutes(15), .minutes(30), .minutes(60), .minutes(360),
        .minutes(1440),
    ]

    var label: String {
        switch self {
        case .newest: "newest \(LogSource.firstTail) lines"
        case .whole: "whole log"
        case .minutes(let count) where count >= 60: count == 60 ? "last hour" : "last \(count / 60) hours"
        case .minutes(let count): count == 1 ? "last minute" : "last \(count) minutes"
        }
    }

    func start(_ now: Timestamp) -> Timestamp? {
        guard case .minutes(let count) = self else { return nil }
        return Timestamp(nanosecondsSinceEpoch: now.nanosecondsSinceEpoch - Int64(count) * 60_000_000_000)
    }
}
