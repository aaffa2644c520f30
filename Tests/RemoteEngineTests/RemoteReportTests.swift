import EngineAPI
import Glibc
import RemoteEngine
import ScriptedEngine
import Testing

@Suite struct RemoteReportTests {
    @Test("A log that is read anew after its engine went away goes on where each stream was, wherever its pieces end")
    func logReadAnew() {
        func batch(_ pieces: (String, LogEntry.Source)...) -> LogBatch {
            LogBatch(
                pieces.map {
                    LogEntry(time: Timestamp(nanosecondsSinceEpoch: 0), source: $1, bytes: Array($0.utf8))
                })
        }
        let tally = LogTally()
        let first = batch(("a\n", .stdout), ("x\n", .stderr), ("b\n", .stdout))
        #expect(tally.rest(of: first) == first)
        tally.beginAgain()
        #expect(tally.rest(of: batch(("a\n", .stdout))) == nil)
        #expect(
            tally.rest(of: batch(("x\ny\n", .stderr), ("b\nc\n", .stdout))) == batch(("y\n", .stderr), ("c\n", .stdout))
        )
        let last = batch(("d\n", .stdout))
        #expect(tally.rest(of: last) == last)
        tally.beginAgain()
        #expect(tally.rest(of: batch(("a\nb\nc\nd\ne\n", .stdout))) == batch(("e\n", .stdout)))
    }

    @Test("Log entries keep their time and their stream", arguments: [true, false])
    func logs(tty: Bool) async throws {
        let trip = try await RoundTrip()
        _ = try await trip.run(["both"], name: "l") { $0.tty = tty }
        var entries: [LogEntry] = []
        for try await batch in try await trip.remote.logs("l", LogRequest()) { entries += batch }
        let end = tty ? "\r\n" : "\n"
        #expect(entries.map { String(decoding: $0.bytes, as: UTF8.self) } == ["out\(end)", "err\(end)"])
        #expect(entries.map(\.source) == [.stdout, .stderr], "a terminal's, too, comes in frames")
        #expect(entries.map(\.time.nanosecondsSinceEpoch) == [1_700_000_000_000_000_000, 1_700_000_000_000_000_001])
        var last = LogRequest()
        last.tail = 1
        var tail: [LogEntry] = []
        for try await batch in try await trip.remote.logs("l", last) { tail += batch }
        #expect(tail == entries.suffix(1))
        await trip.stop()
    }

    @Test("A follower of a log can stop at any time")
    func follow() async throws {
        let trip = try await RoundTrip()
        _ = try await trip.run(["echo", "x"], name: "f")
        var request = LogRequest()
        request.follow = true
        for try await batch in try await trip.remote.logs("f", request) {
            #expect(batch.count == 1)
            break
        }
        await trip.stop()
    }

    @Test("Samples of several containers come together and as they were")
    func stats() async throws {
        let trip = try await RoundTrip()
        _ = try await trip.run(["sleep"], name: "a")
        _ = try await trip.run(["sleep"], name: "b")
        var ticks: [[ContainerStats]] = []
        for try await tick in try await trip.remote.stats(["a", "b"], every: .seconds(1)) { ticks.append(tick) }
        var original: [[ContainerStats]] = []
        for try await tick in try await trip.memory.stats(["a", "b"], every: .seconds(1)) { original.append(tick) }
        #expect(ticks == original)
        #expect(ticks.count == 3 && ticks[0].map(\.name) == ["a", "b"])
        await trip.stop()
    }

    @Test("Processes, images and versions come as they were")
    func reports() async throws {
        let trip = try await RoundTrip()
        let remote = trip.remote
        _ = try await trip.run(["sleep"], name: "p")
        #expect(try await remote.processes("p") == (try await trip.memory.processes("p")))
        #expect(try await remote.top("p", psArguments: ["-o", "pid"]).rows == [["4242", "-o pid"]])
        #expect(try await remote.images(ImageFilter()) == (try await trip.memory.images(ImageFilter())))
        let image = try await remote.inspectImage(MemoryEngine.image)
        #expect(image.command == ["sh"] && image.exposedPorts == ["80/tcp"] && image.layers.count == 1)
        #expect(try await remote.removeImage(MemoryEngine.image, force: true, prune: true).count == 2)
        #expect(try await remote.version() == (await trip.memory.version()))
        #expect(try await remote.info() == (await trip.memory.info()))
        await trip.stop()
    }

    @Test("Events come as they happen")
    func events() async throws {
        let trip = try await RoundTrip()
        let events = try await trip.remote.events(EventRequest())
        _ = try await trip.run(["exit", "1"], name: "e")
        var actions: [String] = []
        for try await event in events {
            actions.append(event.action)
            if event.action == "die" { break }
        }
        #expect(actions == ["create", "start", "die"])
        await trip.stop()
    }

    @Test("An archive is sent from a file or from bytes; a bad one's error comes with its kind")
    func load() async throws {
        let trip = try await RoundTrip()
        let path = "\(trip.socketPath).tar"
        defer { unlink(path) }
        let file = try #require(fopen(path, "w"))
        for _ in 0..<3000 { fputs(String(repeating: "x", count: 1000), file) }
        fclose(file)
        var steps: [ImageLoadProgress] = []
        for try await step in try await trip.remote.loadImages(.path(path)) { steps.append(step) }
        #expect(await trip.memory.bytesLoaded == 3_000_000)
        #expect(
            steps == [
                .layer(digest: MemoryEngine.imageID, doneBytes: 3_000_000, totalBytes: nil),
                .loaded(name: MemoryEngine.image, id: MemoryEngine.imageID),
            ])
        let missing = await #expect(throws: EngineError.self) { try await trip.remote.loadImages(.path("/no/such")) }
        #expect(missing?.message.contains("/no/such") == true)
        let once = OneShot(Array("bad".utf8))
        let bad = try await trip.remote.loadImages(.bytes(EngineStream { await once.take() }))
        let error = await #expect(throws: EngineError.self) {
            for try await _ in bad {}
        }
        #expect(error == EngineError(.invalid, "archive/tar: invalid tar header", isAnswer: true))
        await trip.stop()
    }

    @Test("Where no engine answers, the error says so and names the endpoint")
    func nobody() async throws {
        let remote = try DockerEngine(host: "unix:///tmp/gantry-nobody.sock")
        let error = await #expect(throws: EngineError.self) { try await remote.version() }
        #expect(error?.kind == .unavailable)
        #expect(
            error?.message
                == "Cannot connect to the container engine at unix:///tmp/gantry-nobody.sock. Is the daemon running?")
        for host in ["", "unix:", "huh://x", "npipe://x", "ssh://", "ssh://-x", "ssh://a:b@c"] {
            #expect(throws: EngineError.self) { try DockerEngine(host: host) }
        }
    }

    @Test("A stream whose server goes away ends with an error, and the next call finds the next server")
    func serverGone() async throws {
        let trip = try await RoundTrip()
        let events = try await trip.remote.events(EventRequest())
        await trip.stop()
        let error = await #expect(throws: EngineError.self) {
            for try await _ in events {}
        }
        #expect(error?.kind == .unavailable)
        let after = await #expect(throws: EngineError.self) { try await trip.remote.version() }
        #expect(after?.kind == .unavailable)
    }
}

actor OneShot {
    private var bytes: [UInt8]?

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func take() -> [UInt8]? {
        defer { bytes = nil }
        return bytes
    }
}
