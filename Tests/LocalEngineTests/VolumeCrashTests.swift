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
    @Test("A volume's creation whose answer did not come has made one that works")
    func createdAlready() async throws {
        try await Self.onBench { bench in
            #expect(try EngineProbe.die(at: .volumeCreateAfterRow, "volume-create", bench, name: "cut"))
            let engine = try await bench.open()
            #expect(try await engine.createVolume(VolumeSpec(name: "cut")).users == [])
            #expect(Self.folders(bench) == ["cut"])
            try await engine.removeVolume("cut", force: false)
            #expect(Self.folders(bench) == [])
            await engine.close()
        }
    }

    @Test(
        "A container's creation that is cut short leaves no nameless volume, and a named one with all files or none",
        arguments: [
            FaultPoint.volumeCreateAfterDirectory, .createAfterIntent, .volumeCreateAfterRow, .volumeFillAfterCopy,
            .volumeFillAfterWhole, .createAfterRoot,
        ])
    func createWithVolumes(point: FaultPoint) async throws {
        try await Self.onBench { bench in
            #expect(try EngineProbe.die(at: point, "create-with-volumes", bench, name: "named"))
            let engine = try await bench.open()
            #expect(try await engine.volumes(VolumeFilter()).filter { $0.spec.name != "named" } == [])
            #expect(Self.folders(bench).allSatisfy { $0 == "named" })
            let mount = MountSpec(.volume, source: "named", target: "/etc")
            let id = try await bench.create("true", on: engine) { $0.mounts = [mount] }
            #expect(try await Self.files(of: "named", engine).contains("passwd"))
            #expect(try Directory.list("\(bench.root)/data/volumes/named") == ["_data"])
            #expect(try await engine.inspectVolume("named").users == [id])
            await #expect(throws: EngineError.self) { try await engine.removeVolume("named", force: false) }
            try await engine.remove(id, force: true, volumes: true)
            try await engine.removeVolume("named", force: false)
            #expect(Self.folders(bench) == [])
            await engine.close()
        }
    }

    @Test(
        "A volume that is a mount gets all of the image's files or none, wherever the engine dies over it",
        arguments: [FaultPoint.volumeFillAfterCopy, .volumeFillAfterWhole])
    func fillingMount(point: FaultPoint) async throws {
        try await Self.onBench { bench in
            let place = "\(bench.root)/place"
            try Directory.create(place)
            let first = try await bench.open()
            var spec = VolumeSpec(name: "named")
            spec.options = ["type": "none", "device": place, "o": "bind"]
            let mountpoint = try await first.createVolume(spec).mountpoint
            await first.close()
            #expect(try EngineProbe.die(at: point, "create-with-volumes", bench, name: "named"))
            #expect(try Directory.list(place) != [])
            let engine = try await bench.open()
            #expect(!Self.isMounted(mountpoint))
            let id = try await bench.create("true", on: engine) { spec in
                spec.mounts = [MountSpec(.volume, source: "named", target: "/etc")]
            }
            let files = try Directory.list(place)
            #expect(files.contains("passwd") && files.contains("group"))
            #expect(!files.contains { $0.hasPrefix(".gantry") }, "\(files)")
            try await engine.remove(id, force: true, volumes: true)
            try await engine.removeVolume("named", force: false)
            #expect(!Self.isMounted(mountpoint))
            await engine.close()
        }
    }

    @Test("Files that a container has made immutable keep neither the engine nor the other volumes from being used")
    func immutableFiles() async throws {
        try await Self.onBench { bench in
            let first = try await bench.open()
            let driver = try await first.info().storageDriver
            _ = try await first.createVolume(VolumeSpec(name: "kept"))
            await first.close()
            let data = "\(bench.root)/data"
            try Directory.create("\(data)/volumes/.removed")
            let left = ["\(data)/volumes/.removed/gone", "\(data)/snapshots/.old-1-1"]
            for directory in left {
                try Directory.create(directory)
                try FileContents.replace("\(directory)/file", with: [], durable: false)
                try Self.setImmutable("\(directory)/file", true)
            }
            defer { for directory in left { try? Self.setImmutable("\(directory)/file", false) } }
            let engine = try await bench.open()
            #expect(try await engine.volumes(VolumeFilter()).map(\.spec.name) == ["kept"])
            try await engine.removeVolume("kept", force: false)
            if driver != "vfs" {
                #expect(try await engine.info().warnings.contains { $0.contains("snapshots/.old-1-1") })
            }
            await engine.close()
        }
    }

    /// ioctl_iflags(2): what chattr(1) calls `i`.
    private static func setImmutable(_ path: String, _ isImmutable: Bool) throws {
        let file = OwnedDescriptor(try Descriptor.open(path, O_RDONLY))
        let (read, write): (UInt, UInt) = (0x8008_6601, 0x4008_6602)
        var flags: Int32 = 0
        try kernelCall("read the flags of a file") { ioctl(file.descriptor.rawValue, read, &flags) }
        flags = isImmutable ? flags | 0x10 : flags & ~0x10
        try kernelCall("set the flags of a file") { ioctl(file.descriptor.rawValue, write, &flags) }
    }

    @Test("Files that somebody has put into a volume while it was being filled stay as they are")
    func filledMeanwhile() async throws {
        try await Self.onBench { bench in
            #expect(try EngineProbe.die(at: .volumeFillAfterWhole, "create-with-volumes", bench, name: "named"))
            let own = "\(bench.root)/data/volumes/named/_data/passwd"
            try FileContents.replace(own, with: Array("own".utf8), mode: 0o600, durable: false)
            let engine = try await bench.open()
            let files = try await Self.files(of: "named", engine)
            #expect(files.contains("group"))
            #expect(try FileContents.read(own) == Array("own".utf8))
            #expect(try Directory.list("\(bench.root)/data/volumes/named") == ["_data"])
            await engine.close()
        }
    }

    @Test(
        "A removal with volumes that is cut short is finished with them",
        arguments: [
            FaultPoint.removeAfterMark, .volumeRemoveAfterRename, .volumeRemoveAfterRow, .removeAfterVolumes,
            .removeAfterRow,
        ])
    func removeWithVolumes(point: FaultPoint) async throws {
        try await Self.onBench { bench in
            let first = try await bench.open()
            let id = try await bench.create("true", name: "victim", on: first) { $0.anonymousVolumes = ["/anonymous"] }
            await first.close()
            #expect(try EngineProbe.die(at: point, "remove-with-volumes", bench))
            let engine = try await bench.open()
            #expect(try await eventually { try await engine.containers(ContainerFilter(all: true)).isEmpty }, "\(id)")
            #expect(try await engine.volumes(VolumeFilter()) == [])
            #expect(Self.folders(bench) == [])
            await engine.close()
        }
    }

    @Test(
        "What is mounted for a start that is cut short goes, and the volume is the next one's",
        arguments: [FaultPoint.volumeHoldAfterMount, .startAfterBundle, .startAfterTask])
    func start(point: FaultPoint) async throws {
        try await Self.onBench { bench in
            let (place, victim) = try await Self.memoryVolume(bench, "sleep 600")
            #expect(try EngineProbe.die(at: point, "start", bench))
            #expect(Self.isMounted(place))
            let engine = try await bench.open()
            #expect(try await engine.inspectVolume("memory").users == [victim])
            #expect(!Self.isMounted(place))
            try await engine.start(victim)
            #expect(Self.isMounted(place))
            try await engine.remove(victim, force: true, volumes: false)
            #expect(!Self.isMounted(place))
            try await engine.removeVolume("memory", force: false)
            await engine.close()
        }
    }

    @Test("What was mounted for a container that ended goes, though the engine died over its end")
    func end() async throws {
        try await Self.onBench { bench in
            let (place, victim) = try await Self.memoryVolume(bench, "sleep 600")
            let first = try await bench.open()
            try await first.start(victim)
            await first.close()
            #expect(try EngineProbe.die(at: .volumeReleaseBeforeUnmount, "stop-with-volumes", bench))
            #expect(Self.isMounted(place))
            let engine = try await bench.open()
            #expect(try await engine.inspectVolume("memory").users == [victim])
            #expect(!Self.isMounted(place))
            await engine.close()
        }
    }

    @Test(
        "An import that is cut short leaves the volume to be used, imported into again and removed",
        arguments: [FaultPoint.volumeHoldAfterMount, .volumeImportAfterBytes, .volumeImportAfterFiles])
    func importing(point: FaultPoint) async throws {
        try await Self.onBench { bench in
            let first = try await bench.open()
            let source = try await first.createVolume(VolumeSpec(name: "source")).mountpoint
            try FileContents.replace(source + "/file", with: [1], mode: 0o600, durable: false)
            try Directory.create("\(bench.root)/place")
            var spec = VolumeSpec(name: "target")
            spec.options = ["type": "none", "device": "\(bench.root)/place", "o": "bind"]
            let target = try await first.createVolume(spec).mountpoint
            await first.close()
            #expect(try EngineProbe.die(at: point, "volume-import", bench, name: "target"))
            let engine = try await bench.open()
            #expect(try await engine.inspectVolume("target").users == [])
            #expect(!Self.isMounted(target))
            try await engine.importVolume("target", archive: try await engine.exportVolume("source"))
            #expect(try Directory.list("\(bench.root)/place") == ["file"])
            #expect(!Self.isMounted(target))
            try await engine.removeVolume("target", force: false)
            try await engine.removeVolume("source", force: false)
            #expect(Self.folders(bench) == [])
            await engine.close()
        }
    }

    /// A container, `victim`, with a volume in memory.
    private static func memoryVolume(
        _ bench: EngineBench, _ script: String
    ) async throws -> (place: String, container: String) {
        let engine = try await bench.open()
        var spec = VolumeSpec(name: "memory")
        spec.options = ["type": "tmpfs", "device": "tmpfs", "o": "size=1m"]
        let place = try await engine.createVolume(spec).mountpoint
        let id = try await bench.create(script, name: "victim", on: engine) { spec in
            spec.mounts = [MountSpec(.volume, source: "memory", target: "/m")]
        }
        await engine.close()
        return (place, id)
    }

    private static func isMounted(_ place: String) -> Bool {
        // A table that cannot be read has nothing in it, and fails the test where something should be.
        ((try? MountTable.current()) ?? []).contains { $0.mountPoint == place }
    }

    private static func files(of volume: String, _ engine: GantryEngine) async throws -> [String] {
        try await Directory.list(engine.inspectVolume(volume).mountpoint)
    }

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
