import Synchronization

/// Closes sockets whose time is over, so that who reads from them learns of it.
///
/// One task for all, and none while no deadline stands. A sleep for each would keep its timer long after it was
/// cancelled, and nearly all are lifted within a millisecond.
package final class SocketDeadlines: Sendable {
    package static let shared = SocketDeadlines()

    private struct State {
        var next: UInt64 = 0
        var standing: [UInt64: (due: ContinuousClock.Instant, socket: AsyncSocket)] = [:]
        var watcher: Task<Void, Never>?
    }

    private let state = Mutex(State())
    /// How late a socket may be closed.
    private static let round = Duration.milliseconds(50)

    package init() {}

    /// Closes the socket after that time and at most 50 ms more, unless it is lifted before.
    package func close(_ socket: AsyncSocket, in time: Duration) -> UInt64 {
        state.withLock { state in
            state.next += 1
            state.standing[state.next] = (.now + time, socket)
            if state.watcher == nil { state.watcher = Task { await watch() } }
            return state.next
        }
    }

    /// - Parameter deadline: as `close` gave it.
    /// - Returns: false where it was over already, or lifted before.
    @discardableResult package func lift(_ deadline: UInt64) -> Bool {
        state.withLock { $0.standing.removeValue(forKey: deadline) != nil }
    }

    /// Whether it waits for anything.
    package var isIdle: Bool { state.withLock { $0.watcher == nil } }

    private func watch() async {
        while goesOn() {
            // Cancelled by nobody.
            try? await Task.sleep(for: Self.round)
        }
    }

    /// Closes what is due; false, and this task is forgotten, where nothing stands any more.
    private func goesOn() -> Bool {
        let (due, goesOn) = state.withLock { state in
            let now = ContinuousClock.now
            let due = state.standing.filter { $0.value.due <= now }
            for number in due.keys { state.standing.removeValue(forKey: number) }
            if state.standing.isEmpty { state.watcher = nil }
            return (due.values.map(\.socket), state.watcher != nil)
        }
        for socket in due { socket.close() }
        return goesOn
    }
}
