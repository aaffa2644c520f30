import EngineAPI
import Storage
import Synchronization

/// The events of this engine: those journalled, and those that come.
///
/// Publishing never waits for a reader. A reader pulls from a ring of the newest events; one that falls behind by more
/// than the ring holds goes on with the oldest there.
package final class EventLog: Sendable {
    private static let ringCapacity = 1024
    /// Events have their containers' labels, which may be large.
    private static let ringLimitBytes = 16 << 20

    private struct Ring {
        /// Counts what was published; `entries` are the last of them.
        var end = 0
        var entries: [(number: Int64, event: EngineEvent)] = []
        var heldBytes = 0
        var newestNumber: Int64

        mutating func drop(_ count: Int) {
            heldBytes -= entries.prefix(count).reduce(0) { $0 + $1.event.heldBytes }
            entries.removeFirst(count)
        }
    }

    private let store: MetadataStore
    private let ring: Mutex<Ring>
    private let signal = ChangeSignal()

    /// - Parameter newestNumber: the journal's, when the engine opened it.
    package init(store: MetadataStore, newestNumber: Int64) {
        self.store = store
        ring = Mutex(Ring(newestNumber: newestNumber))
    }

    /// Tells readers of events that are journalled under these numbers.
    package func publish(_ events: [EngineEvent], numbers: [Int64]) {
        guard !events.isEmpty else { return }
        ring.withLock { ring in
            for (event, number) in zip(events, numbers) {
                ring.entries.append((number, event))
                ring.heldBytes += event.heldBytes
                ring.newestNumber = max(ring.newestNumber, number)
            }
            ring.end += events.count
            // Trimmed by halves, so that it costs little.
            if ring.entries.count > 2 * Self.ringCapacity {
                ring.drop(ring.entries.count - Self.ringCapacity)
            }
            if ring.heldBytes > Self.ringLimitBytes {
                var (left, count) = (ring.heldBytes, 0)
                while left > Self.ringLimitBytes / 2, count + 1 < ring.entries.count {
                    left -= ring.entries[count].event.heldBytes
                    count += 1
                }
                ring.drop(count)
            }
        }
        signal.notify()
    }

    /// Journals events that come with no change of a row, then publishes them.
    package func record(_ events: [EngineEvent]) async throws(StorageError) {
        publish(events, numbers: try await store.journal(events.map(EventRow.init)))
    }

    /// The events asked for: from the journal if it asks for the past, then those that come.
    package func stream(_ request: EventRequest) async throws(StorageError) -> EngineStream<EngineEvent> {
        let (position, newest) = ring.withLock { ($0.end, $0.newestNumber) }
        var backlog: [EngineEvent] = []
        var seen: Set<Int64> = []
        // Docker tells of the past only where it is asked to.
        if request.since != nil || request.until != nil {
            let rows = try await store.events(
                since: request.since?.nanosecondsSinceEpoch, until: request.until?.nanosecondsSinceEpoch, upTo: newest)
            seen = Set(rows.map(\.number))
            backlog = rows.compactMap { EngineEvent($0.event) }.filter(request.accepts)
        }
        let cursor = Cursor(log: self, request: request, position: position, backlog: backlog, seen: seen)
        return EngineStream { try await cursor.next() }
    }

    /// What was published since `position`, and the position after it.
    fileprivate func entries(since position: Int) -> (entries: [(number: Int64, event: EngineEvent)], end: Int) {
        ring.withLock { ring in
            let count = min(ring.end - position, ring.entries.count)
            return (Array(ring.entries.suffix(count)), ring.end)
        }
    }

    fileprivate var generation: UInt64 { signal.generation }
    fileprivate func wait(after generation: UInt64) async { await signal.wait(after: generation) }
}

extension EngineEvent {
    /// About what it takes in memory.
    fileprivate var heldBytes: Int {
        attributes.reduce(128 + action.utf8.count) { $0 + $1.key.utf8.count + $1.value.utf8.count + 32 }
    }
}

/// One reader's place.
private actor Cursor {
    private let log: EventLog
    private let request: EventRequest
    private var position: Int
    private var ready: [EngineEvent]
    /// Numbers that the backlog held: one may have been journalled before, and published after, the reader came.
    private let seen: Set<Int64>

    init(log: EventLog, request: EventRequest, position: Int, backlog: [EngineEvent], seen: Set<Int64>) {
        self.log = log
        self.request = request
        self.position = position
        ready = backlog.reversed()
        self.seen = seen
    }

    func next() async throws -> EngineEvent? {
        while true {
            if let event = ready.popLast() { return event }
            let generation = log.generation
            let (entries, end) = log.entries(since: position)
            position = end
            let fresh = entries.filter { !seen.contains($0.number) }.map(\.event)
            ready = fresh.filter(request.accepts).reversed()
            if !ready.isEmpty { continue }
            if let until = request.until, Timestamp.now() >= until { return nil }
            await wait(after: generation)
            try Task.checkCancellation()
        }
    }

    private func wait(after generation: UInt64) async {
        guard let until = request.until else { return await log.wait(after: generation) }
        let left = max(0, until.nanosecondsSinceEpoch - Timestamp.now().nanosecondsSinceEpoch)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [log] in await log.wait(after: generation) }
            group.addTask { try? await ContinuousClock().sleep(for: .nanoseconds(left)) }  // Ends when cancelled.
            await group.next()
            group.cancelAll()
        }
    }
}
