import Synchronization

/// What would be lost to clients if their server ended now: requests that change or carry something, and sessions that
/// the client cannot take up at the next one.
///
/// Who only looks on, or waits, asks the next server; that is not counted.
package final class PendingWork: Sendable {
    private struct State {
        var count = 0
        var isEnding = false
    }

    /// What is pending until it is ended, or dropped.
    final class Piece: Sendable {
        private let work: PendingWork
        private let isOver = Atomic(false)

        fileprivate init(of work: PendingWork) { self.work = work }

        deinit { end() }

        func end() {
            if !isOver.exchange(true, ordering: .relaxed) { work.state.withLock { $0.count -= 1 } }
        }
    }

    private let state = Mutex(State())

    package init() {}

    package var count: Int { state.withLock { $0.count } }

    /// Whether connections are cut from this side: a client that is gone has not left then.
    var isEnding: Bool { state.withLock { $0.isEnding } }

    func end() { state.withLock { $0.isEnding = true } }

    func begin() -> Piece {
        state.withLock { $0.count += 1 }
        return Piece(of: self)
    }

    func during<Value>(_ body: () async throws -> Value) async rethrows -> Value {
        let piece = begin()
        defer { piece.end() }
        return try await body()
    }

    /// Returns once there is none, or when the calling task is cancelled.
    package func waitUntilNone() async {
        while count > 0 {
            // Looked at now and then: a process waits so once, at its end, for what takes seconds and more.
            guard (try? await Task.sleep(for: .milliseconds(50))) != nil else { return }
        }
    }
}
