import Synchronization

/// Gives memory that requests have left in the heap back to the kernel, once none has come for a while.
///
/// A thousand clients that come at once leave behind as much again as they go on to need. Between requests nothing runs.
final class HeapTrimming: Sendable {
    private struct State {
        var requestCount = 0
        var task: Task<Void, Never>?
    }

    private let state = Mutex(State())
    private let quietTime: Duration
    private let clock: any Clock<Duration>
    private let trim: @Sendable () -> Void

    /// - Parameter trim: gives back what can be spared.
    init(
        after quietTime: Duration = .seconds(2), clock: any Clock<Duration> = ContinuousClock(),
        trim: @escaping @Sendable () -> Void
    ) {
        self.quietTime = quietTime
        self.clock = clock
        self.trim = trim
    }

    deinit { state.withLock { $0.task }?.cancel() }

    /// A request was served.
    func noteRequest() {
        state.withLock { state in
            state.requestCount += 1
            guard state.task == nil else { return }
            let (quietTime, clock) = (quietTime, clock)
            state.task = Task { [weak self] in
                while let count = self?.state.withLock({ $0.requestCount }) {
                    // Cancelled with its owner, which is gone then.
                    try? await clock.sleep(for: quietTime)
                    if self?.trimUnlessMore(than: count) ?? true { return }
                }
            }
        }
    }

    private func trimUnlessMore(than count: Int) -> Bool {
        let isQuiet = state.withLock { state in
            guard state.requestCount == count else { return false }
            state.task = nil
            return true
        }
        if isQuiet { trim() }
        return isQuiet
    }
}
