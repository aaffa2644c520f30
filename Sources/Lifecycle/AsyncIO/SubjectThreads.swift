import Synchronization

/// Threads for looking into file systems that others serve, such as what is mounted in a container: where a server has
/// gone, a call on its files lasts until that comes back, and nobody can end it.
///
/// Each piece of work has a thread of its own, so that nothing else waits behind it. Of one subject, which is what the
/// files belong to, few run at once; further ones wait in order, and too many are refused.
package final class SubjectThreads: Sendable {
    /// The process's, for everything that is of this kind.
    package static let shared = SubjectThreads(limit: 8, waitingLimit: 256)

    private struct Subject {
        var running = 0
        var waiting: [(ticket: UInt64, continuation: CheckedContinuation<Bool, Never>)] = []
    }

    private struct State {
        var subjects: [String: Subject] = [:]
        var lastTicket: UInt64 = 0
    }

    private let limit: Int
    private let waitingLimit: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: how much of one subject's work runs at once.
    ///   - waitingLimit: how much more of it may wait.
    package init(limit: Int, waitingLimit: Int) {
        self.limit = limit
        self.waitingLimit = waitingLimit
    }

    /// Runs `body` on a thread of its own and gives its result. Work that has begun is not interrupted when the calling
    /// task is cancelled; work that waits is not begun.
    ///
    /// - Returns: nil where it was not begun: too much of this subject waits already, the task was cancelled, or the system
    ///   has no thread left.
    package func run<Value: Sendable>(
        for subject: String, _ body: @escaping @Sendable () -> Value
    ) async -> Value? {
        guard await enter(subject) else { return nil }
        return await withCheckedContinuation { (continuation: CheckedContinuation<Value?, Never>) in
            let isStarted = startThread { [self] in
                let value = body()
                leave(subject)
                continuation.resume(returning: value)
            }
            guard !isStarted else { return }
            leave(subject)
            continuation.resume(returning: nil)
        }
    }

    /// How much of a subject's work is not begun yet.
    func waitingCount(for subject: String) -> Int { state.withLock { $0.subjects[subject]?.waiting.count ?? 0 } }

    private func enter(_ subject: String) async -> Bool {
        let ticket = state.withLock { state in
            state.lastTicket += 1
            return state.lastTicket
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mayRun = state.withLock { state -> Bool? in
                    var entry = state.subjects[subject] ?? Subject()
                    defer { state.subjects[subject] = entry }
                    if entry.running < limit {
                        entry.running += 1
                        return true
                    }
                    // A task that is cancelled from here on finds its ticket among those that wait.
                    guard entry.waiting.count < waitingLimit, !Task.isCancelled else { return false }
                    entry.waiting.append((ticket, continuation))
                    return nil
                }
                if let mayRun { continuation.resume(returning: mayRun) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> CheckedContinuation<Bool, Never>? in
                guard let place = state.subjects[subject]?.waiting.firstIndex(where: { $0.ticket == ticket })
                else { return nil }
                return state.subjects[subject]?.waiting.remove(at: place).continuation
            }
            waiter?.resume(returning: false)
        }
    }

    private func leave(_ subject: String) {
        let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard var entry = state.subjects[subject] else { return nil }
            if !entry.waiting.isEmpty {
                // Who waited longest takes the place over.
                let next = entry.waiting.removeFirst().continuation
                state.subjects[subject] = entry
                return next
            }
            entry.running -= 1
            state.subjects[subject] = entry.running == 0 ? nil : entry
            return nil
        }
        next?.resume(returning: true)
    }
}
