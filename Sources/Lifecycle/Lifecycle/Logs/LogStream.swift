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
    private let path: String
    private let request: LogRequest
    private let changes: WatchedDescriptor?
    /// Returns once the container has ended, and its last line is written.
    private let ended: @Sendable () async -> Void
    private let isOver = Atomic(false)

    /// - Parameter ended: called for a follower whenever it waits; must be cancellable.
    package static func open(
        path: String, request: LogRequest, isCompact: Bool = false, ended: @escaping @Sendable () async -> Void
    ) async throws(KernelError) -> EngineStream<LogBatch> {
        // Watched before the first read, so that no change goes unseen.
        let changes = request.follow ? try watch(path) : nil
        let reader = try await BlockingPool.shared.run { () throws(KernelError) in
            LogReaderBox(try LogReader(path: path, request: request, isCompact: isCompact))
        }
        let stream = LogStream(reader: reader, path: path, request: request, changes: changes, ended: ended)
        return EngineStream { try await stream.next() }
    }

    private init(
        reader: LogReaderBox, path: String, request: LogRequest, changes: WatchedDescriptor?,
        ended: @escaping @Sendable () async -> Void
    ) {
        self.reader = reader
        self.path = path
        self.request = request
        self.changes = changes
        self.ended = ended
    }

    private func next() async throws -> LogBatch? {
        while true {
            // Asked before reading: lines written before the end are then read after it.
            let wasOver = isOver.load(ordering: .acquiring)
            let reader = reader
            let (entries, isPast) = try await BlockingPool.shared.run { () throws(KernelError) in try reader.next() }
            if !entries.isEmpty { return entries }
            if isPast || wasOver || !request.follow { return nil }
            try await change()
        }
    }

    /// Waits until the files change or the container has ended.
    private func change() async throws {
        if let until = request.until, Timestamp.now() > until {
            isOver.store(true, ordering: .releasing)
            return
        }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask { [ended] in
                await ended()
                return true
            }
            group.addTask { [self] in
                try await changes?.readable()
                try changes?.withDescriptor { descriptor throws(KernelError) in drain(descriptor) }
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

    /// Watches the log's directory: it sees writes to any of its files, and renames by rotation.
    private static func watch(_ path: String) throws(KernelError) -> WatchedDescriptor {
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let number = try kernelCall("inotify_init1") { inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK)) }
        let descriptor = Descriptor(rawValue: number)
        do {
            let mask = UInt32(IN_MODIFY) | UInt32(IN_CREATE) | UInt32(IN_MOVED_TO) | UInt32(IN_DELETE_SELF)
            try kernelCall("watch", directory) { inotify_add_watch(number, directory, mask) }
            return try WatchedDescriptor(descriptor)
        } catch {
            descriptor.close()
            throw error
        }
    }
}

/// Takes all notes of changes away; what they say is seen by reading.
private func drain(_ descriptor: Descriptor) {
    var notes = [UInt8](repeating: 0, count: 8192)
    while let count = try? descriptor.read(into: &notes), count > 0 {}  // EAGAIN: all are taken.
}

/// Safety: used by one consumer, which awaits each call before the next, as `EngineStream` demands.
private final class LogReaderBox: @unchecked Sendable {
    private let reader: LogReader

    init(_ reader: LogReader) { self.reader = reader }

    func next() throws(KernelError) -> (LogBatch, isPast: Bool) { (try reader.next(), reader.isPastUntil) }
}
