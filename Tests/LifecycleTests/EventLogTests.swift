import EngineAPI
import Storage
import Testing

@testable import Lifecycle

@Suite struct EventLogTests {
    static func event(_ action: String, _ id: String = "abc", at time: Int64 = 1, _ more: [String: String] = [:])
        -> EngineEvent
    {
        EngineEvent(
            kind: .container, action: action, actorID: id,
            attributes: ["name": "web", "image": "busybox:1"].merging(more) { $1 },
            time: Timestamp(nanosecondsSinceEpoch: time))
    }

    @Test("A reader gets what was journalled since the time asked for, then what comes, each once and in order")
    func backlogThenLive() async throws {
        let directory = try TemporaryDirectory()
        let store = try await MetadataStore.open(directory.path + "/db")
        let log = EventLog(store: store, newestNumber: try await store.lastEventNumber())
        try await log.record([Self.event("create", at: 10), Self.event("start", at: 20)])
        var request = EventRequest()
        request.since = Timestamp(nanosecondsSinceEpoch: 15)
        let stream = try await log.stream(request)
        let quiet = try await log.stream(EventRequest())
        try await log.record([Self.event("die", at: 30)])
        #expect(try await stream.next()?.action == "start")
        #expect(try await stream.next()?.action == "die")
        #expect(try await quiet.next()?.action == "die")
        request.until = Timestamp(nanosecondsSinceEpoch: 25)
        let past = try await log.stream(request)
        #expect(try await past.next()?.action == "start")
        #expect(try await past.next() == nil)
        try store.close()
    }

    @Test("Asked for by an engine's name or id, only what happened to that engine itself is told")
    func daemons() {
        var request = EventRequest()
        request.daemons = ["host", "1a2b"]
        let reload = EngineEvent(
            kind: .daemon, action: "reload", actorID: "1a2b3c", attributes: ["name": "machine"],
            time: Timestamp(nanosecondsSinceEpoch: 1))
        #expect(request.accepts(reload) && !request.accepts(Self.event("start", "1a2b3c")))
        request.daemons = ["machine"]
        #expect(request.accepts(reload))
        request.daemons = ["other"]
        #expect(!request.accepts(reload))
    }

    @Test("An event that was journalled but not yet published when the reader came is told once")
    func published() async throws {
        let directory = try TemporaryDirectory()
        let store = try await MetadataStore.open(directory.path + "/db")
        let log = EventLog(store: store, newestNumber: 0)
        let (early, late) = (Self.event("start", at: 20), Self.event("die", at: 30))
        let first = try await store.journal([EventRow(early)])
        let second = try await store.journal([EventRow(late)])
        log.publish([late], numbers: second)
        var request = EventRequest()
        request.since = Timestamp(nanosecondsSinceEpoch: 1)
        let stream = try await log.stream(request)
        log.publish([early], numbers: first)
        log.publish([Self.event("destroy", at: 40)], numbers: [9])
        var seen: [String] = []
        while seen.last != "destroy", let event = try await stream.next() { seen.append(event.action) }
        #expect(seen == ["start", "die", "destroy"])
        try store.close()
    }

    @Test("What is told at once is there for every reader, and in the journal soon, once")
    func toldAtOnce() async throws {
        let directory = try TemporaryDirectory()
        let store = try await MetadataStore.open(directory.path + "/db")
        let log = EventLog(store: store, newestNumber: 0, clock: StandingClock())
        var request = EventRequest()
        request.since = Timestamp(nanosecondsSinceEpoch: 15)
        let before = try await log.stream(request)
        log.tell(Self.event("exec_create", at: 20))
        log.tell(Self.event("exec_start", at: 30))
        // Its row comes first, what it tells of does not.
        try await log.record([Self.event("pause", at: 40)])
        let between = try await log.stream(request)
        #expect(try await store.events(since: nil, until: nil, upTo: .max).map(\.event.action) == ["pause"])
        await log.finish()
        log.tell(Self.event("exec_die", at: 50))
        let after = try await log.stream(request)
        log.tell(Self.event("unpause", at: 60))
        for stream in [before, between, after] {
            var seen: [String] = []
            while seen.last != "unpause", let event = try await stream.next() { seen.append(event.action) }
            #expect(seen == ["exec_create", "exec_start", "pause", "exec_die", "unpause"])
        }
        await log.finish()
        await log.finish()
        let rows = try await store.events(since: nil, until: nil, upTo: .max)
        #expect(rows.map(\.event.action) == ["pause", "exec_create", "exec_start", "exec_die", "unpause"])
        try store.close()
    }

