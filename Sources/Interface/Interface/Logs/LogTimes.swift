import EngineAPI

/// What is told of when the lines of a log were written.
enum LogTimes: String, Hashable, Sendable {
    case none = "no"
    /// By a clock.
    case clock = "yes"
    /// How long ago.
    case age = "ago"
}

extension LogScreen {
    var showsTimes: Bool { times != .none }

    /// Times of the user's own zone, then of UTC, by which servers speak, then how long ago, then none.
    mutating func showTimes(nextAfter own: WallClock, at now: Timestamp) {
        let hasUTC = own.zone(at: now) != WallClock.utc.zone(at: now)
        let shown = (times, wall)
        wall = own
        switch shown {
        case (.none, _): times = .clock
        case (.clock, own) where hasUTC: wall = .utc
        case (.clock, _): times = .age
        case (.age, _): times = .none
        }
    }

    /// What stands before a line; nothing where times are not shown. Said once of a line that is shown in pieces.
    func timeText(of line: LogLine, at now: Timestamp) -> String {
        let text =
            switch times {
            case .none: ""
            case .clock: wall.dateAndTime(line.time) + " "
            case .age: Quantity.right("\(Quantity.age(since: line.time, at: now)) ago", 8) + " "
            }
        return line.isContinuation || !line.isTimed ? String(repeating: " ", count: text.count) : text
    }

    /// How often the ages change that are shown; nil where none are.
    func ageInterval(at now: Timestamp) -> Duration? {
        guard times == .age, let last = lines.last else { return nil }
        return now.secondsSinceEpoch - last.time.secondsSinceEpoch < 120 ? .seconds(1) : .seconds(30)
    }
}
