import AsyncIO
import ShimAPI
import Synchronization

/// Ways to the stdio of execs, made when the execs are, before they are asked for: a start is one message then, on a
/// connection that is there.
///
/// One for each task at a time, as its shim prepares one exec: who makes many starts few of them. One that is not asked
/// for in time is closed, and the shim lets go of what it has begun for that exec.
package final class ForetoldStreams: Sendable {
    /// As long as a shim awaits the exec itself.
    package static let patience = Duration.seconds(5)

    private struct Held: Sendable {
        let stream: ShimAttachedStream
        /// Of `SocketDeadlines.shared`.
        let deadline: UInt64
    }

    private struct Foretold {
        let request: ShimAttach
        let due: ContinuousClock.Instant
        let opening: Task<Held?, Never>
    }

    private let patience: Duration
    private let foretold = Mutex<[String: Foretold]>([:])

    /// - Parameter patience: how long an exec is awaited.
    init(patience: Duration) { self.patience = patience }

    deinit {
        for entry in foretold.withLock({ $0 }).values { Task { await Self.close(entry) } }
    }

    /// Begins to open what is likely to be asked for, unless another of the task is awaited already.
    ///
    /// - Parameter open: gives nil where it cannot be had.
    /// - Returns: once it is there, or cannot be had; false where it was not begun.
    func foretell(
        _ id: String, _ request: ShimAttach, open: @escaping @Sendable () async -> ShimAttachedStream?
    ) async -> Bool {
        let patience = patience
        let opening = foretold.withLock { foretold -> Task<Held?, Never>? in
            let now = ContinuousClock.now
            if let other = foretold[id], other.due > now { return nil }
            let opening = AsyncSocket.taskOnWaitingThread { () -> Held? in
                guard let stream = await open() else { return nil }
                return Held(stream: stream, deadline: stream.end(in: patience))
            }
            foretold[id] = Foretold(request: request, due: now + patience, opening: opening)
            return opening
        }
        _ = await opening?.value
        return opening != nil
    }

    /// What was foretold, once; nil where it was not, could not be had, or is over.
    func take(_ id: String, _ request: ShimAttach) async -> ShimAttachedStream? {
        let entry = foretold.withLock { foretold -> Foretold? in
            guard foretold[id]?.request == request else { return nil }
            return foretold.removeValue(forKey: id)
        }
        guard let held = await entry?.opening.value, SocketDeadlines.shared.lift(held.deadline) else { return nil }
        return held.stream
    }

    /// Closes what nobody will ask for any more.
    ///
    /// - Parameter execID: of that exec alone.
    func forget(_ id: String, execID: String? = nil) async {
        let entry = foretold.withLock { foretold -> Foretold? in
            guard let entry = foretold[id], execID == nil || entry.request.execID == execID else { return nil }
            return foretold.removeValue(forKey: id)
        }
        if let entry { await Self.close(entry) }
    }

    private static func close(_ entry: Foretold) async {
        guard let held = await entry.opening.value else { return }
        SocketDeadlines.shared.lift(held.deadline)
        await held.stream.close()
    }
}