    @Test("An end that was learned late is told of where it was told of")
    func lateEnd() async throws {
        let directory = try TemporaryDirectory()
        let store = try await MetadataStore.open(directory.path + "/db")
        let log = EventLog(store: store, newestNumber: 0, clock: StandingClock())
        try await log.record([Self.event("kill", at: 40)])
        log.tell(Self.event("exec_die", at: 42))
        try await log.record([Self.event("die", at: 35), Self.event("stop", at: 45)])
        await log.finish()
        var request = EventRequest()
        request.since = Timestamp(nanosecondsSinceEpoch: 15)
        request.until = Timestamp(nanosecondsSinceEpoch: 100)
        let stream = try await log.stream(request)
        var seen: [String] = []
        while let event = try await stream.next() { seen.append(event.action) }
        #expect(seen == ["kill", "die", "exec_die", "stop"])
        try store.close()
    }

    @Test("Large events are held in memory up to a bound, the newest first of all")
    func largeEvents() async throws {
        let directory = try TemporaryDirectory()
        let store = try await MetadataStore.open(directory.path + "/db")
        let log = EventLog(store: store, newestNumber: 0)
        let stream = try await log.stream(EventRequest())
        let label = String(repeating: "x", count: 1 << 20)
        for number in 0..<100 {
            log.publish([Self.event("start", at: Int64(number), ["label": label])], numbers: [Int64(number + 1)])
        }
        log.publish([Self.event("end", at: 100)], numbers: [101])
        var times: [Int64] = []
        while let event = try await stream.next() {
            times.append(event.time.nanosecondsSinceEpoch)
            if event.action == "end" { break }
        }
        #expect((3...18).contains(times.count) && times == Array(Int64(101 - times.count)...100))
        try store.close()
    }

    @Test("Of a long command events tell the beginning, and cut no character", arguments: 0..<4)
    func longCommands(offset: Int) {
        var spec = ExecSpec(command: [])
        spec.command = [
            "sh", "-c", String(repeating: "x", count: offset) + String(repeating: "€", count: 1 << 20), "end",
        ]
        #expect(spec.eventText.utf8.count <= 4100 && spec.eventText.hasSuffix("€…"))
        spec.command = ["sh", "-c", "echo"]
        #expect(spec.eventText == "sh -c echo")
    }

    @Test("A reader that fell far behind goes on with what is still held")
    func behind() async throws {
        let directory = try TemporaryDirectory()
        let store = try await MetadataStore.open(directory.path + "/db")
        let log = EventLog(store: store, newestNumber: 0)
        let stream = try await log.stream(EventRequest())
        for number in 1...5000 { log.publish([Self.event("start", at: Int64(number))], numbers: [Int64(number)]) }
        var count = 1
        var last = try #require(try await stream.next())
        #expect(last.time.nanosecondsSinceEpoch > 1)
        while last.time.nanosecondsSinceEpoch < 5000 {
            let next = try #require(try await stream.next())
            #expect(next.time > last.time)
            last = next
            count += 1
        }
        #expect(count >= 1024)
        try store.close()
    }

    @Test("Conditions of one kind are alternatives, of different kinds they must all hold")
    func matching() {
        let event = Self.event("exec_start: sh -c x", "abcdef", at: 5, ["tier": "front"])
        func accepts(_ change: (inout EventRequest) -> Void) -> Bool {
            var request = EventRequest()
            change(&request)
            return request.accepts(event)
        }
        #expect(accepts { _ in })
        #expect(accepts { $0.actions = ["die", "exec_start"] })
        #expect(!accepts { $0.actions = ["exec"] })
        #expect(accepts { $0.containers = ["web"] } && accepts { $0.containers = ["abc"] })
        #expect(!accepts { $0.containers = ["xyz"] })
        #expect(accepts { $0.images = ["busybox"] } && accepts { $0.images = ["busybox:1"] })
        #expect(!accepts { $0.images = ["busy"] })
        #expect(accepts { $0.labels = ["tier", "tier=front"] } && !accepts { $0.labels = ["tier=back"] })
        #expect(!accepts { $0.kinds = [.image] })
        #expect(!accepts { $0.since = Timestamp(nanosecondsSinceEpoch: 6) })
        #expect(
            !accepts {
                $0.actions = ["exec_start"]
                $0.containers = ["xyz"]
            })
    }
}

/// A clock on which no time goes by: who sleeps is woken by being cancelled.
private struct StandingClock: Clock {
    struct Instant: InstantProtocol {
        let offset: Duration

        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (one: Instant, other: Instant) -> Bool { one.offset < other.offset }
    }

    let now = Instant(offset: .zero)
    let minimumResolution = Duration.zero

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try await Task.sleep(for: .seconds(100_000))
    }
}
