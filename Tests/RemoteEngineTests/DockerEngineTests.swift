import Daemon
import EngineAPI
import Glibc
import RemoteEngine
import ScriptedEngine
import Testing

/// An engine in memory, served and used again over its socket.
final class RoundTrip: Sendable {
    let memory = MemoryEngine()
    let remote: DockerEngine
    let socketPath: String
    private let server: DaemonServer

    init() async throws {
        socketPath = "/tmp/gantry-remote-\(String(UInt64.random(in: 0...UInt64.max), radix: 36)).sock"
        server = try await DaemonServer.start(engine: memory, socketPath: socketPath)
        remote = try DockerEngine(host: "unix://\(socketPath)")
    }

    deinit { unlink(socketPath) }

    func stop() async { await server.stop(grace: .milliseconds(500)) }

    func run(
        _ command: [String], name: String, start: Bool = true, _ change: (inout ContainerSpec) -> Void = { _ in }
    ) async throws -> String {
        var spec = ContainerSpec(image: MemoryEngine.image)
        spec.command = command
        spec.networkMode = NetworkMode.none
        change(&spec)
        let created = try await remote.create(spec, name: name)
        if start { try await remote.start(name) }
        return created.id
    }
}

@Suite struct DockerEngineTests {
    @Test("A container's life is the same over the wire")
    func life() async throws {
        let trip = try await RoundTrip()
        let remote = trip.remote
        let id = try await trip.run(["sleep"], name: "web", start: false) { $0.labels = ["a": "b"] }
        try await remote.start("web")
        let list = try await remote.containers(ContainerFilter())
        #expect(list == (await trip.memory.containers(ContainerFilter())))
        #expect(list.map(\.id) == [id] && list.first?.state.pid == 4242)
        let details = try await remote.inspect("web")
        let original = try await trip.memory.inspect("web")
        #expect(details.state == original.state && details.environment == original.environment)
        #expect(details.spec.command == ["sleep"] && details.spec.labels == ["a": "b"])
        #expect(details.hostname == original.hostname && details.cgroupPath == original.cgroupPath)
        try await remote.pause("web")
        #expect(try await remote.inspect("web").state.status == .paused)
        try await remote.unpause("web")
        try await remote.restart("web", signal: nil, timeoutSeconds: 1)
        try await remote.rename("web", to: "db")
        try await remote.stop("db", signal: "TERM", timeoutSeconds: 3)
        #expect(try await remote.wait("db", for: .notRunning) == WaitResult(exitCode: 143))
        try await remote.remove("db", force: false, volumes: true)
        #expect(try await remote.containers(ContainerFilter(all: true)) == [])
        await trip.stop()
    }

    @Test("An error keeps its kind, its words and its object")
    func errors() async throws {
        let trip = try await RoundTrip()
        let remote = trip.remote
        _ = try await trip.run(["sleep"], name: "s")
        _ = try await trip.run(["missing"], name: "m", start: false)
        func kind(_ body: () async throws -> Void) async -> EngineError.Kind? {
            do { try await body() } catch { return (error as? EngineError)?.kind }
            return nil
        }
        #expect(await kind { _ = try await remote.inspect("nowhere") } == .notFound)
        #expect(await kind { try await remote.start("s") } == .notModified)
        #expect(await kind { try await remote.start("m") } == .commandNotFound)
        #expect(await kind { try await remote.remove("s", force: false, volumes: false) } == .conflict)
        #expect(await kind { try await remote.kill("m", signal: "KILL") } == .conflict)
        #expect(await kind { _ = try await remote.create(ContainerSpec(image: "x"), name: nil) } == .notFound)
        #expect(await kind { _ = try await remote.inspectExec("x") } == .notFound)
        #expect(await kind { _ = try await remote.attach("nowhere", AttachRequest()) } == .notFound)
        #expect(await kind { _ = try await remote.logs("nowhere", LogRequest()) } == .notFound)
        let error = await #expect(throws: EngineError.self) { try await remote.inspect("a b/ü") }
        let told = EngineError.noSuchContainer("a b/ü")
        #expect(error?.kind == told.kind && error?.message == told.message && error?.object == told.object)
        await trip.stop()
    }

    @Test("Warnings come with the answer to create")
    func warnings() async throws {
        let trip = try await RoundTrip()
        await trip.memory.set(warnings: ["careful"])
        let created = try await trip.remote.create(ContainerSpec(image: MemoryEngine.image), name: nil)
        #expect(created.warnings == ["careful"])
        await trip.stop()
    }

