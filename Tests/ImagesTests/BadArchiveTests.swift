import EngineAPI
import ImageFixtures
import Images
import JSON
import Linux
import OCI
import Synchronization
import Testing

@Suite struct BadArchiveTests {
    /// Loads the bytes and expects an error; nothing may be left of it.
    private func refuse(
        _ bytes: [UInt8], _ words: String, _ kind: EngineError.Kind = .invalid, _ index: MemoryImageIndex = .init(),
        source: SourceLocation = #_sourceLocation
    ) async throws {
        let root = try TemporaryRoot()
        let store = try await ImageStore(dataRoot: root.path, index: index)
        let path = try root.write("a.tar", bytes)
        let error = await #expect(throws: EngineError.self, sourceLocation: source) {
            try await store.load(from: .path(path), progress: { _ in })
        }
        #expect(error?.kind == kind, "\(String(describing: error))", sourceLocation: source)
        #expect(error?.message.contains(words) == true, "\(String(describing: error))", sourceLocation: source)
        #expect(try Leftovers.of(root.path) == [], sourceLocation: source)
        #expect(try await store.list(ImageFilter()).isEmpty, sourceLocation: source)
    }

    @Test("A file that is no archive, and an archive of something else, are refused")
    func noImage() async throws {
        try await refuse(Array("hello".utf8), "invalid archive")
        try await refuse([], "unexpected EOF")
        var tar = TarBytes()
        tar.file("readme", "x")
        try await refuse(tar.finished, "neither an OCI image layout")
        tar.file("index.json", "{")
        try await refuse(tar.finished, "invalid index.json")
    }

    @Test("An archive that is cut off is refused wherever that is", arguments: [0.2, 0.5, 0.8])
    func truncated(share: Double) async throws {
        let bytes = Fixture.twoLayers().docker(tags: ["a"])
        try await refuse(Array(bytes.prefix(Int(Double(bytes.count) * share))), "")
    }

    @Test("A blob that is not what its name says is refused")
    func wrongBlob() async throws {
        let builder = Fixture.twoLayers()
        let name = Digest.sha256(of: builder.layers[0].bytes)
        var tar = TarBytes()
        tar.file("blobs/sha256/\(name.hex)", "something else")
        tar.raw(builder.oci(name: "a:1"))
        try await refuse(tar.finished, "unexpected digest")
    }

    @Test("A manifest that states other sizes than the blobs have is refused", arguments: [-100, 100] as [Int64])
    func wrongSizes(difference: Int64) async throws {
        var builder = Fixture.twoLayers()
        builder.misstatedBytes = (config: 0, layer: difference)
        try await refuse(builder.oci(name: "a:1"), "has \(builder.layers[1].bytes.count) bytes, and")
        builder.misstatedBytes = (config: difference, layer: 0)
        try await refuse(builder.oci(name: "a:1"), "has \(builder.configBytes.count) bytes, and")
    }

    @Test(
        "An archive in which a document's header is damaged is refused, and nothing of it loaded",
        arguments: [true, false])
    func damagedHeader(isDocker: Bool) async throws {
        let builder = Fixture.twoLayers()
        var bytes = isDocker ? builder.docker(tags: ["a:1"]) : builder.oci(name: "a:1")
        let name = Array((isDocker ? "manifest.json" : "index.json").utf8)
        let header = try #require(
            stride(from: 0, to: bytes.count, by: 512).first { bytes[$0..<$0 + name.count].elementsEqual(name) })
        bytes[header + 110] ^= 1
        try await refuse(bytes, "invalid archive")
    }

    @Test("A layer that is not what the configuration says is refused")
    func wrongLayer() async throws {
        var builder = Fixture.twoLayers()
        builder.layers[1].diffID = .sha256(of: [1])
        try await refuse(builder.oci(name: "a:1"), "wrong diff id")
        try await refuse(builder.docker(tags: ["a:1"]), "wrong diff id")
    }

    @Test("A missing blob is named")
    func missingBlob() async throws {
        let builder = Fixture.twoLayers()
        var tar = TarBytes()
        tar.add(.init("index.json", .file, mode: 0o644), builder.index([(builder, "a:1")]))
        try await refuse(tar.finished, "blob \(Digest.sha256(of: builder.manifestBytes)) is missing")
    }

    @Test("A layer that leads out is refused, and takes the image with it")
    func hostileLayer() async throws {
        var builder = Fixture.twoLayers()
        var bad = TarBytes()
        bad.file("../../../../tmp/gantry-escape", "x")
        builder.layer(bad.finished)
        try await refuse(builder.oci(name: "a:1"), "failed to register layer")
    }

    @Test("An image for other machines only is refused")
    func otherPlatform() async throws {
        let builder = Fixture.twoLayers()
        var entry = ContentDescriptor(
            mediaType: ImageMediaType.manifest, digest: .sha256(of: builder.manifestBytes),
            sizeBytes: Int64(builder.manifestBytes.count))
        entry.platform = Platform(os: "linux", architecture: "s390x")
        let list = JSONValue.object(
            JSONObject([
                ("schemaVersion", 2), ("mediaType", .string(ImageMediaType.index)), ("manifests", .array([entry.json])),
            ])
        ).compactBytes
        let outer = ContentDescriptor(
            mediaType: ImageMediaType.index, digest: .sha256(of: list), sizeBytes: Int64(list.count))
        var tar = TarBytes()
        builder.addBlobs(&tar)
        tar.add(.init("blobs/sha256/\(outer.digest.hex)", .file, mode: 0o644), list)
        tar.add(
            .init("index.json", .file, mode: 0o644),
            JSONValue.object(JSONObject([("manifests", .array([outer.json]))])).compactBytes)
        try await refuse(tar.finished, "no matching manifest for \(Platform.host)")
    }

    @Test("What the index refuses leaves nothing on disk")
    func indexFailure() async throws {
        let index = MemoryImageIndex()
        index.fail(EngineError(.unavailable, "database or disk is full"))
        try await refuse(Fixture.twoLayers().oci(name: "a:1"), "disk is full", .unavailable, index)
    }

    @Test("A full disk is said in the kernel's words, and nothing is left", arguments: [60_000, 500_000])
    func fullDisk(sizeBytes: Int) async throws {
        let disk = try DetachedFileSystem(tmpfs: "size=\(sizeBytes)")
        var layer = TarBytes()
        layer.file("big", String(repeating: "x", count: 300_000))
        var builder = ArchiveBuilder()
        builder.layer(layer.finished)
        let outside = try TemporaryRoot()
        let path = try outside.write("a.tar", builder.oci(name: "a:1"))
        let store = try await ImageStore(dataRoot: disk.path, index: MemoryImageIndex())
        let error = await #expect(throws: EngineError.self) {
            try await store.load(from: .path(path), progress: { _ in })
        }
        #expect(error?.kind == .unavailable)
        #expect(error?.message.contains("no space left on device") == true, "\(String(describing: error))")
        #expect(try Leftovers.of(disk.path) == [])
    }

    @Test("A load that is cancelled leaves nothing, whenever that happens", arguments: [0, 1, 2, 4, 8, 16, 32])
    func cancellation(pieces: Int) async throws {
        let root = try TemporaryRoot()
        let store = try await ImageStore(dataRoot: root.path, index: MemoryImageIndex())
        var layer = TarBytes()
        for number in 0..<40 { layer.file("f\(number)", String(repeating: "\(number)", count: 50_000)) }
        var builder = ArchiveBuilder()
        builder.layer(layer.finished)
        let bytes = builder.docker(tags: ["a"])
        let taken = Mutex(0)
        let stopped = AsyncStream<Void>.makeStream()
        let stream = EngineStream<[UInt8]> {
            let offset = taken.withLock { taken in
                defer { taken += 1 }
                return taken * 100_000
            }
            if offset == pieces * 100_000 { stopped.continuation.finish() }
            return offset < bytes.count ? Array(bytes[offset..<min(offset + 100_000, bytes.count)]) : nil
        }
        let load = Task { try await store.load(from: .bytes(stream), progress: { _ in }) }
        for await _ in stopped.stream {}
        load.cancel()
        let result = await load.result
        if case .failure(let error) = result {
            #expect((error as? EngineError)?.kind == .cancelled, "\(error)")
            #expect(try Leftovers.of(root.path) == [])
        } else {
            #expect(try await store.resolve("a").id == builder.id)
        }
    }

    @Test("Of two images the good one stays where the other fails")
    func oneOfTwo() async throws {
        let root = try TemporaryRoot()
        let store = try await ImageStore(dataRoot: root.path, index: MemoryImageIndex())
        let good = Fixture.twoLayers()
        var bad = Fixture.twoLayers()
        bad.config.author = "somebody"
        bad.layers[1].diffID = .sha256(of: [1])
        var tar = TarBytes()
        good.addBlobs(&tar)
        bad.addBlobs(&tar)
        tar.add(.init("index.json", .file, mode: 0o644), good.index([(good, "good:1"), (bad, "bad:1")]))
        let path = try root.write("a.tar", tar.finished)
        await #expect(throws: EngineError.self) { try await store.load(from: .path(path), progress: { _ in }) }
        #expect(try await store.list(ImageFilter()).map(\.tags) == [["good:1"]])
        _ = try await store.remove("good:1", force: false, uses: [])
        #expect(try Leftovers.of(root.path) == [])
    }

    @Test("An image of more layers than can be stacked is refused before one is unpacked", arguments: [true, false])
    func tooManyLayers(isDocker: Bool) async throws {
        var builder = ArchiveBuilder()
        for number in 0..<499 {
            var tar = TarBytes()
            tar.file("f", "\(number)")
            builder.layer(tar.finished)
        }
        try await refuse(
            isDocker ? builder.docker(tags: ["a:1"]) : builder.oci(name: "a:1"),
            "max depth exceeded: 499 layers are more than the 498 that can be stacked")
    }

    @Test("An archive of a root file system is refused with what helps, and not read to its end")
    func rootFileSystem() async throws {
        let root = try TemporaryRoot()
        let store = try await ImageStore(dataRoot: root.path, index: MemoryImageIndex())
        var piece = TarBytes()
        for number in 0..<100 { piece.file("usr/share/doc/\(number)", "text") }
        let taken = Mutex(0)
        let stream = EngineStream<[UInt8]> { [piece] in
            let count = taken.withLock { taken in
                taken += 1
                return taken
            }
            return count < 200 ? piece.bytes : nil
        }
        let error = await #expect(throws: EngineError.self) {
            try await store.load(from: .bytes(stream), progress: { _ in })
        }
        #expect(error?.kind == .invalid)
        let message = error?.message ?? ""
        #expect(message.contains("`usr/share/doc/0`: `import` makes an image"), "\(message)")
        #expect(taken.withLock { $0 } < 100)
        #expect(try Leftovers.of(root.path) == [])
    }

    @Test("The names in an archive are not remembered without end")
    func longNames() async throws {
        var tar = TarBytes()
        for number in 0..<20 { tar.link("l\(number)", to: String(repeating: "x", count: 900_000)) }
        try await refuse(tar.finished, "the archive has more files than one of images: 19")
    }

    @Test("An index that is too long, or names too many images, is refused")
    func longIndexes() async throws {
        let digest = Digest.sha256(of: [1])
        var tar = TarBytes()
        tar.file("index.json", #"{"manifests":["# + String(repeating: " ", count: 4 << 20) + "]}")
        try await refuse(tar.finished, "`index.json` is larger than 4194304 bytes")
        let image = #"{"Config":"\#(digest.hex).json","Layers":[]}"#
        tar = TarBytes()
        tar.file("manifest.json", "[" + Array(repeating: image, count: 4097).joined(separator: ",") + "]")
        try await refuse(tar.finished, "it holds more than 4096 images")
    }
}
