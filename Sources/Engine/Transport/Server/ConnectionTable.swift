import NIOCore
import Synchronization

/// The server's open connections, for its limit and its end.
final class ConnectionTable: Sendable {
    private let entries = Mutex<[ObjectIdentifier: ConnectionRegistration]>([:])
    /// Fulfilled when the last connection closes; there while somebody waits for that.
    private let emptied = Mutex<EventLoopPromise<Void>?>(nil)
    private let isStopping = Atomic<Bool>(false)
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    var count: Int { entries.withLock { $0.count } }

    /// Takes a connection in until it closes; nil where there are too many, or the server stops.
    func add(_ channel: any Channel) -> ConnectionRegistration? {
        let registration = ConnectionRegistration(channel) { [weak self] in self?.remove($0) }
        let isAdded = entries.withLock { entries in
            guard entries.count < limit, !isStopping.load(ordering: .relaxed) else { return false }
            entries[ObjectIdentifier(registration)] = registration
            return true
        }
        guard isAdded else { return nil }
        channel.closeFuture.whenComplete { _ in registration.channelClosed() }
        return registration
    }

    private func remove(_ registration: ConnectionRegistration) {
        let isEmpty = entries.withLock { entries in
            entries.removeValue(forKey: ObjectIdentifier(registration))
            return entries.isEmpty
        }
        if isEmpty { emptied.withLock { $0 }?.succeed() }
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
            for connection in open { connection.close() }
        }
        for connection in open where connection.stop() { connection.close() }
        for connection in open { await connection.waitUntilClosed() }
        timer.cancel()
    }
}

/// What the table knows of one connection.
final class ConnectionRegistration: Sendable {
    /// What the connection's bytes pass through.
    private enum Carrier {
        case channel(any Channel)
        /// The channel has given it up.
        case wire(SocketWire)
        case none
    }

    private struct State {
        var carrier: Carrier
        var isBusy = false
        var isStopping = false
        weak var writer: ResponseWriter?
    }

    private let state: Mutex<State>
    private let whenEnded: @Sendable (ConnectionRegistration) -> Void

    init(_ channel: any Channel, whenEnded: @escaping @Sendable (ConnectionRegistration) -> Void) {
        state = Mutex(State(carrier: .channel(channel)))
        self.whenEnded = whenEnded
    }

    var isStopping: Bool { state.withLock { $0.isStopping } }

    func setBusy(_ isBusy: Bool) { state.withLock { $0.isBusy = isBusy } }

    func setWriter(_ writer: ResponseWriter) { state.withLock { $0.writer = writer } }

    /// The connection is another's than its channel's from here on, until `end`; false, and it is not, where it is to end.
    func goOn(by wire: SocketWire) -> Bool {
        state.withLock { state in
            guard !state.isStopping, case .channel = state.carrier else { return false }
            state.carrier = .wire(wire)
            return true
        }
    }

    func channelClosed() {
        let isOver = state.withLock { state in
            if case .channel = state.carrier { true } else { false }
        }
        if isOver { end() }
    }

    /// It is closed.
    func end() {
        state.withLock { $0.carrier = .none }
        whenEnded(self)
    }

    /// Marks the connection's end; true where it can be closed at once.
    func stop() -> Bool {
        state.withLock { state in
            state.isStopping = true
            guard state.isBusy, let writer = state.writer else { return true }
            return !writer.isUnanswered
        }
    }

    func close() {
        switch state.withLock({ $0.carrier }) {
        case .channel(let channel): channel.close(promise: nil)
        case .wire(let wire): wire.abandon()
        case .none: break
        }
    }

    /// After `stop`: no wire takes a channel's place any more.
    func waitUntilClosed() async {
        guard case .channel(let channel) = state.withLock({ $0.carrier }) else { return }
        // However it closed, it is closed.
        try? await channel.closeFuture.value()
    }
}
