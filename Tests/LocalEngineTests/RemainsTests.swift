import EngineAPI
import Glibc
import Linux
import LocalEngine
import Testing

/// What a container leaves where its end goes wrong: it is in nobody's way for long, and no removal passes over it.
@Suite(.enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"))
struct RemainsTests {
    private func onBench(_ body: (EngineBench) async throws -> Void) async throws {
        let bench = try EngineBench()
        do { try await body(bench) } catch {
            try await bench.clear()
            throw error
        }
        try await bench.clear()
    }

    @Test("A task that could not be deleted at its end is deleted by the next start, or by the removal")
    func runtimeAway() async throws {
        try await onBench { bench in
            // In front of the real one, so that it can be away for a while.
            let runtime = "\(bench.root)/runtime"
            let script = "#!/bin/sh\nexec \(bench.configuration.runtimePath) \"$@\"\n"
            try FileContents.replace(runtime, with: Array(script.utf8), mode: 0o755, durable: false)
            let settings = #"{"runtimes":{"frail":{"path":"\#(runtime)"}}}"#
            try FileContents.replace(bench.configuration.configurationPath, with: Array(settings.utf8), durable: false)
            let engine = try await bench.open()
            let id = try await bench.create("sleep 600", on: engine) { $0.runtime = "frail" }
            for _ in 1...2 {
                try await engine.start(id)
                #expect(rename(runtime, runtime + "-away") == 0)
                try await engine.stop(id, signal: "KILL", timeoutSeconds: 5)
                // Asked behind the end in the container's order: its cleaning is over.
                try await engine.rename(id, to: "n\(RemainsTests.number())")
                #expect(bench.traces(of: id).contains("run/shims/\(id)"))
                #expect(rename(runtime + "-away", runtime) == 0)
            }
            try await engine.remove(id, force: false, volumes: false)
            #expect(bench.traces(of: id) == [])
            await engine.close()
        }
    }

    private static func number() -> UInt32 { .random(in: 0 ... .max) }

    @Test("A start that fails leaves no bundle")
    func failedStart() async throws {
        try await EngineBench.with { engine, bench in
            let id = try await bench.create("", on: engine) { $0.command = ["/nonexistent"] }
            await #expect(throws: EngineError.self) { try await engine.start(id) }
            #expect(access("\(bench.root)/run/bundles/\(id)", F_OK) != 0)
        }
    }

    /// A member of a JSON object.
    private static func number(_ name: String, in text: String) -> Int32? {
        let words = text.split { !$0.isNumber && !$0.isLetter }
        return words.firstIndex { $0 == name }.flatMap { Int32(words[$0 + 1]) }
    }

    @Test("A container whose run root was taken away is ended by the next engine, its shim with it, and starts again")
    func runRootGone() async throws {
        try await onBench { bench in
            // By another process, which is gone then with all its connections.
            var spawn = Spawn(program: EngineProbe.path, arguments: ["engine-probe", bench.root, "create", "victim"])
            spawn.environment = ["PATH=/usr/bin:/bin"]
            for verb in ["create", "start"] {
                spawn.arguments[2] = verb
                var status: Int32 = -1
                waitpid(try spawn.start(), &status, 0)
                try #require(status == 0)
            }
            let record = "\(bench.configuration.runRoot)/shims"
            let id = try #require(try Directory.list(record).first)
            let text = String(decoding: try FileContents.read("\(record)/\(id)/init.json"), as: UTF8.self)
            let old = try ["pid", "shimPid"].map { try PidFD.open(pid: try #require(Self.number($0, in: text))) }
            defer { for process in old { process.close() } }
            for name in try Directory.list(bench.configuration.runRoot) {
                try Directory.removeTree("\(bench.configuration.runRoot)/\(name)")
            }
            let second = try await bench.open()
            for process in old { #expect(try PidFD.waitForEnd(process, timeoutMilliseconds: 60_000)) }
            let state = try await second.inspect(id).state
            #expect(state.status == .exited && state.exitCode == 137)
            try await second.start(id)
            #expect(try await second.inspect(id).state.status == .running)
            try await second.remove(id, force: true, volumes: false)
            #expect(bench.traces(of: id) == [])
            await second.close()
        }
    }

    @Test("A container that is given one name after another keeps the last, and is found by it")
    func renames() async throws {
        try await EngineBench.with { engine, bench in
            let id = try await bench.create("sleep 600", name: "one", on: engine)
            for _ in 0..<10 {
                // Names are given in the container's order, behind what is under way.
                async let start: Void = engine.start(id)
                async let other: Void = engine.rename(id, to: "two")
                async let back: Void = engine.rename(id, to: "one")
                try await start
                // Refused where it has that name already.
                _ = try? await other
                _ = try? await back
                let name = try await engine.inspect(id).name
                #expect(try await engine.inspect(name).id == id)
                let free = name == "one" ? "two" : "one"
                let namesake = try await bench.create("true", name: free, on: engine)
                try await engine.remove(namesake, force: false, volumes: false)
                if name == "two" { try await engine.rename(id, to: "one") }
                try await engine.stop(id, signal: "KILL", timeoutSeconds: 5)
            }
        }
    }
}
