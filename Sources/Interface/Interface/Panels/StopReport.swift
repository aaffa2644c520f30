import EngineAPI

/// Why a container does not run, in words: the first question after every crash.
struct StopReport {
    private(set) var lines: [(text: String, role: Role)] = []

    /// - Parameter details: of this container, where they have come already.
    init(_ container: ContainerSummary, _ details: ContainerDetails?, at now: Timestamp) {
        let details = details?.id == container.id ? details : nil
        let state = details?.state ?? container.state
        add(Self.verdict(state), state.status == .exited && state.exitCode == 0 ? .text : .stateFailed)
        add(state.error, .error)
        if let started = state.startedAt, let finished = state.finishedAt, started < finished {
            let ran = Quantity.age(since: started, at: finished)
            add("ran \(ran), ended \(Quantity.age(since: finished, at: now)) ago", .text)
        }
        guard let details else { return }
        add(Self.restarts(details), .muted)
        if let check = details.state.health?.log.last, check.exitCode != 0 {
            add("last health check (\(check.exitCode)): \(check.output)", .warning)
        }
        add("command: " + details.arguments.joined(separator: " "), .muted)
    }

    /// What the health checks of one that runs complain of; nil where they do not.
    static func illness(_ state: ContainerState) -> String? {
        guard state.isAlive, let health = state.health else { return nil }
        let count = health.failingStreak
        guard health.status == .unhealthy || count > 0 else { return nil }
        let failures = count == 1 ? "1 check failed" : "\(count) checks failed"
        let words = health.status == .unhealthy ? ["unhealthy"] + (count > 0 ? [failures] : []) : [failures]
        let last = health.log.last { $0.exitCode != 0 }
        let output = last?.output.split(whereSeparator: \.isNewline).joined(separator: " ") ?? ""
        return words.joined(separator: ", ") + (output.isEmpty ? "" : ": \(output)")
    }

    private mutating func add(_ text: String, _ role: Role) {
        if !text.isEmpty { lines.append((text, role)) }
    }

    private static func verdict(_ state: ContainerState) -> String {
        switch state.status {
        case .created: state.error.isEmpty ? "created, not started" : "could not be started"
        case .exited, .dead: "exited \(ExitWords.describe(state))"
        case .restarting: "exited \(ExitWords.describe(state)), is started again"
        default: state.status.rawValue
        }
    }

    private static func restarts(_ details: ContainerDetails) -> String {
        let policy = details.spec.restartPolicy
        guard policy.kind != .no else { return "not restarted by itself" }
        let limit = policy.maximumRetries > 0 ? " (at most \(policy.maximumRetries))" : ""
        return "restart \(policy.kind.rawValue)\(limit), done \(details.restartCount)×"
    }
}
