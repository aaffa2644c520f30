import EngineAPI
import Glibc
import Lifecycle
import Linux
import LocalEngine
import Testing

/// Images that are mounted in containers, parts of volumes and of images, and /etc/mtab.
@Suite(.enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"))
struct PreparedMountTests {
    private func run(
        _ script: String, _ engine: GantryEngine, _ bench: EngineBench, _ mounts: [MountSpec]
    ) async throws -> (id: String, code: Int32) {
        let id = try await bench.create(script, on: engine) { $0.mounts = mounts }
        return (id, try await code(id, engine))
    }

    private func code(_ id: String, _ engine: GantryEngine) async throws -> Int32 {
        let wait = try await engine.beginWait(id, for: .nextExit)
        try await engine.start(id)
        return try await wait.result().exitCode
    }

    private func mount(
        _ kind: MountSpec.Kind, _ source: String, _ subpath: String?, readOnly: Bool = false
    ) -> MountSpec {
        var mount = MountSpec(kind, source: source, target: "/m")
        (mount.subpath, mount.readOnly) = (subpath, readOnly)
        return mount
    }

    @Test("Of a volume a directory or a file in it can be mounted; no link in the volume leads out of it")
    func partOfVolume() async throws {
        try await EngineBench.with { engine, bench in
            let script = """
                mkdir -p /m/sub/deep && echo kept > /m/sub/deep/file && echo other > /m/other \
                && ln -s /etc/passwd /m/out && ln -s ../../../../../../etc /m/up && ln -s /sub/deep /m/in
                """
            let outcome0 = try await run(script, engine, bench, [mount(.volume, "goods", nil)])
            #expect(outcome0.code == 0)
            let outcome1 = try await run(
                "test \"$(cat /m/file)\" = kept && ! test -e /m/other && touch /m/new", engine, bench,
                [mount(.volume, "goods", "sub/deep")])
            #expect(outcome1.code == 0)
            let outcome2 = try await run(
                "test \"$(cat /m)\" = kept && ! sh -c 'echo x > /m'", engine, bench,
                [mount(.volume, "goods", "sub/deep/file", readOnly: true)])
            #expect(outcome2.code == 0)
            let outcome3 = try await run("test -e /m/new", engine, bench, [mount(.volume, "goods", "in")])
            #expect(outcome3.code == 0, "a link is followed with the volume as its root")
            for path in ["out", "up", "nosuch"] {
                let id = try await bench.create("true", on: engine) { $0.mounts = [mount(.volume, "goods", path)] }
                let error = await #expect(throws: EngineError.self) { try await engine.start(id) }
                #expect(error?.message.contains("cannot access path") == true, "\(error?.message ?? "")")
            }
            // The same where the container does not run.
            let resting = try await bench.create("true", on: engine) { $0.mounts = [mount(.volume, "goods", "sub")] }
            #expect(try await engine.listDirectory(resting, path: "/m").map(\.name) == ["deep"])
        }
    }

    @Test("An image is mounted with all it has; what is written to it lasts as long as the container")
    func image() async throws {
        try await EngineBench.with { engine, bench in
            let script = "test -s /m/etc/passwd && { test -e /m/mark && exit 7; touch /m/mark; }"
            let first = try await run(script, engine, bench, [mount(.image, "gantry/starter", nil)])
            #expect(first.code == 0)
            #expect(try await code(first.id, engine) == 7)
            let second = try await run(
                "! test -e /m/mark && ! touch /m/x", engine, bench,
                [mount(.image, "gantry/starter", nil, readOnly: true)])
            #expect(second.code == 0)
            let part = try await run("test -s /m/passwd", engine, bench, [mount(.image, "gantry/starter", "etc")])
            #expect(part.code == 0)
            let file = try await run("test -s /m", engine, bench, [mount(.image, "gantry/starter", "etc/passwd")])
            #expect(file.code == 0)
            #expect(try await engine.inspect(first.id).spec.mounts.map(\.kind) == [.image])
            let root = "\(bench.root)/data/snapshots/\(first.id)_m0"
            #expect(access(root, F_OK) == 0)
            try await engine.remove(first.id, force: false, volumes: false)
            #expect(access(root, F_OK) != 0)
            let error = await #expect(throws: EngineError.self) {
                _ = try await bench.create("true", on: engine) { $0.mounts = [mount(.image, "no/such", nil)] }
            }
            #expect(error?.kind == .invalid)
            #expect(error?.message.contains("No such image") == true, "\(error?.message ?? "")")
        }
    }

    @Test(
        "What is mounted below a read-only bind is read-only, too, or not there, or writable: as it was asked for",
        .enabled(if: (try? HostFacts.current().makesTreesReadOnly) == true, "needs Linux 5.12"))
    func binds() async throws {
        try await EngineBench.with { engine, bench in
            let place = "\(bench.root)/tree"
            try Directory.create("\(place)/inner")
            try Mount.mount("tmpfs", at: "\(place)/inner", type: "tmpfs")
            // What stays, the removal of the bench tells of.
            defer { try? Mount.unmount("\(place)/inner", detach: true) }
            try FileContents.replace("\(place)/inner/file", with: [10], durable: false)
            var mount = MountSpec(.bind, source: place, target: "/m")
            mount.readOnly = true
            let all = try await run(
                "test -e /m/inner/file && ! touch /m/x && ! touch /m/inner/x", engine, bench, [mount])
            #expect(all.code == 0)
            mount.readOnlyDepth = .top
            let top = try await run("! touch /m/x && touch /m/inner/x", engine, bench, [mount])
            #expect(top.code == 0)
            (mount.readOnlyDepth, mount.isNonRecursive) = (nil, true)
            let apart = try await run("! test -e /m/inner/file && ! touch /m/x", engine, bench, [mount])
            #expect(apart.code == 0)
        }
    }

    @Test("/etc/mtab shows the container's mounts, and is no change of its own; what is there already stays")
    func mountTable() async throws {
        try await EngineBench.with { engine, bench in
            let script = "test \"$(readlink /etc/mtab)\" = /proc/mounts && grep -q ' / ' /etc/mtab"
            let plain = try await run(script, engine, bench, [])
            #expect(plain.code == 0)
            #expect(try await engine.changes(plain.id).filter { $0.path.hasPrefix("/etc") } == [])
            var archive: [UInt8] = []
            for try await piece in try await engine.export(plain.id) { archive += piece }
            let names = stride(from: 0, to: archive.count, by: 512).map { start in
                String(decoding: archive[start..<start + 512].prefix(100).prefix { $0 != 0 }, as: UTF8.self)
            }
            #expect(names.contains("etc/mtab"))
            #expect(names.first != "./" && names.first != ".", "who unpacks it keeps a directory's own mode")
            let own = try await bench.create(
                "grep -q own /etc/mtab && exit 7; rm /etc/mtab; echo own > /etc/mtab", on: engine)
            #expect(try await code(own, engine) == 0)
            #expect(try await code(own, engine) == 7)
            let readOnly = try await bench.create(script, on: engine) { $0.readOnlyRoot = true }
            #expect(try await code(readOnly, engine) == 0)
        }
    }
}