    @Test("Attached before the start, both streams come apart and whole")
    func attach() async throws {
        let trip = try await RoundTrip()
        _ = try await trip.run(["both"], name: "b", start: false)
        let stream = try await trip.remote.attach("b", AttachRequest())
        try await trip.remote.start("b")
        #expect(try await stream.read() == .stdout(Array("out\n".utf8)))
        #expect(try await stream.read() == .stderr(Array("err\n".utf8)))
        #expect(try await stream.read() == nil)
        await stream.close()
        await trip.stop()
    }

    @Test(
        "Input goes in byte for byte, also what docker's detach keys look like; its end is told",
        arguments: [true, false])
    func input(tty: Bool) async throws {
        let trip = try await RoundTrip()
        let id = try await trip.run(["cat"], name: "c") { ($0.openStdin, $0.tty) = (true, tty) }
        let stream = try await trip.remote.attach("c", AttachRequest(stdin: true))
        try await stream.write([16, 17, 0, 255])
        #expect(try await stream.read() == .stdout([16, 17, 0, 255]))
        try await stream.closeInput()
        #expect(try await stream.read() == nil)
        #expect(try await trip.remote.wait(id, for: .notRunning).exitCode == 0)
        await trip.stop()
    }

    @Test("Closing a stream, or dropping it, detaches, and the container goes on", arguments: [true, false])
    func detach(byClose: Bool) async throws {
        let trip = try await RoundTrip()
        let id = try await trip.run(["cat"], name: "d") { $0.openStdin = true }
        do {
            let stream = try await trip.remote.attach("d", AttachRequest(stdin: true))
            try await stream.write([1])
            #expect(try await stream.read() == .stdout([1]))
            if byClose {
                await stream.close()
                #expect(try await stream.read() == nil)
            }
        }
        while await trip.memory.closedAttachments < 1 { await Task.yield() }
        let process = try await trip.memory.process(id)
        #expect(await process.exitCode == nil)
        await trip.stop()
    }

    @Test("An exec has its terminal, its size and its exit code")
    func exec() async throws {
        let trip = try await RoundTrip()
        let remote = trip.remote
        _ = try await trip.run(["sleep"], name: "e")
        var spec = ExecSpec(command: ["cat"])
        (spec.tty, spec.attachStdin, spec.environment) = (true, true, ["A=b"])
        let id = try await remote.createExec("e", spec)
        let stream = try await remote.startExec(id, size: TerminalSize(columns: 80, rows: 24))
        try await remote.resizeExec(id, to: TerminalSize(columns: 100, rows: 30))
        let process = try await trip.memory.execProcess(id)
        #expect(await process.sizes == [TerminalSize(columns: 80, rows: 24), TerminalSize(columns: 100, rows: 30)])
        #expect(try await remote.inspectExec(id).running)
        try await stream.write([65])
        #expect(try await stream.read() == .stdout([65]))
        try await stream.closeInput()
        #expect(try await stream.read() == nil)
        let details = try await remote.inspectExec(id)
        #expect(details.exitCode == 0 && !details.running && details.spec == spec)
        let missing = try await remote.createExec("e", ExecSpec(command: ["missing"]))
        let error = await #expect(throws: EngineError.self) { try await remote.startExec(missing, size: nil) }
        #expect(error?.kind == .commandNotFound)
        try await remote.startExecDetached(try await remote.createExec("e", ExecSpec(command: ["sleep"])))
        try await remote.resize("e", to: TerminalSize(columns: 1, rows: 2))
        await trip.stop()
    }

    @Test("A wait stands once it has begun, and ends with its task")
    func wait() async throws {
        let trip = try await RoundTrip()
        let remote = trip.remote
        _ = try await trip.run(["exit", "5"], name: "w", start: false)
        let wait = try await remote.beginWait("w", for: .nextExit)
        try await remote.start("w")
        #expect(try await wait.result() == WaitResult(exitCode: 5))
        _ = try await trip.run(["sleep"], name: "v")
        let endless = try await remote.beginWait("v", for: .notRunning)
        let task = Task { try await endless.result() }
        task.cancel()
        let error = await #expect(throws: EngineError.self) { try await task.value }
        #expect(error?.kind == .cancelled)
        await trip.stop()
    }
}
