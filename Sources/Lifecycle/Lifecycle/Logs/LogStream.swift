import AsyncIO
import EngineAPI
import Glibc
import Linux
import Synchronization

/// A log as a stream of entries: what is written, then, if followed, what comes until the container ends.
///
/// The disk is read on the pool for blocking work, a buffer at a time and only when the consumer asks.
package final class LogStream: Sendable {
    private let reader: LogReaderBox
    private let request: LogRequest
    private let changes: DirectoryChanges.Watch?
    /// Returns once the container has ended, and its last line is written.
    private let ended: @Sendable () async -> Void
    private let isOver = Atomic(false)

    /// - Parameter ended: called for a follower whenever it waits; must be cancellable.
    package static func open(
        path: String, request: LogRequest, isCompact: Bool = false, ended: @escaping @Sendable () async -> Void
    ) async throws(KernelError) -> EngineStream<LogBatch> {
        // Watched before the first read, so that no change goes unseen.
        let changes = request.follow ? try DirectoryChanges.shared.watch(PathName.split(path).parent) : nil
        let reader = try await BlockingPool.shared.run { () throws(KernelError) in
            LogReaderBox(try LogReader(path: path, request: request, isCompact: isCompact))
        }
        let stream = LogStream(reader: reader, request: request, changes: changes, ended: ended)
        return EngineStream { try await stream.next() }
    }

    private init(
        reader: LogReaderBox, request: LogRequest, changes: DirectoryChanges.Watch?,
        ended: @escaping @Sendable () async -> Void
    ) {
        self.reader = reader
        self.request = request
        self.changes = changes
        self.ended = ended
    }

    private func next() async throws -> LogBatch? {
        while true {
            // Asked before reading: lines written before the end are then read after it.
            let wasOver = isOver.load(ordering: .acquiring)
            let generation = changes?.signal.generation ?? 0
            let reader = reader
            let (entries, isPast) = try await BlockingPool.shared.run { () throws(KernelError) in try reader.next() }
            if let entries, !entries.isEmpty { return entries }
            // Who reads on for a line that is wanted may have left.
            try Task.checkCancellation()
            if entries != nil { continue }
            if isPast || wasOver || !request.follow { return nil }
            try await change(after: generation)
        }
    }

    /// Waits until the files change or the container has ended.
    private func change(after generation: UInt64) async throws {
        if let until = request.until, Timestamp.now() > until {
            isOver.store(true, ordering: .releasing)
            return
        }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask { [ended] in
                await ended()
                return true
            }
            group.addTask { [changes] in
                await changes?.signal.wait(after: generation)
                return false
            }
            if let until = request.until {
                let left = until.nanosecondsSinceEpoch - Timestamp.now().nanosecondsSinceEpoch
                group.addTask {
                    try await ContinuousClock().sleep(for: .nanoseconds(max(0, left)))
                    return true
                }
            }
            let isOver = try await group.next() ?? true
            group.cancelAll()
            if isOver, !Task.isCancelled { self.isOver.store(true, ordering: .releasing) }
            while let _ = try? await group.next() {}  // The losers' cancellation is no news.
        }
        try Task.checkCancellation()
    }
}

/// Safety: used by one consumer, which awaits each call before the next, as `EngineStream` demands.
private final class LogReaderBox: @unchecked Sendable {
    /// How many buffers are read in one go, at most: then others have the thread.
    private static let turnLimit = 8

    private let reader: LogReader

    init(_ reader: LogReader) { self.reader = reader }

    /// As the reader's own.
    func next() throws(KernelError) -> (LogBatch?, isPast: Bool) {
        for _ in 0..<Self.turnLimit {
            let entries = try reader.next()
            if entries?.isEmpty != true { return (entries, reader.isPastUntil) }
        }
        return (LogBatch(), false)
    }
}
