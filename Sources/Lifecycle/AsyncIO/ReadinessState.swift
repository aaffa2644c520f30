import Glibc
import Linux
import Synchronization

/// Who waits for one descriptor. The reactor's thread fires it, tasks wait in it, anybody may close it.
final class ReadinessState: Sendable {
    enum Direction { case reading, writing }

    /// One wait. The flag is set before the lock is taken, so that a cancellation is seen either here, by the
    /// waiting task that has not yet entered, or there, by the canceller that finds it entered.
    private final class Ticket: Sendable {
        let isCancelled = Atomic(false)
    }

    private struct Waiter {
        let ticket: Ticket
        let continuation: CheckedContinuation<KernelError?, Never>
    }

    private struct State {
        var isClosed = false
        var reader: Waiter?
        var writer: Waiter?
        /// Called once, when the other side is gone.
        var onHangUp: (@Sendable () -> Void)?

        subscript(direction: Direction) -> Waiter? {
            get { direction == .reading ? reader : writer }
            set { if direction == .reading { reader = newValue } else { writer = newValue } }
        }

        /// The kernel is to tell of something: of a hang-up it does in any case.
        var isWatched: Bool { reader != nil || writer != nil || onHangUp != nil }

        var interest: EpollEvents {
            var events: EpollEvents = .oneShot
            if reader != nil { events.formUnion([.readable, .peerClosed]) }
            if writer != nil { events.insert(.writable) }
            return events
        }
    }

    let token: UInt64
    private let descriptor: Descriptor
    private let epoll: Epoll
    private let state = Mutex(State())

    init(descriptor: Descriptor, token: UInt64, epoll: Epoll) {
        self.descriptor = descriptor
        self.token = token
        self.epoll = epoll
    }

    func wait(_ direction: Direction) async throws(KernelError) {
        let ticket = Ticket()
        let failure = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                enter(direction, Waiter(ticket: ticket, continuation: continuation))
            }
        } onCancel: {
            cancel(direction, ticket)
        }
        if let failure { throw failure }
    }

    func withDescriptor<Value>(
        _ body: (Descriptor) throws(KernelError) -> Value
    ) throws(KernelError) -> Value {
        try state.withLock { state throws(KernelError) in
            guard !state.isClosed else { throw failed(EBADF) }
            return try body(descriptor)
        }
    }

    /// Calls `body` once the other side has closed both directions, whether or not anybody waits; never after `close`.
    func whenHungUp(_ body: @escaping @Sendable () -> Void) throws(KernelError) {
        let failure = state.withLock { state -> KernelError? in
            if state.isClosed { return failed(EBADF) }
            state.onHangUp = body
            return arm(&state)
        }
        if let failure { throw failure }
    }

    /// Wakes who waited for one of `events`; an error or a hang-up is everybody's.
    func fire(_ events: EpollEvents) {
        let (reader, writer, onHangUp) = state.withLock { state in
            var woken: (Waiter?, Waiter?, (@Sendable () -> Void)?) = (nil, nil, nil)
            let isOver = !events.isDisjoint(with: [.error, .hangUp])
            if isOver || !events.isDisjoint(with: [.readable, .peerClosed]) { swap(&woken.0, &state.reader) }
            if isOver || events.contains(.writable) { swap(&woken.1, &state.writer) }
            if isOver { swap(&woken.2, &state.onHangUp) }
            if state.isWatched, let failure = arm(&state) {
                preconditionFailure("an open descriptor cannot be watched again: \(failure)")
            }
            return woken
        }
        // Before who reads goes on: it is to see both.
        onHangUp?()
        reader?.continuation.resume(returning: nil)
        writer?.continuation.resume(returning: nil)
    }

    func close() {
        let waiters = state.withLock { state -> [Waiter] in
            guard !state.isClosed else { return [] }
            let waiters = [state.reader, state.writer].compactMap { $0 }
            state = State(isClosed: true)
            // By hand, for a duplicate of a descriptor that stays open would stay in the set, and its number with it.
            // It is in the set: an error has nothing to tell.
            try? epoll.remove(descriptor)
            descriptor.close()
            return waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: failed(EBADF)) }
    }

    private func enter(_ direction: Direction, _ waiter: Waiter) {
        let failure = state.withLock { state -> KernelError? in
            if state.isClosed { return failed(EBADF) }
            if waiter.ticket.isCancelled.load(ordering: .acquiring) { return failed(ECANCELED) }
            if state[direction] != nil { return failed(EBUSY) }
            state[direction] = waiter
            let failure = arm(&state)
            if failure != nil { state[direction] = nil }
            return failure
        }
        if let failure { waiter.continuation.resume(returning: failure) }
    }

    private func cancel(_ direction: Direction, _ ticket: Ticket) {
        ticket.isCancelled.store(true, ordering: .releasing)
        let waiter = state.withLock { state -> Waiter? in
            guard let waiter = state[direction], waiter.ticket === ticket else { return nil }
            state[direction] = nil
            return waiter
        }
        waiter?.continuation.resume(returning: failed(ECANCELED))
    }

    private func arm(_ state: inout State) -> KernelError? {
        do throws(KernelError) {
            try epoll.modify(descriptor, state.interest, token: token)
            return nil
        } catch { return error }
    }

    private func failed(_ number: Int32) -> KernelError {
        KernelError("wait for a descriptor", "", Errno(rawValue: number))
    }
}
