import EngineAPI
import Foundation
import PeerEngines
import RemoteEngine
import Testing

/// podman's service through `RemoteEngine`: what our command line and front end ask of it.
@Suite(
    .enabled(if: geteuid() == 0, "needs root"),
    .enabled(if: PodmanService.missing == nil, "not installed: \(PodmanService.missing ?? "")"), .serialized,
    .timeLimit(.minutes(3)))
struct PodmanTests {
    @Test("A terminal's log is read as it was written: without times, where those cannot be told from it")
    func terminalLog() async throws {
        let podman = try await PodmanService()
        let engine = podman.engine
        var spec = ContainerSpec(image: "gantry/starter:latest")
        spec.command = ["sh", "-c", "printf 'prompt> '; sleep 0.5; echo 2026-01-02T03:04:05Z said"]
        spec.networkMode = NetworkMode.none
        spec.tty = true
        let id = try await engine.create(spec, name: "typed").id
        try await engine.start(id)
        var request = LogRequest()
        request.certainTimesOnly = true
        // Without it podman's reader may come to an end in the middle of a line.
        request.follow = true
        var entries: [LogEntry] = []
        for try await batch in try await engine.logs(id, request) { entries += batch }
        let text = String(decoding: entries.flatMap(\.bytes), as: UTF8.self)
        #expect(text == "prompt> 2026-01-02T03:04:05Z said\r\n")
        #expect(entries.allSatisfy { $0.time.nanosecondsSinceEpoch == 0 })
        try await engine.remove(id, force: true, volumes: true)
        try await podman.end()
    }

    @Test("A container's life, its output, a further process, figures and files on podman's service")
    func life() async throws {
        let podman = try await PodmanService()
        let engine = podman.engine
        #expect(try await engine.version().name.contains("Podman"))
        #expect(
            try await engine.images(ImageFilter()).contains {
                $0.tags.contains { $0.hasSuffix("gantry/starter:latest") }
            })
        var spec = ContainerSpec(image: "gantry/starter:latest")
        spec.command = ["sh", "-c", "echo out; echo err >&2; exec sleep 1000"]
        spec.networkMode = NetworkMode.none
        let id = try await engine.create(spec, name: "remote").id
        let stream = try await engine.attach(id, AttachRequest())
        try await engine.start(id)
        var said: [UInt8] = []
        while said.count < 8, let chunk = try await stream.read() {
            switch chunk {
            case .stdout(let bytes), .stderr(let bytes): said += bytes
            case .lost: break
            }
        }
        await stream.close()
        #expect(Set(String(decoding: said, as: UTF8.self).split(separator: "\n")) == ["out", "err"])
        #expect(try await engine.containers(ContainerFilter()).map(\.id) == [id])
        #expect(try await engine.inspect("remote").state.status == .running)
        var exec = ExecSpec(command: ["sh", "-c", "echo in; exit 3"])
        exec.attachStdout = true
        let execID = try await engine.createExec(id, exec)
        let output = try await engine.startExec(execID, size: nil)
        guard case .stdout(let bytes)? = try await output.read() else {
            Issue.record("the further process said nothing")
            return
        }
        #expect(bytes == Array("in\n".utf8))
        await output.close()
        #expect(try await engine.top(id, psArguments: []).rows.count == 1)
        #expect(try await engine.statPath(id, path: "/etc/passwd").name == "passwd")
        try await engine.pause(id)
        try await engine.unpause(id)
        let wait = try await engine.beginWait(id, for: .notRunning)
        try await engine.kill(id, signal: "KILL")
        #expect(try await wait.result().exitCode == 137)
        try await engine.remove(id, force: false, volumes: true)
        #expect(try await engine.containers(ContainerFilter(all: true)).isEmpty)
        let missing = await #expect(throws: EngineError.self) { try await engine.inspect("remote") }
        #expect(missing?.kind == .notFound)
        try await podman.end()
    }

    @Test("A container can be made anew from what podman tells of it: its limits, its volume, its namespaces")
    func anew() async throws {
        let podman = try await PodmanService()
        let engine = podman.engine
        var spec = ContainerSpec(image: "gantry/starter:latest")
        spec.command = ["sh", "-c", "echo x >> /data/file; cat /data/file; ulimit -n"]
        spec.networkMode = NetworkMode.none
        spec.mounts = [MountSpec(.volume, source: "kept", target: "/data")]
        let first = try await engine.create(spec, name: "first").id
        let told = try await engine.inspect(first)
        #expect(told.specGap == nil)
        #expect(told.spec.mounts.map(\.source) == ["kept"])
        // The service's own configuration says so.
        #expect(told.spec.ulimits.contains(Ulimit(name: "nofile", soft: 20000, hard: 20000)))
        for id in [first, try await engine.create(told.spec, name: "second").id] {
            try await engine.start(id)
            #expect(try await engine.beginWait(id, for: .notRunning).result().exitCode == 0)
        }
        var said: [String] = []
        for try await batch in try await engine.logs("second", LogRequest()) {
            said += batch.map { String(decoding: $0.bytes, as: UTF8.self).filter { $0 != "\n" } }
        }
        #expect(said == ["x", "x", "20000"])
        try await podman.end()
    }
}
