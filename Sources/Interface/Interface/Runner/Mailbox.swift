import Glibc
import Synchronization

/// Messages from tasks to the main loop. Posting wakes the loop through a descriptor that it polls beside the terminal.
///
/// Bounded: streams deliver with `deliver`, which waits while the loop is behind, so that a flood of output holds its
/// sender back and not the memory. Answers to single calls are posted at once; there are never more than calls.
final class Mailbox: Sendable {
    private struct State {
        var messages: [Message] = []
        var waiting: [CheckedContinuation<Void, Never>] = []
        var isClosed = false
    }

    /// Streams wait above this.
    static let capacity = 128

    private let state = Mutex(State())
    /// Readable while there are messages.
    let wakeDescriptor: Int32
    private let signalDescriptor: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        // Without descriptors left there is no front end to wake; the loop then sees messages at its next tick.
        _ = socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends)
        (wakeDescriptor, signalDescriptor) = (ends[0], ends[1])
    }

    deinit {
        _ = Glibc.close(wakeDescriptor)
        _ = Glibc.close(signalDescriptor)
    }

    /// Adds a message without waiting.
    ///
    /// - Parameter isUrgent: before all others: an answer that the next question waits for, where a flood of what is not
    ///   asked for would keep it for longer than it is of use.
    func post(_ message: Message, isUrgent: Bool = false) {
        let wasEmpty = state.withLock { state in
            guard !state.isClosed else { return false }
            state.messages.insert(message, at: isUrgent ? 0 : state.messages.count)
            return state.messages.count == 1
        }
        if wasEmpty { signal() }
    }

    /// Adds a message of a stream, once there is room.
    func deliver(_ message: Message) async {
        await withCheckedContinuation { continuation in
            let hasRoom = state.withLock { state in
                guard !state.isClosed, state.messages.count >= Self.capacity else { return true }
                state.waiting.append(continuation)
                return false
            }
            if hasRoom { continuation.resume() }
        }
        post(message)
    }

    /// The messages so far, at most `limit`, oldest first. The rest keeps the descriptor readable.
    func take(limit: Int) -> [Message] {
        drainSignals()
        let (taken, waiting, rest) = state.withLock { state in
            let taken = Array(state.messages.prefix(limit))
            state.messages.removeFirst(taken.count)
            let waiting = state.messages.count < Self.capacity ? state.waiting : []
            if !waiting.isEmpty { state.waiting = [] }
            return (taken, waiting, !state.messages.isEmpty)
        }
        for continuation in waiting { continuation.resume() }
        if rest { signal() }
        return taken
    }

    /// Lets everybody go who waits; what comes later is dropped.
    func close() {
        let waiting = state.withLock { state in
            defer { (state.waiting, state.messages, state.isClosed) = ([], [], true) }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    private func signal() {
        var byte: UInt8 = 1
        // A full socket is readable already.
        _ = write(signalDescriptor, &byte, 1)
    }

    private func drainSignals() {
        var bytes: (UInt64, UInt64) = (0, 0)
        while read(wakeDescriptor, &bytes, 16) > 0 {}
    }
}
