import NIOCore
import Synchronization

/// The server's open connections, for its limit and its end.
final class ConnectionTable: Sendable {
    private struct Entry {
        let channel: any Channel
        let registration: ConnectionRegistration
    }

    private let entries = Mutex<[ObjectIdentifier: Entry]>([:])
    private let isStopping = Atomic<Bool>(false)
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Takes a connection in until it closes; nil where there are too many, or the server stops.
    func add(_ channel: any Channel) -> ConnectionRegistration? {
        let registration = ConnectionRegistration()
        let key = ObjectIdentifier(channel)
        let isAdded = entries.withLock { entries in
            guard entries.count < limit, !isStopping.load(ordering: .relaxed) else { return false }
            entries[key] = Entry(channel: channel, registration: registration)
            return true
        }
        guard isAdded else { return nil }
        channel.closeFuture.whenComplete { [weak self] _ in
            _ = self?.entries.withLock { $0.removeValue(forKey: key) }
        }
        return registration
    }

    func stop(grace: Duration) async {
        let open = entries.withLock { entries in
            isStopping.store(true, ordering: .relaxed)
            return Array(entries.values)
        }
        let timer = EventLoops.group.next().scheduleTask(in: TimeAmount(grace)) {
            for entry in open { entry.channel.close(promise: nil) }
        }
        for entry in open where entry.registration.stop() { entry.channel.close(promise: nil) }
        for entry in open {
            // However it closed, it is closed.
            try? await entry.channel.closeFuture.value()
        }
        timer.cancel()
    }
}

/// What the table knows of one connection.
final class ConnectionRegistration: Sendable {
    private struct State {
        var isBusy = false
        var isStopping = false
        weak var writer: ResponseWriter?
    }

    private let state = Mutex(State())

    var isStopping: Bool { state.withLock { $0.isStopping } }

    func setBusy(_ isBusy: Bool) { state.withLock { $0.isBusy = isBusy } }

    func setWriter(_ writer: ResponseWriter) { state.withLock { $0.writer = writer } }

    /// Marks the connection's end; true where it can be closed at once.
    func stop() -> Bool {
        state.withLock { state in
            state.isStopping = true
            guard state.isBusy, let writer = state.writer else { return true }
            return !writer.isUnanswered
        }
    }
}
