import EngineAPI

/// How a container's health is checked: what it and its image say, with docker's defaults.
package struct HealthPlan: Hashable, Sendable {
    package let command: [String]
    package let interval: Duration
    package let timeout: Duration
    package let startPeriod: Duration
    package let startInterval: Duration
    package let retries: Int

    /// Nil where nothing is to be checked.
    package init?(_ check: HealthCheck?) {
        guard let check, let kind = check.test.first else { return nil }
        switch kind {
        case "CMD": command = Array(check.test.dropFirst())
        case "CMD-SHELL": command = ["/bin/sh", "-c"] + check.test.dropFirst().prefix(1)
        default: return nil
        }
        guard command.count > (kind == "CMD" ? 0 : 2) else { return nil }
        func given(_ value: Duration?, or standard: Duration) -> Duration {
            value.flatMap { $0 > .zero ? $0 : nil } ?? standard
        }
        interval = given(check.interval, or: .seconds(30))
        timeout = given(check.timeout, or: .seconds(30))
        startPeriod = given(check.startPeriod, or: .zero)
        startInterval = given(check.startInterval, or: .seconds(5))
        retries = check.retries.flatMap { $0 > 0 ? $0 : nil } ?? 3
    }
}

/// A container's health as a value: what is known, and what a check changes of it.
package struct HealthMachine: Hashable, Sendable {
    private static let logLength = 5

    package let plan: HealthPlan
    package private(set) var state: HealthState

    package init(_ plan: HealthPlan, state: HealthState = HealthState()) {
        self.plan = plan
        self.state = state
    }

    /// Of a run that begins.
    ///
    /// - Parameter log: what the checks of the run before have found.
    package init(_ plan: HealthPlan, log: [HealthResult]) {
        self.init(plan)
        state.log = log
    }

    /// How long to wait before the next check.
    package func pause(startedAt: Timestamp, now: Timestamp) -> Duration {
        let isStarting = state.status == .starting && isInStartPeriod(startedAt, now)
        return isStarting ? min(plan.startInterval, plan.interval) : plan.interval
    }

    /// Takes a check's result. True where the status has changed, which others are told.
    package mutating func receive(_ result: HealthResult, startedAt: Timestamp) -> Bool {
        let before = state.status
        if result.exitCode == 0 {
            state.failingStreak = 0
            state.status = .healthy
        } else if state.status != .starting || !isInStartPeriod(startedAt, result.start) {
            state.failingStreak += 1
            if state.failingStreak >= plan.retries { state.status = .unhealthy }
        }
        state.log = (state.log + [result]).suffix(Self.logLength)
        return state.status != before
    }

    private func isInStartPeriod(_ startedAt: Timestamp, _ time: Timestamp) -> Bool {
        let age = time.nanosecondsSinceEpoch - startedAt.nanosecondsSinceEpoch
        return Duration.nanoseconds(age) < plan.startPeriod
    }
}

extension HealthCheck {
    /// A container's word, completed by its image's.
    package static func merged(_ own: HealthCheck?, _ image: HealthCheck?) -> HealthCheck? {
        guard var result = own else { return image }
        guard let image else { return own }
        if result.test.isEmpty { result.test = image.test }
        result.interval = result.interval ?? image.interval
        result.timeout = result.timeout ?? image.timeout
        result.startPeriod = result.startPeriod ?? image.startPeriod
        result.startInterval = result.startInterval ?? image.startInterval
        result.retries = result.retries ?? image.retries
        return result
    }
}
