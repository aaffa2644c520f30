import NIOCore
import Synchronization

/// The server's open connections, for its limit and its end.
final class ConnectionTable: Sendable {
    private struct Entry {
        let channel: any Channel
        let registration: ConnectionRegistration
    }

    private let entries = Mutex<[ObjectIdentifier: Entry]>([:])
    /// Fulfilled when the last connection closes; there while somebody waits for that.
    private let emptied = Mutex<EventLoopPromise<Void>?>(nil)
    private let isStopping = Atomic<Bool>(false)
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    var count: Int { entries.withLock { $0.count } }

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
            guard let self else { return }
            let isEmpty = entries.withLock { entries in
                entries.removeValue(forKey: key)
                return entries.isEmpty
            }
            if isEmpty { emptied.withLock { $0 }?.succeed() }
        }
        return registration
    }

    /// Returns once no connection is open, or the time is over. Connections that come meanwhile are served.
    func waitUntilEmpty(atMost limit: Duration) async {
        let loop = EventLoops.group.next()
        let promise = loop.makePromise(of: Void.self)
        emptied.withLock { $0 = promise }
        // Looked at after the promise stands: a connection that closed in between has fulfilled it.
        if entries.withLock({ $0.isEmpty }) { promise.succeed() }
        let timer = loop.scheduleTask(in: TimeAmount(limit)) { promise.succeed() }
        // A promise that is only ever fulfilled has no error to tell.
        try? await promise.futureResult.value()
        timer.cancel()
        emptied.withLock { $0 = nil }
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
