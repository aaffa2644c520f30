import EngineAPI
import Glibc
import Linux
import LocalEngine
import Testing

@Suite(
    .enabled(
        if: EngineBench.missing == nil,
        "needs root, busybox-static, and gantry-shim and gantry-runtime beside the tests"))
struct OpeningTests {
    @Test("A data root has one engine; the second is told who has it")
    func locked() async throws {
        try await EngineBench.with { engine, bench in
            do {
                _ = try await bench.open()
                Issue.record("two engines on one data root")
            } catch let error as GantryEngine.OpenError {
                guard case .inUse(let dataRoot, let pid) = error else { throw error }
                #expect(dataRoot == bench.configuration.dataRoot && pid == getpid())
            }
            await engine.close()
            let next = try await bench.open()
            await next.close()
        }
    }

    /// CVE-2021-41091: a container's program with the set-user-id bit was within reach of every user of the machine.
    @Test("No other user of the machine gets at containers' files, or at what is known of them, in an old root either")
    func strangers() async throws {
        try await EngineBench.with { engine, bench in
            let id = try await bench.create("true", on: engine)
            let data = bench.configuration.dataRoot
            // The way there is open to all, and was open further.
            chmod(bench.root, 0o711)
            chmod(data, 0o711)
            #expect(try Self.strangerCanSee("\(data)/snapshots"))
            chmod(data, 0o710)
            for path in ["snapshots/\(id)/fs", "snapshots", "gantry.db"] {
                #expect(try Self.strangerCanSee("/etc/passwd"))
                #expect(try !Self.strangerCanSee("\(data)/\(path)"))
            }
            let rows = ["gantry.db", "gantry.db-wal", "gantry.db-shm"].map { "\(data)/\($0)" }
            #expect(try rows.map(Self.mode) == [0o600, 0o600, 0o600])
            await engine.close()
            chmod(data, 0o711)
            for path in rows { chmod(path, 0o644) }
            let next = try await bench.open()
            #expect(try Self.mode(data) == 0o710)
            #expect(try rows.map(Self.mode) == [0o600, 0o600, 0o600])
            await next.close()
        }
    }

    private static func strangerCanSee(_ path: String) throws -> Bool {
        let words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/test", "-e", path]
        let pid = try Spawn(program: "/usr/bin/setpriv", arguments: words).start()
        var status: Int32 = 0
        try kernelCall("waitpid") { waitpid(pid, &status, 0) }
        return status == 0
    }

    private static func mode(_ path: String) throws -> mode_t {
        var facts = stat()
        try kernelCall("stat", path) { stat(path, &facts) }
        return facts.st_mode & 0o777
    }

    @Test("Without busybox the engine works on and says what is missing")
    func noBusybox() async throws {
        let bench = try EngineBench()
        var configuration = bench.configuration
        configuration.busyboxPath = "/gantry/absent/busybox"
        let engine = try await GantryEngine(configuration)
        #expect(try await engine.images(ImageFilter()).isEmpty)
        #expect(engine.warnings.count == 1)
        #expect(try await engine.info().warnings.contains { $0.contains("busybox") })
        await engine.close()
        try await bench.clear()
    }

    @Test("Programs that are missing are named")
    func noShim() async throws {
        var configuration = LocalEngineConfiguration(root: "/tmp/gantry-absent")
        configuration.shimPath = "/gantry/absent/gantry-shim"
        let failure = await #expect(throws: GantryEngine.OpenError.self) { _ = try await GantryEngine(configuration) }
        #expect(failure?.description.contains("/gantry/absent/gantry-shim") == true)
        #expect(access("/tmp/gantry-absent", F_OK) != 0)
    }

    @Test("Metadata that is damaged is refused in words, and the lock is given back")
    func damaged() async throws {
        let bench = try EngineBench()
        try Directory.create(bench.configuration.dataRoot)
        let path = bench.configuration.dataRoot + "/gantry.db"
        try FileContents.replace(path, with: [UInt8](repeating: 7, count: 4096))
        let failure = await #expect(throws: GantryEngine.OpenError.self) { _ = try await bench.open() }
        guard case .failed(let error) = failure else {
            Issue.record("not refused")
            return
        }
        #expect(error.message.contains("gantry.db"))
        unlink(path)
        try await bench.clear()
    }

    @Test("Two roots have two names everywhere")
    func roots() {
        let one = LocalEngineConfiguration(root: "/tmp/a/")
        let other = LocalEngineConfiguration(root: "/tmp/b")
        #expect(one.dataRoot == "/tmp/a/data" && one.runRoot == "/tmp/a/run")
        #expect(one.cgroupParent != other.cgroupParent)
        #expect(one.cgroupParent == LocalEngineConfiguration(root: "/tmp/./a").cgroupParent)
    }
}
