import Archive
import EngineAPI
import Faults
import Glibc
import ImageFixtures
import Linux
import LocalEngine
import Testing

/// The engine's process is killed at every named step of a load and of an image's removal; the next engine finds the whole
/// image or nothing of it, and can do the same again.
@Suite(
    .enabled(
        if: EngineProbe.missing == nil, "needs root, busybox-static, a debug build, and the programs beside the tests"))
struct ImageCrashTests {
    @Test(
        "A load that is cut short leaves nothing, or the image",
        arguments: [
            FaultPoint.loadAfterPlan, .loadAfterBlobs, .loadAfterLayer, .loadAfterRow, .loadAfterCollection,
        ])
    func load(point: FaultPoint) async throws {
        try await Self.onBench { bench, archive in
            let before = try Self.contents(bench)
            #expect(try EngineProbe.die(at: point, "load", bench, name: archive))
            let engine = try await bench.open()
            let isWhole = point == .loadAfterRow || point == .loadAfterCollection
            #expect(try await Self.names(engine).contains("app:1") == isWhole)
            if !isWhole { #expect(try Self.contents(bench) == before) }
            for try await _ in try await engine.loadImages(.path(archive)) {}
            try await Self.run(engine, bench)
            _ = try await engine.removeImage("app:1", force: false, prune: true)
            #expect(try Self.contents(bench) == before)
            await engine.close()
        }
    }

    @Test(
        "A removal of an image that is cut short is finished",
        arguments: ["remove-image", "image-prune"],
        [FaultPoint.removeImageAfterRow, .removeImageAfterLayers, .removeImageAfterBlobs])
    func remove(verb: String, point: FaultPoint) async throws {
        try await Self.onBench { bench, archive in
            let before = try Self.contents(bench)
            let first = try await bench.open()
            for try await _ in try await first.loadImages(.path(archive)) {}
            await first.close()
            #expect(try Self.contents(bench) != before)
            #expect(try EngineProbe.die(at: point, verb, bench, name: "app:1"))
            let engine = try await bench.open()
            #expect(try await !Self.names(engine).contains("app:1"))
            #expect(try Self.contents(bench) == before)
            await engine.close()
        }
    }

    @Test(
        "A commit that is cut short leaves nothing, or the image, and its container runs on",
        arguments: [
            FaultPoint.commitAfterPause, .commitAfterLayer, .commitAfterDocuments, .loadAfterLayer, .loadAfterRow,
        ])
    func commit(point: FaultPoint) async throws {
        try await Self.onBench { bench, _ in
            let first = try await bench.open()
            let id = try await bench.create("echo made > /made; echo ready; sleep 600", name: "victim", on: first)
            let stream = try await first.attach(id, AttachRequest())
            try await first.start(id)
            #expect(try await stream.read() == .stdout(Array("ready\n".utf8)))
            await stream.close()
            await first.close()
            let before = try Self.contents(bench)
            #expect(try EngineProbe.die(at: point, "commit", bench))
            let engine = try await bench.open()
            #expect(try await engine.inspect(id).state.status == .running)
            #expect(try await Self.names(engine).contains("made:1") == (point == .loadAfterRow))
            if point != .loadAfterRow { #expect(try Self.contents(bench) == before) }
            _ = try await engine.commitContainer(id, ContainerCommitRequest(name: "made:1"))
            #expect(try await engine.inspect(id).state.status == .running)
            let text = try await Self.output(of: ["cat", "/made"], in: "made:1", engine, bench)
            #expect(text == "made\n")
            try await engine.remove(id, force: true, volumes: false)
            #expect(bench.traces(of: id) == [])
            await engine.close()
        }
    }

    /// A bench whose engine has packed its starter image, and an archive with two layers and a program.
    private static func onBench(_ body: (EngineBench, String) async throws -> Void) async throws {
        let bench = try EngineBench()
        do {
            await (try bench.open()).close()
            let archive = "\(bench.root)/app.tar"
            try FileContents.replace(archive, with: try Self.archive(), durable: false)
            try await body(bench, archive)
        } catch {
            try await bench.clear()
            throw error
        }
        try await bench.clear()
    }

    private static func archive() throws -> [UInt8] {
        var lower = TarBytes()
        lower.add(
            TarMember("bin/busybox", .file, mode: 0o755), try FileContents.read("/bin/busybox", limitBytes: 1 << 24))
        var upper = TarBytes()
        upper.file("etc/greeting", "hello\n")
        var builder = ArchiveBuilder()
        builder.layer(lower.finished)
        builder.layer(upper.finished)
        return builder.docker(tags: ["app:1"])
    }

    /// The image works.
    private static func run(_ engine: GantryEngine, _ bench: EngineBench) async throws {
        let text = try await output(of: ["/bin/busybox", "cat", "/etc/greeting"], in: "app:1", engine, bench)
        #expect(text == "hello\n")
    }

    private static func output(
        of command: [String], in image: String, _ engine: GantryEngine, _ bench: EngineBench
    ) async throws -> String {
        var spec = ContainerSpec(image: image)
        spec.command = command
        spec.networkMode = NetworkMode.none
        let id = try await engine.create(spec, name: nil).id
        let stream = try await engine.attach(id, AttachRequest())
        try await engine.start(id)
        var text: [UInt8] = []
        while let chunk = try await stream.read() { if case .stdout(let bytes) = chunk { text += bytes } }
        _ = try await engine.wait(id, for: .notRunning)
        try await engine.remove(id, force: false, volumes: false)
        #expect(bench.traces(of: id) == [])
        return String(decoding: text, as: UTF8.self)
    }

    private static func names(_ engine: GantryEngine) async throws -> [String] {
        try await engine.images(ImageFilter()).flatMap(\.tags)
    }

    /// What the stores hold, by relative path: blobs, unfinished blobs, layers and roots.
    private static func contents(_ bench: EngineBench) throws -> [String] {
        try ["content/ingest", "content/blobs/sha256", "snapshots", "snapshots/l"].flatMap { place in
            try Directory.list("\(bench.root)/data/\(place)").sorted().map { "\(place)/\($0)" }
        }
    }
}
