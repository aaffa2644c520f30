import EngineAPI
import Glibc
import Linux
import LocalEngine
import Testing

/// Reading the configuration anew.
@Suite(.enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"))
struct ReloadTests {
    @Test("What the file says holds after a reload, is told of, and a file that is wrong changes nothing")
    func reload() async throws {
        try await EngineBench.with { engine, bench in
            #expect(try await engine.info().labels == [])
            try Self.write(
                #"""
                {"labels": ["tier=test", "tier=test", "zone=a"], "debug": true, "other": 1,
                 "runtimes": {"second": {"path": "/bin/second"}}, "default-runtime": "second"}
                """#, bench)
            #expect(try await engine.reload())
            let info = try await engine.info()
            #expect(info.labels == ["tier=test", "zone=a"] && info.isDebugging)
            #expect(info.runtimes.contains("second") && info.defaultRuntime == "second")
            try Self.write(#"{"labels": ["tier=x", "tier=y"]}"#, bench)
            let error = await #expect(throws: EngineError.self) { try await engine.reload() }
            #expect(error?.kind == .invalid)
            #expect(error?.message.hasSuffix("daemon.json: conflict labels for tier=y and tier=x") == true)
            #expect(try await engine.info() == info)
            try Self.write("{}", bench)
            #expect(try await !engine.reload())
            #expect(try await engine.info().defaultRuntime == "gantry-runtime")
            var request = EventRequest()
            request.kinds = [.daemon]
            request.since = Timestamp(nanosecondsSinceEpoch: 0)
            request.until = .now()
            var events: [EngineEvent] = []
            for try await event in try await engine.events(request) { events.append(event) }
            #expect(events.map(\.action) == ["reload", "reload"])
            let attributes = try #require(events.first).attributes
            #expect(attributes["labels"] == #"["tier=test","zone=a"]"# && attributes["debug"] == "true")
            #expect(attributes["runtimes"]?.contains("second:/bin/second") == true)
            #expect(attributes["max-concurrent-downloads"] == "3" && attributes["default-runtime"] == "second")
        }
    }

    @Test(
        "What is no setting is refused with the reason, at the opening of the engine, too",
        arguments: [
            (#"{"labels": "x"}"#, "labels must be an array of strings"),
            (#"{"dns": "1.1.1.1"}"#, "dns must be an array of strings"),
            (#"{"dns": ["x"]}"#, "dns: x is not an ip address"),
            (#"{"default-shm-size": "x"}"#, "default-shm-size must be a size, such as \"64M\""),
            (#"{"default-ulimits": {"x": {"Soft": 1}}}"#, "default-ulimits: invalid ulimit type: x"),
            (#"{"default-ulimits": {"core": {}}}"#, "default-ulimits: core must have `Soft` and `Hard`"),
            (#"{"log-opts": {"max-size": 1}}"#, "log-opts: max-size must be a string"),
            (#"{"log-opts": {"max-size": "x"}}"#, "failed to set log opts: invalid value for max-size: 'x'"),
            (
                #"{"log-driver": "x"}"#,
                "failed to set log opts: error looking up logging plugin x: plugin \"x\" not found"
            ),
            (#"{"labels": [1]}"#, "labels must be an array of strings"),
            (#"{"labels": ["x"]}"#, "bad attribute format: x"), (#"{"debug": 1}"#, "debug must be true or false"),
            (#"{"runtimes": {"a": {"path": "b"}}}"#, "runtimes.a.path must be an absolute path"),
            (#"{"default-runtime": "a"}"#, "the default runtime `a` is not among the runtimes"),
        ])
    func wrong(text: String, reason: String) async throws {
        let bench = try EngineBench()
        try Self.write(text, bench)
        do {
            let engine = try await bench.open()
            await engine.close()
            Issue.record("it was opened")
        } catch GantryEngine.OpenError.failed(let error) {
            #expect(error.message == "\(bench.root)/daemon.json: \(reason)")
        }
        unlink("\(bench.root)/daemon.json")
        try await bench.clear()
    }

    private static func write(_ text: String, _ bench: EngineBench) throws {
        try FileContents.replace("\(bench.root)/daemon.json", with: Array(text.utf8), durable: false)
    }
}
