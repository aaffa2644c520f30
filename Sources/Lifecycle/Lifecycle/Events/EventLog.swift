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
        /// The newest in the journal.
        var newestNumber: Int64
        /// Told already, and to be journalled by `journalling`.
        var unjournalled: [EngineEvent] = []
        var journalling: Task<Void, Never>?

        /// - Parameter numbers: nil for what the journal does not have yet.
        mutating func add(_ events: [EngineEvent], numbers: [Int64]?) {
            for (place, event) in events.enumerated() {
                let number = numbers?[place] ?? 0
                entries.append((number, event))
                heldBytes += event.heldBytes
                newestNumber = max(newestNumber, number)
            }
            end += events.count
            // Trimmed by halves, so that it costs little.
            if entries.count > 2 * EventLog.ringCapacity { drop(entries.count - EventLog.ringCapacity) }
            guard heldBytes > EventLog.ringLimitBytes else { return }
            var (left, count) = (heldBytes, 0)
            while left > EventLog.ringLimitBytes / 2, count + 1 < entries.count {
                left -= entries[count].event.heldBytes
                count += 1
            }
            drop(count)
        }

        mutating func drop(_ count: Int) {
            heldBytes -= entries.prefix(count).reduce(0) { $0 + $1.event.heldBytes }
            entries.removeFirst(count)
        }
    }

    /// How much later than it is told an event may be journalled.
    private static let journalDelay = Duration.milliseconds(100)

    private let store: MetadataStore
    private let clock: any Clock<Duration>
    private let ring: Mutex<Ring>
    private let signal = ChangeSignal()

    /// - Parameter newestNumber: the journal's, when the engine opened it.
    package init(store: MetadataStore, newestNumber: Int64, clock: any Clock<Duration> = ContinuousClock()) {
        self.store = store
        self.clock = clock
        ring = Mutex(Ring(newestNumber: newestNumber))
    }

    /// Tells readers of events that are journalled under these numbers.
    package func publish(_ events: [EngineEvent], numbers: [Int64]) {
        guard !events.isEmpty else { return }
        ring.withLock { $0.add(events, numbers: numbers) }
        signal.notify()
    }

    /// Journals events that come with no change of a row, then publishes them.
    package func record(_ events: [EngineEvent]) async throws(StorageError) {
        publish(events, numbers: try await store.journal(events.map(EventRow.init)))
    }

    /// Tells readers at once of an event that comes with no change of a row, and journals it a little later with those
    /// that follow: of an exec there are three within milliseconds, which would each wake the journal's thread while
    /// somebody waits for what they are about. An engine that is killed in between takes it along.
    package func tell(_ event: EngineEvent) {
        ring.withLock { ring in
            ring.add([event], numbers: nil)
            ring.unjournalled.append(event)
            guard ring.journalling == nil else { return }
            ring.journalling = Task { [clock] in
                // `finish` cuts the wait short, not what comes after.
                try? await clock.sleep(for: Self.journalDelay)
                await Task { await journalTold() }.value
            }
        }
        signal.notify()
    }

    private func journalTold() async {
        var hasFailed = false
        while let events = beginJournalling(again: !hasFailed) {
            do throws(StorageError) {
                let numbers = try await store.journal(events.map(EventRow.init))
                ring.withLock { ring in
                    ring.unjournalled.removeFirst(events.count)
                    ring.newestNumber = max(ring.newestNumber, numbers.last ?? 0)
                }
            } catch { hasFailed = true }
        }
    }

    /// What is to be journalled now; nil, and the task is forgotten, where that is nothing. What failed is tried again
    /// with the next event, the newest of it: a disk may be full for long.
    private func beginJournalling(again: Bool) -> [EngineEvent]? {
        ring.withLock { ring in
            if again, !ring.unjournalled.isEmpty { return ring.unjournalled }
            ring.unjournalled = ring.unjournalled.suffix(Self.ringCapacity)
            ring.journalling = nil
            return nil
        }
    }

    /// Journals what still waits for it. Before the store is closed.
    package func finish() async {
        let journalling = ring.withLock { $0.journalling }
        journalling?.cancel()
        await journalling?.value
    }

    /// The events asked for: from the journal if it asks for the past, then those that come.
    package func stream(_ request: EventRequest) async throws(StorageError) -> EngineStream<EngineEvent> {
        let (position, newest, told) = ring.withLock { ($0.end, $0.newestNumber, $0.unjournalled) }
        var backlog: [EngineEvent] = []
        var seen: Set<Int64> = []
        // Docker tells of the past only where it is asked to.
        if request.since != nil || request.until != nil {
            let rows = try await store.events(
                since: request.since?.nanosecondsSinceEpoch, until: request.until?.nanosecondsSinceEpoch, upTo: newest)
            seen = Set(rows.map(\.number))
            let known = rows.compactMap { EngineEvent($0.event) } + told
            backlog = Self.inOrder(known).filter(request.accepts)
        }
        let cursor = Cursor(log: self, request: request, position: position, backlog: backlog, seen: seen)
        return EngineStream { try await cursor.next() }
    }

    /// As they were told. What is told at once is journalled behind what came after it; of the others, which are in the
    /// journal as they were told, one may be older than those before it: the end of a process, learned from its shim.
    private static func inOrder(_ events: [EngineEvent]) -> [EngineEvent] {
        var newest = Timestamp(nanosecondsSinceEpoch: .min)
        let placed = events.enumerated().map { offset, event in
            if event.isToldAtOnce { return (time: event.time, offset: offset, event: event) }
            newest = max(newest, event.time)
            return (time: newest, offset: offset, event: event)
        }
        return placed.sorted { ($0.time, $0.offset) < ($1.time, $1.offset) }.map(\.event)
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
    /// Whether it comes by `EventLog.tell`.
    fileprivate var isToldAtOnce: Bool { action == "attach" || action.hasPrefix("exec_") }

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
