import EngineAPI

/// The `Status` of a container list: `Up 2 minutes`, `Exited (0) 3 seconds ago`, `Created`.
package enum StatusText {
    package static func text(_ state: ContainerState, now: Timestamp) -> String {
        switch state.status {
        case .running: "Up \(age(since: state.startedAt, now))" + health(state.health)
        case .paused: "Up \(age(since: state.startedAt, now)) (Paused)"
        case .restarting: "Restarting (\(state.exitCode)) \(age(since: state.finishedAt, now)) ago"
        case .exited:
            // A container that failed to start has never finished.
            state.finishedAt == nil ? "Created" : "Exited (\(state.exitCode)) \(age(since: state.finishedAt, now)) ago"
        case .created: "Created"
        case .removing: "Removal In Progress"
        case .dead: "Dead"
        }
    }

    private static func health(_ health: HealthState?) -> String {
        switch health?.status {
        case nil, .some(.none): ""
        case .starting: " (health: starting)"
        case .healthy: " (healthy)"
        case .unhealthy: " (unhealthy)"
        }
    }

    private static func age(since time: Timestamp?, _ now: Timestamp) -> String {
        guard let time else { return "Less than a second" }
        return age(seconds: max(0, now.nanoseconds(since: time)) / 1_000_000_000)
    }

    /// When the text is another one at the earliest, if nothing happens: its words grow coarser, and change more seldom.
    /// Nil where it tells of no length of time.
    static func nextChange(_ state: ContainerState, now: Timestamp) -> Timestamp? {
        let began: Timestamp? =
            switch state.status {
            case .running, .paused: state.startedAt
            case .restarting, .exited: state.finishedAt
            case .created, .removing, .dead: nil
            }
        guard let began else { return nil }
        let age = max(0, now.nanoseconds(since: began))
        let second: Int64 = 1_000_000_000
        // From an hour on it is rounded, and each number of hours begins at its half.
        let step = second * (age < 60 * second ? 1 : age < 3600 * second ? 60 : 1800)
        return now.before(by: age % step - step)
    }

    /// A length of time in docker's coarse words; rounded as docker rounds.
    package static func age(seconds: Int64) -> String {
        let hours = (Double(seconds) / 3600).rounded(.toNearestOrAwayFromZero)
        switch seconds {
        case ..<1: return "Less than a second"
        case 1: return "1 second"
        case ..<60: return "\(seconds) seconds"
        case ..<120: return "About a minute"
        case ..<3600: return "\(seconds / 60) minutes"
        default: break
        }
        let count = Int64(hours)
        switch count {
        case 1: return "About an hour"
        case ..<48: return "\(count) hours"
        case ..<(24 * 7 * 2): return "\(count / 24) days"
        case ..<(24 * 30 * 2): return "\(count / 24 / 7) weeks"
        case ..<(24 * 365 * 2): return "\(count / 24 / 30) months"
        default: return "\(seconds / 3600 / 24 / 365) years"
        }
    }

    /// The exit code inside `Exited (3) …` or `Restarting (1) …`.
    static func exitCode(_ text: String) -> Int32? {
        guard let open = text.firstIndex(of: "("), let close = text.firstIndex(of: ")"), open < close else {
            return nil
        }
        return Int32(text[text.index(after: open)..<close])
    }
}
