import EngineAPI
import Linux
import LocalEngine
import Testing

/// Files whose server does not answer, in one container's mounts.
@Suite(.enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"))
struct SilentFilesTests {
    @Test(
        "Looks into a container's silent files hold up no other container, nor that one's own end",
        .disabled(if: SilentFileSystem.isMissing, "/dev/fuse is not there"), arguments: [true, false])
    func silence(isRunning: Bool) async throws {
        try await EngineBench.with { engine, bench in
            let source = "\(bench.root)/served"
            try Directory.create(source + "/silent")
            let files = try SilentFileSystem(at: source + "/silent")
            defer { files.end() }
            // Where the engine waits for them, it does not for ever.
            let watchdog = Task {
                try await Task.sleep(for: .seconds(60))
                files.end()
            }
            defer { watchdog.cancel() }
            let stuck = try await bench.create("sleep 1000", name: "stuck", on: engine) { spec in
                spec.mounts = [MountSpec(.bind, source: source, target: "/served")]
            }
            let other = try await bench.create("true", name: "other", on: engine)
            try await engine.start(stuck)
            if !isRunning { try await engine.stop(stuck, signal: "KILL", timeoutSeconds: 5) }
            let looks = (0..<20).map { number in
                Task { try await engine.statPath(stuck, path: "/served/silent/\(number)") }
            }
            #expect(try await eventually { () async throws in try files.lookUps() >= 8 })
            let wait = try await engine.beginWait(other, for: .nextExit)
            try await engine.start(other)
            #expect(try await wait.result().exitCode == 0)
            if isRunning { try await engine.stop(stuck, signal: "KILL", timeoutSeconds: 5) }
            #expect(!files.hasEnded, "all of that is done while nothing is answered")
            files.end()
            for look in looks { await #expect(throws: EngineError.self) { try await look.value } }
        }
    }
}
