import EngineAPI

/// When a container is started again after its end: docker's policies, with its growing pauses and its memory of a
/// stop by hand.
package struct RestartPlan: Hashable, Sendable {
    private static let shortestPause = Duration.milliseconds(100)
    private static let longestPause = Duration.seconds(60)
    /// Who ran so long had started well: the pauses begin anew.
    private static let goodRun: Int64 = 10_000_000_000

    package var policy: RestartPolicy
    /// How often it was started again since somebody started it.
    package private(set) var count: Int
    /// Somebody stopped it: the policy has no say before somebody starts it.
    package private(set) var isStoppedByHand: Bool
    /// It is to be started again after this pause.
    package private(set) var pending: Duration?
    private var pause = Duration.zero

    package init(_ policy: RestartPolicy = RestartPolicy(), count: Int = 0, isStoppedByHand: Bool = false) {
        self.policy = policy
        self.count = count
        self.isStoppedByHand = isStoppedByHand
    }

    /// Somebody starts it: all that was is forgotten.
    mutating func startByHand() { self = RestartPlan(policy) }

    /// Somebody ends it. True where that must be remembered and was not yet.
    mutating func stopByHand() -> Bool {
        pending = nil
        defer { isStoppedByHand = true }
        return policy.kind != .no && !isStoppedByHand
    }

    /// It has ended by itself: decides whether it is to be started again.
    mutating func end(_ rest: LifecycleMachine.Rest) {
        if let from = rest.startedAt, let to = rest.finishedAt,
            to.nanosecondsSinceEpoch - from.nanosecondsSinceEpoch >= Self.goodRun
        {
            pause = .zero
        }
        planRestart(exitCode: rest.exitCode)
    }

    /// The start that was pending failed. What was in its way may go: another follows after a longer pause, however well
    /// the last run went. docker's engine leaves it at that; nobody would start the container any more.
    mutating func failStart(exitCode: Int32) {
        if pending != nil { planRestart(exitCode: exitCode) }
    }

    private mutating func planRestart(exitCode: Int32) {
        guard !isStoppedByHand, wantsRestart(exitCode) else {
            pending = nil
            return
        }
        pause = pause == .zero ? Self.shortestPause : min(pause * 2, Self.longestPause)
        count += 1
        pending = pause
    }

    /// The start that was pending came to something, or is no longer wanted.
    mutating func settle() { pending = nil }

    /// A start is due, as a former engine went before it, or with the machine: a stop by hand of before has no say any more.
    mutating func resume() {
        isStoppedByHand = false
        pending = .zero
    }

    /// Whether a container that is at rest starts when the machine does.
    func startsWithMachine(exitCode: Int32) -> Bool {
        switch policy.kind {
        case .always: true
        case .no: false
        case .unlessStopped, .onFailure: !isStoppedByHand && wantsRestart(exitCode)
        }
    }

    private func wantsRestart(_ exitCode: Int32) -> Bool {
        switch policy.kind {
        case .no: false
        case .always, .unlessStopped: true
        case .onFailure: exitCode != 0 && (policy.maximumRetries == 0 || count < policy.maximumRetries)
        }
    }
}
