import EngineAPI
import Faults
import Glibc
import Linux
import LocalEngine
import Testing

/// The engine's process is killed at every named step of making and removing volumes.
@Suite(
    .enabled(
        if: EngineProbe.missing == nil, "needs root, busybox-static, a debug build, and the programs beside the tests"))
struct VolumeCrashTests {
    @Test("A volume's creation that is cut short is undone")
    func create() async throws {
        try await Self.onBench { bench in
            #expect(try EngineProbe.die(at: .volumeCreateAfterDirectory, "volume-create", bench, name: "cut"))
            let engine = try await bench.open()
            #expect(try await engine.volumes(VolumeFilter()) == [])
            #expect(Self.folders(bench) == [])
            await engine.close()
        }
    }

    @Test(
        "A volume's removal that is cut short is finished, and the next of its name is empty",
        arguments: [
            ("volume-remove", FaultPoint.volumeRemoveAfterRename), ("volume-remove", .volumeRemoveAfterRow),
            ("volume-prune", .volumeRemoveAfterRename), ("volume-prune", .volumeRemoveAfterRow),
        ])
    func remove(verb: String, point: FaultPoint) async throws {
        try await Self.onBench { bench in
            let first = try await bench.open()
            let place = try await first.createVolume(VolumeSpec(name: "cut")).mountpoint
            try FileContents.replace(place + "/file", with: [1], mode: 0o600, durable: false)
            await first.close()
            #expect(try EngineProbe.die(at: point, verb, bench, name: "cut"))
            let engine = try await bench.open()
            #expect(try await engine.volumes(VolumeFilter()) == [])
            #expect(Self.folders(bench) == [])
            #expect(try await Directory.list(engine.createVolume(VolumeSpec(name: "cut")).mountpoint) == [])
            await engine.close()
        }
    }

    @Test("A volume in memory stays mounted for its living container while no engine runs, and goes with the last one")
    func memoryOutlives() async throws {
        try await Self.onBench { bench in
            let first = try await bench.open()
            var spec = VolumeSpec(name: "memory")
            spec.options = ["type": "tmpfs", "device": "tmpfs", "o": "size=1m"]
            let place = try await first.createVolume(spec).mountpoint
            let mount = MountSpec(.volume, source: "memory", target: "/m")
            let holder = try await bench.create("echo shared > /m/file; sleep 600", on: first) { $0.mounts = [mount] }
            try await first.start(holder)
            #expect(eventually { access(place + "/file", F_OK) == 0 })
            await first.close()
            let second = try await bench.open()
            let reader = try await bench.create("grep -q shared /m/file", on: second) { $0.mounts = [mount] }
            let wait = try await second.beginWait(reader, for: .nextExit)
            try await second.start(reader)
            #expect(try await wait.result().exitCode == 0)
            // The reader's end does not take it from the holder.
            #expect(access(place + "/file", F_OK) == 0)
            try await second.remove(holder, force: true, volumes: false)
            #expect(try MountTable.current().allSatisfy { $0.mountPoint != place })
            await second.close()
        }
    }

    private static func folders(_ bench: EngineBench) -> [String] {
        ["", "/.removed"].flatMap { place in
            // A place that was never made holds nothing.
            ((try? Directory.list("\(bench.root)/data/volumes\(place)")) ?? []).filter { $0 != ".removed" }
        }
    }

    private static func onBench(_ body: (EngineBench) async throws -> Void) async throws {
        let bench = try EngineBench()
        do { try await body(bench) } catch {
            try await bench.clear()
            throw error
        }
        try await bench.clear()
    }
}
