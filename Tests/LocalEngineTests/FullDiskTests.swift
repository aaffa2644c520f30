import EngineAPI
import Glibc
import Linux
import LocalEngine
import Testing

/// What an engine does while there is no space for its metadata, on a real file system that is full.
@Suite(.enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"))
struct FullDiskTests {
    @Test("An end that cannot be written down is told, outlives the engine, and is written once there is space")
    func end() async throws {
        try await Self.onSmallDisk { bench, disk in
            let engine = try await bench.open()
            let id = try await Self.start("exit 7", on: engine, bench)
            try disk.fill()
            try Self.release(bench)
            #expect(try await engine.wait(id, for: .notRunning).exitCode == 7)
            #expect(Self.hasShim(id, bench), "the shim is all that knows of the end for good")
            let error = await #expect(throws: EngineError.self) { try await engine.start(id) }
            #expect(error?.message.contains("no space left on device") == true)
            #expect(try await engine.inspect(id).state.exitCode == 7)
            await engine.close()
            let next = try await bench.open()
            #expect(try await next.inspect(id).state.exitCode == 7)
            #expect(try await next.inspect(id).state.status == .exited)
            disk.free()
            try await Self.eventually { !Self.hasShim(id, bench) }
            await next.close()
            let last = try await bench.open()
            #expect(try await last.inspect(id).state.exitCode == 7)
            #expect(try await Self.actions(of: id, last) == ["create", "start", "die"])
            await last.close()
        }
    }

    @Test("A job that failed is started again once its end is written down, and as often as its policy says")
    func restart() async throws {
        try await Self.onSmallDisk { bench, disk in
            let engine = try await bench.open()
            let script = "echo >> /place/runs; [ $(wc -l < /place/runs) = 2 ] && exec sleep 600; exit 7"
            let id = try await Self.start(script, on: engine, bench) {
                $0.restartPolicy = RestartPolicy(.onFailure, maximumRetries: 1)
            }
            try disk.fill()
            try Self.release(bench)
            _ = try await engine.wait(id, for: .nextExit)
            try await Self.eventually { try await engine.inspect(id).restartCount == 1 }
            #expect(Self.hasShim(id, bench))
            await engine.close()
            #expect(try Self.runs(bench) == 1)
            disk.free()
            let next = try await bench.open()
            try await Self.eventually { try await next.inspect(id).state.status == .running }
            #expect(try await next.inspect(id).restartCount == 1)
            try await Self.eventually { try Self.runs(bench) == 2 }
            #expect(try await Self.actions(of: id, next) == ["create", "start", "die", "start"])
            await next.close()
        }
    }

    @Test("A container can be removed from a full disk, though its end is not written down, and nothing of it stays")
    func remove() async throws {
        try await Self.onSmallDisk { bench, disk in
            let engine = try await bench.open()
            let script =
                "head -c 300000 /dev/zero > /written; echo > /place/written; until [ -e /place/go ]; do usleep 10000; done"
            let id = try await Self.start(script, on: engine, bench)
            try await Self.eventually { access("\(bench.root)/place/written", F_OK) == 0 }
            try disk.fill()
            try Self.release(bench)
            _ = try await engine.wait(id, for: .notRunning)
            #expect(Self.hasShim(id, bench))
            try await engine.remove(id, force: false, volumes: false)
            #expect(bench.traces(of: id) == [])
            #expect(try await Self.actions(of: id, engine) == ["create", "start", "die", "destroy"])
            await engine.close()
            let next = try await bench.open()
            #expect(try await next.containers(ContainerFilter(all: true)).isEmpty)
            await next.close()
        }
    }

    @Test("A name that cannot be changed stays, in the container's networks, too")
    func rename() async throws {
        try await Self.onSmallDisk { bench, disk in
            let engine = try await bench.open()
            _ = try await engine.createNetwork(NetworkSpec(name: "net"))
            let id = try await bench.create("true", name: "old", on: engine) {
                $0.networkMode = NetworkMode(rawValue: "net")
            }
            try disk.fill()
            let error = await #expect(throws: EngineError.self) { try await engine.rename(id, to: "new") }
            #expect(error?.message.contains("no space left on device") == true)
            #expect(try await engine.inspect("old").id == id)
            #expect(try await engine.inspect(id).networks.first?.dnsNames.first == "old")
            let other = await #expect(throws: EngineError.self) {
                try await engine.disconnect(id, from: "net", force: false)
            }
            #expect(other?.message.contains("no space left on device") == true)
            #expect(try await engine.inspect(id).networks.map(\.networkName) == ["net"])
            disk.free()
            try await engine.rename(id, to: "new")
            #expect(try await engine.inspect(id).networks.first?.dnsNames.first == "new")
            await engine.close()
        }
    }
}

