import EngineAPI
import Glibc
import Linux
import LocalEngine
import Testing

/// Volumes, over containers' lives and over engines'.
@Suite(.enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"))
struct VolumeTests {
    private func run(
        _ script: String, _ engine: GantryEngine, _ bench: EngineBench, _ mounts: [MountSpec],
        _ change: (inout ContainerSpec) -> Void = { _ in }
    ) async throws -> (id: String, code: Int32) {
        let id = try await bench.create(script, on: engine) { spec in
            spec.mounts = mounts
            change(&spec)
        }
        let wait = try await engine.beginWait(id, for: .nextExit)
        try await engine.start(id)
        return (id, try await wait.result().exitCode)
    }

    private func succeeds(
        _ script: String, _ engine: GantryEngine, _ bench: EngineBench, _ mount: MountSpec
    ) async throws -> Bool {
        let result = try await run(script, engine, bench, [mount])
        return result.code == 0
    }

    @Test("The driver that a container names is that of its volumes in short form; without such nobody looks for it")
    func driver() async throws {
        try await EngineBench.with { engine, bench in
            let id = try await bench.create("true", on: engine) { spec in
                spec.volumeDriver = "nfs"
                spec.mounts = [MountSpec(.volume, source: "own", target: "/own")]
            }
            let spec = try await engine.inspect(id).spec
            #expect(spec.volumeDriver == "nfs" && spec.mounts.map(\.volumeDriver) == [nil])
            var short = MountSpec(.volume, source: "short", target: "/short")
            short.isShort = true
            for (mounts, places) in [([short], []), ([], ["/data"])] as [([MountSpec], [String])] {
                let error = await #expect(throws: EngineError.self) {
                    _ = try await bench.create("true", on: engine) { spec in
                        (spec.volumeDriver, spec.mounts, spec.anonymousVolumes) = ("nfs", mounts, places)
                    }
                }
                let words = "error looking up volume plugin nfs: plugin \"nfs\" not found"
                #expect(error?.message.hasSuffix(words) == true, "\(error?.message ?? "")")
            }
            #expect(try await engine.volumes(VolumeFilter()).map(\.spec.name) == ["own"])
        }
    }

    @Test("What a container writes into a volume, another finds, and the volume outlives both and the engine")
    func sharing() async throws {
        let bench = try EngineBench()
        do {
            let first = try await bench.open()
            let mount = MountSpec(.volume, source: "data", target: "/data")
            let writer = try await run("echo kept > /data/file", first, bench, [mount])
            #expect(writer.code == 0)
            await #expect(throws: EngineError.self) { try await first.removeVolume("data", force: false) }
            try await first.remove(writer.id, force: false, volumes: true)
            await first.close()
            let second = try await bench.open()
            var reading = mount
            reading.readOnly = true
            let reader = try await run("grep -q kept /data/file && ! touch /data/other", second, bench, [reading])
            #expect(reader.code == 0)
            #expect(try await second.volumes(VolumeFilter()).map(\.users) == [[reader.id]])
            #expect(try await second.inspectVolume("data").sizeBytes == nil, "nobody waits until it is measured")
            #expect(try await second.diskUsage(of: [.volume]).volumes.first?.sizeBytes ?? 0 > 0)
            try await second.remove(reader.id, force: false, volumes: true)
            try await second.removeVolume("data", force: false)
            await #expect(throws: EngineError.self) { try await second.inspectVolume("data") }
            #expect(access("\(bench.root)/data/volumes/data", F_OK) != 0)
            await second.close()
        } catch {
            try await bench.clear()
            throw error
        }
        try await bench.clear()
    }

    @Test("An empty volume gets what the image has at its place, with owners and modes; another does not")
    func copyUp() async throws {
        try await EngineBench.with { engine, bench in
            let mount = MountSpec(.volume, source: "etc", target: "/etc")
            let outcome1 = try await succeeds("test -s /etc/passwd && echo own > /etc/own", engine, bench, mount)
            #expect(outcome1)
            let outcome2 = try await succeeds("test -s /etc/own", engine, bench, mount)
            #expect(outcome2)
            var bare = MountSpec(.volume, source: "bare", target: "/bin2")
            bare.noCopy = true
            let outcome3 = try await succeeds("test -z \"$(ls /bin2)\"", engine, bench, bare)
            #expect(outcome3)
            // A place that the image has not is an empty directory.
            let fresh = MountSpec(.volume, source: "fresh", target: "/not/there")
            let outcome4 = try await succeeds("test -z \"$(ls /not/there)\"", engine, bench, fresh)
            #expect(outcome4)
        }
    }

    @Test("A volume without a name goes with its container where that was asked for, and else stays for a prune")
    func anonymous() async throws {
        try await EngineBench.with { engine, bench in
            let kept = try await run("true", engine, bench, []) { $0.anonymousVolumes = ["/a"] }
            #expect(try await engine.volumes(VolumeFilter()).count == 1)
            try await engine.remove(kept.id, force: false, volumes: false)
            let gone = try await run("true", engine, bench, []) { $0.anonymousVolumes = ["/a"] }
            #expect(try await engine.volumes(VolumeFilter()).count == 2)
            try await engine.remove(gone.id, force: false, volumes: true)
            #expect(try await engine.volumes(VolumeFilter()).count == 1)
            _ = try await engine.createVolume(VolumeSpec(name: "named"))
            #expect(try await engine.pruneVolumes(VolumeFilter()).removed.count == 1)
            var all = VolumeFilter()
            all.all = true
            #expect(try await engine.pruneVolumes(all).removed == ["named"])
        }
    }

    @Test("A removal that was refused has no say in what a later one takes along")
    func refusedRemoval() async throws {
        try await EngineBench.with { engine, bench in
            let id = try await bench.create("sleep 600", on: engine) { $0.anonymousVolumes = ["/a"] }
            try await engine.start(id)
            await #expect(throws: EngineError.self) { try await engine.remove(id, force: false, volumes: true) }
            try await engine.stop(id, signal: "KILL", timeoutSeconds: 5)
            try await engine.remove(id, force: false, volumes: false)
            #expect(try await engine.volumes(VolumeFilter()).count == 1)
        }
    }

    @Test("Of a creation and a removal of one name that meet, each is whole: what is listed is there")
    func meeting() async throws {
        try await EngineBench.with { engine, bench in
            for _ in 0..<100 {
                _ = try await engine.createVolume(VolumeSpec(name: "meeting"))
                async let removal: Void = engine.removeVolume("meeting", force: true)
                async let creation = engine.createVolume(VolumeSpec(name: "meeting"))
                async let another: Void = engine.removeVolume("meeting", force: true)
                _ = try await (removal, creation, another)
                let isThere = access("\(bench.root)/data/volumes/meeting/_data", F_OK) == 0
                #expect(try await engine.volumes(VolumeFilter()).isEmpty == !isThere)
            }
        }
    }

    @Test("A container takes over another's volumes, if it must for reading only")
    func lending() async throws {
        try await EngineBench.with { engine, bench in
            let mount = MountSpec(.volume, source: "lent", target: "/lent")
            let lender = try await run("echo x > /lent/x", engine, bench, [mount])
            let taker = try await run("test -s /lent/x && ! touch /lent/y", engine, bench, []) { spec in
                spec.volumesFrom = [String(lender.id.prefix(12)) + ":ro"]
            }
            #expect(taker.code == 0)
        }
    }

    @Test("A volume may be a memory file system, or another directory, by mount's options")
    func mountOptions() async throws {
        try await EngineBench.with { engine, bench in
            var memory = VolumeSpec(name: "memory")
            memory.options = ["type": "tmpfs", "device": "tmpfs", "o": "size=1m,mode=700"]
            _ = try await engine.createVolume(memory)
            let inMemory = MountSpec(.volume, source: "memory", target: "/m")
            let outcome5 = try await succeeds("grep -q '/m tmpfs.*size=1024k' /proc/mounts", engine, bench, inMemory)
            #expect(outcome5)
            let place = "\(bench.root)/place"
            try Directory.create(place)
            var bound = VolumeSpec(name: "bound")
            bound.options = ["type": "none", "device": place, "o": "bind"]
            _ = try await engine.createVolume(bound)
            let atPlace = MountSpec(.volume, source: "bound", target: "/b")
            let outcome6 = try await succeeds("touch /b/there", engine, bench, atPlace)
            #expect(outcome6)
            #expect(access(place + "/there", F_OK) == 0)
        }
    }

    @Test("What mount options describe is mounted for a copy out of a container that does not run, or into it")
    func restingCopies() async throws {
        try await EngineBench.with { engine, bench in
            for name in ["lower", "upper", "work"] { try Directory.create("\(bench.root)/\(name)") }
            try FileContents.replace("\(bench.root)/lower/file", with: Array("below".utf8), durable: false)
            var layered = VolumeSpec(name: "layered")
            layered.options = [
                "type": "overlay", "device": "overlay",
                "o": "lowerdir=\(bench.root)/lower,upperdir=\(bench.root)/upper,workdir=\(bench.root)/work",
            ]
            _ = try await engine.createVolume(layered)
            let id = try await bench.create("true", on: engine) { spec in
                spec.mounts = [MountSpec(.volume, source: "layered", target: "/v")]
                spec.mounts[0].noCopy = true
            }
            var bytes: [UInt8] = []
            for try await part in try await engine.copyOut(id, path: "/v/file").bytes { bytes += part }
            #expect(String(decoding: bytes, as: UTF8.self).contains("below"))
            let archive = try await engine.copyOut(id, path: "/etc/passwd").bytes
            try await engine.copyIn(id, path: "/v", archive: archive, options: CopyOptions())
            #expect(access("\(bench.root)/upper/passwd", F_OK) == 0)
            let mounts = String(decoding: try FileContents.read("/proc/self/mountinfo"), as: UTF8.self)
            #expect(!mounts.contains("volumes/layered"), "it is not mounted any longer than that")
            // What cannot be mounted is told, and not passed over.
            unlink("\(bench.root)/lower/file")
            rmdir("\(bench.root)/lower")
            let error = await #expect(throws: EngineError.self) { _ = try await engine.copyOut(id, path: "/v/file") }
            #expect(error?.message.contains("failed to mount local volume") == true, "\(error?.message ?? "")")
        }
    }

    @Test("A volume goes through a tar archive into another, links, modes and owners kept")
    func archive() async throws {
        try await EngineBench.with { engine, bench in
            let script =
                "chown 999:998 /v && chmod 710 /v && cd /v && mkdir -m 700 d && echo text > d/f && ln d/f hard && ln -s d/f soft && chown 7:8 d/f"
            let filled = try await succeeds(script, engine, bench, MountSpec(.volume, source: "one", target: "/v"))
            #expect(filled)
            _ = try await engine.createVolume(VolumeSpec(name: "two"))
            try await engine.importVolume("two", archive: try await engine.exportVolume("one"))
            let check = "cd /w && test \"$(stat -c '%a' d) $(stat -c '%u:%g %h' hard) $(cat soft)\" = '700 7:8 2 text'"
            let top = "test \"$(stat -c '%a %u:%g' /w)\" = '710 999:998' && "
            let same = try await succeeds(top + check, engine, bench, MountSpec(.volume, source: "two", target: "/w"))
            #expect(same)
            // One that has files of its own keeps its own top.
            let used = MountSpec(.volume, source: "used", target: "/u")
            let own = try await succeeds("touch /u/own && chmod 755 /u", engine, bench, used)
            #expect(own)
            try await engine.importVolume("used", archive: try await engine.exportVolume("one"))
            let kept = try await succeeds("test -e /u/soft && test $(stat -c %a:%u /u) = 755:0", engine, bench, used)
            #expect(kept)
            await #expect(throws: EngineError.self) { try await engine.exportVolume("three") }
            let refusal = await #expect(throws: EngineError.self) {
                try await engine.importVolume("two", archive: Self.stream(Array("no archive at all".utf8)))
            }
            #expect(refusal?.kind == .invalid)
        }
    }

    @Test("A full disk is told, by an import and by the copy of the image's files")
    func fullDisk() async throws {
        try await EngineBench.with { engine, bench in
            let place = "\(bench.root)/small"
            try Directory.create(place)
            try Mount.mount("tmpfs", at: place, type: "tmpfs", data: "size=64k")
            defer { try? Mount.unmount(place, detach: true) }  // It goes with the folder at the latest.
            var small = VolumeSpec(name: "small")
            small.options = ["type": "none", "device": place, "o": "bind"]
            _ = try await engine.createVolume(small)
            let mount = MountSpec(.volume, source: "large", target: "/v")
            let filled = try await succeeds("head -c 200000 /dev/zero > /v/zeros", engine, bench, mount)
            #expect(filled)
            let full = await #expect(throws: EngineError.self) {
                try await engine.importVolume("small", archive: try await engine.exportVolume("large"))
            }
            #expect(full?.kind == .unavailable, "\(String(describing: full))")
            #expect(full?.message.contains("no space left on device") == true, "\(full?.message ?? "")")
            try Directory.removeTree(place + "/zeros")
            let copy = await #expect(throws: EngineError.self) {
                try await bench.create("true", on: engine) {
                    $0.mounts = [MountSpec(.volume, source: "small", target: "/bin")]
                }
            }
            #expect(copy?.kind == .unavailable, "\(String(describing: copy))")
            #expect(try MountTable.current().allSatisfy { !$0.mountPoint.hasSuffix("/volumes/small/_data") })
        }
    }

    @Test("A volume whose device is not there is refused with what was to be mounted, and nothing stays mounted")
    func missingDevice() async throws {
        try await EngineBench.with { engine, bench in
            var spec = VolumeSpec(name: "gone")
            spec.options = ["type": "none", "device": "\(bench.root)/not-there", "o": "bind,ro"]
            _ = try await engine.createVolume(spec)
            let refusal = await #expect(throws: EngineError.self) {
                try await bench.create("true", on: engine) {
                    $0.mounts = [MountSpec(.volume, source: "gone", target: "/x")]
                }
            }
            #expect(refusal?.message.contains("failed to mount local volume: mount \(bench.root)/not-there:") == true)
            #expect(try await engine.containers(ContainerFilter(all: true)) == [])
            try await engine.removeVolume("gone", force: false)
        }
    }

    private static func stream(_ bytes: [UInt8]) -> EngineStream<[UInt8]> {
        EngineStream(
            AsyncStream { continuation in
                continuation.yield(bytes)
                continuation.finish()
            })
    }

    @Test(
        "Names that lead elsewhere are refused, and nothing is made",
        arguments: ["a/b", "..", ".", "../x", "-x", "a", "ü1", "a b", String(repeating: "x", count: 256)])
    func badNames(name: String) async throws {
        try await EngineBench.with { engine, bench in
            await #expect(throws: EngineError.self) { try await engine.createVolume(VolumeSpec(name: name)) }
            await #expect(throws: EngineError.self) {
                try await bench.create("true", on: engine) {
                    $0.mounts = [MountSpec(.volume, source: name, target: "/x")]
                }
            }
            let volumes = try await engine.volumes(VolumeFilter())
            let containers = try await engine.containers(ContainerFilter(all: true))
            #expect(volumes == [])
            #expect(containers == [])
        }
    }
}