/// A tmpfs on which an engine's data root is.
private struct SmallDisk {
    let path: String
    private var ballast: String { path + "/ballast" }

    init(_ path: String) throws {
        self.path = path
        try Directory.create(path, mode: 0o700)
        try Mount.mount("tmpfs", at: path, type: "tmpfs", data: "size=24m")
    }

    /// Takes every byte that is left, and what the engine holds back for removals.
    func fill() throws {
        unlink(path + "/gantry.db-ballast")
        let file = OwnedDescriptor(try Descriptor.open(ballast, O_WRONLY | O_CREAT | O_APPEND, mode: 0o600))
        let zeros = [UInt8](repeating: 0, count: 1 << 16)
        for size in [zeros.count, 1] {
            var written = 1
            while written > 0 { written = write(file.descriptor.rawValue, zeros, size) }
            #expect(errno == ENOSPC)
        }
    }

    func free() { unlink(ballast) }

    func remove() throws { try Mount.unmount(path, detach: true) }
}

extension FullDiskTests {
    private static func onSmallDisk(_ body: (EngineBench, SmallDisk) async throws -> Void) async throws {
        let bench = try EngineBench()
        let disk = try SmallDisk(bench.configuration.dataRoot)
        do { try await body(bench, disk) } catch {
            try await clear(bench, disk)
            throw error
        }
        try await clear(bench, disk)
    }

    private static func clear(_ bench: EngineBench, _ disk: SmallDisk) async throws {
        disk.free()
        let engine = try await bench.open()
        for container in try await engine.containers(ContainerFilter(all: true)) {
            try await engine.remove(container.id, force: true, volumes: true)
        }
        await engine.close()
        try disk.remove()
        try await bench.clear()
    }

    /// Starts a container that does as the script says once `release` lets it.
    private static func start(
        _ script: String, on engine: GantryEngine, _ bench: EngineBench,
        _ change: (inout ContainerSpec) -> Void = { _ in }
    ) async throws -> String {
        let place = "\(bench.root)/place"
        try Directory.create(place, mode: 0o700)
        let waiting = "until [ -e /place/go ]; do usleep 10000; done; "
        let id = try await bench.create(script.contains("/place/go") ? script : waiting + script, on: engine) { spec in
            spec.mounts = [MountSpec(.bind, source: place, target: "/place")]
            change(&spec)
        }
        try await engine.start(id)
        return id
    }

    private static func release(_ bench: EngineBench) throws {
        try FileContents.replace("\(bench.root)/place/go", with: [])
    }

    private static func runs(_ bench: EngineBench) throws -> Int {
        try FileContents.read("\(bench.root)/place/runs").count
    }

    private static func hasShim(_ id: String, _ bench: EngineBench) -> Bool {
        bench.traces(of: id).contains("run/shims/\(id)")
    }

    private static func actions(of id: String, _ engine: GantryEngine) async throws -> [String] {
        var request = EventRequest()
        request.since = Timestamp(nanosecondsSinceEpoch: 0)
        request.until = .now()
        var actions: [String] = []
        for try await event in try await engine.events(request) where event.actorID == id {
            actions.append(event.action)
        }
        return actions
    }

    private static func eventually(_ holds: () async throws -> Bool) async throws {
        for _ in 0..<3000 {
            if try await holds() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("it does not come to that")
    }
}
