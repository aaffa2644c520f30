import EngineAPI
import Glibc
import ImageFixtures
import Images
import Linux
import OCI
import Testing

/// Stores in which something that an image is made of cannot be read at the start.
@Suite struct DamagedStoreTests {
    private let root: TemporaryRoot
    private let index = MemoryImageIndex()

    init() throws { root = try TemporaryRoot() }

    private func open() async throws -> ImageStore { try await ImageStore(dataRoot: root.path, index: index) }

    private func load(_ builder: ArchiveBuilder, as name: String, into store: ImageStore) async throws -> ImageRecord {
        let path = try root.write("\(builder.id.short).tar", builder.docker(tags: [name]))
        return try await store.load(from: .path(path), progress: { _ in })[0]
    }

    /// An image that shares nothing with the fixture's.
    private static func other() -> ArchiveBuilder {
        var tar = TarBytes()
        tar.file("other", "other")
        var builder = ArchiveBuilder()
        builder.layer(tar.finished)
        return builder
    }

    private func blob(_ digest: Digest) -> String { "\(root.path)/content/blobs/sha256/\(digest.hex)" }

    @Test("What could not be read at one start is told and kept, and the image is whole at the next")
    func readAgain() async throws {
        let image = try await load(Fixture.twoLayers(), as: "app:1", into: try await open())
        try kernelCall("rename") { rename(blob(image.id), "\(root.path)/aside") }
        var store = try await open()
        #expect(store.damaged.count == 1 && store.damaged[0].contains("\(image.id.short) (app:1) cannot be used"))
        await #expect(throws: EngineError(.notFound, "No such image: app:1", object: "app:1")) {
            try await store.resolve("app:1")
        }
        _ = try await load(Self.other(), as: "other:1", into: store)
        _ = try await store.remove("other:1", force: false, uses: [])
        try await store.collectGarbage(containers: [])
        try kernelCall("rename") { rename("\(root.path)/aside", blob(image.id)) }
        store = try await open()
        #expect(store.damaged == [])
        #expect(try await store.resolve("app:1") == image)
        _ = try await store.prepareRoot(containerID: "c0ffee", image: image, isContainer: false)
        _ = try await store.remove("app:1", force: true, uses: [])
        try await store.removeRoot(containerID: "c0ffee")
        try await store.collectGarbage(containers: [])
        #expect(try Leftovers.of(root.path) == [])
    }

    @Test(
        "A blob that nobody needs and that cannot be deleted keeps neither the store from opening nor others from going"
    )
    func undeletableBlob() async throws {
        _ = try await open()
        // A directory in its place cannot be unlinked.
        let stuck = blob(.sha256(of: [1]))
        try Directory.create(stuck)
        let other = blob(.sha256(of: [2]))
        try FileContents.replace(other, with: [2], durable: false)
        let store = try await open()
        #expect(access(other, F_OK) != 0)
        let image = try await load(Fixture.twoLayers(), as: "app:1", into: store)
        #expect(try await store.resolve("app:1") == image)
        await #expect(throws: EngineError.self) { try await store.collectGarbage(containers: []) }
        rmdir(stuck)
    }

    @Test("What cannot be read can be given up, by its name or its id, and leaves nothing", arguments: [true, false])
    func givenUp(byName: Bool) async throws {
        let image = try await load(Fixture.twoLayers(), as: "app:1", into: try await open())
        try kernelCall("unlink") { unlink(blob(image.id)) }
        let store = try await open()
        let removals = try await store.remove(byName ? "app:1" : image.id.short, force: false, uses: [])
        #expect(removals.prefix(2) == [.untagged("app:1"), .deleted(image.id.description)])
        #expect(index.entries().isEmpty)
        #expect(try Leftovers.of(root.path) == [])
    }

    @Test("A load mends an image whose configuration has rotted, with the names that it had")
    func mended() async throws {
        let image = try await load(Fixture.twoLayers(), as: "app:1", into: try await open())
        try kernelCall("chmod") { chmod(blob(image.id), 0o600) }
        _ = try root.write("content/blobs/sha256/\(image.id.hex)", Array("rotten".utf8))
        let store = try await open()
        #expect(store.damaged.count == 1)
        let again = try await load(Fixture.twoLayers(), as: "app:2", into: store)
        #expect(again.id == image.id && again.names == image.names + ["docker.io/library/app:2"])
        #expect(try await open().damaged == [])
    }

    @Test("A row that cannot be read keeps all there is")
    func unknownRow() async throws {
        let image = try await load(Fixture.twoLayers(), as: "app:1", into: try await open())
        let document = try #require(index.entries().first?.document)
        try index.apply([.put(id: image.id.description, storedAt: 0, document: "{}")])
        var store = try await open()
        #expect(store.damaged.count == 1)
        _ = try await load(Self.other(), as: "other:1", into: store)
        _ = try await store.remove("other:1", force: false, uses: [])
        try index.apply([.put(id: image.id.description, storedAt: 0, document: document)])
        store = try await open()
        #expect(try await store.resolve("app:1").layers == image.layers)
    }

    @Test(
        "An image of which a layer is damaged is told and not used, and mended by a load, or leaves nothing if given up",
        arguments: [true, false], [true, false])
    func damagedLayer(isMissing: Bool, isMended: Bool) async throws {
        let image = try await load(Fixture.twoLayers(), as: "app:1", into: try await open())
        let file = "\(root.path)/snapshots/\(image.chainIDs[0].hex)/layer.json"
        unlink(file)
        if !isMissing { try FileContents.replace(file, with: Array("{\"si".utf8)) }
        var store = try await open()
        #expect(store.damaged.count == 1 && store.damaged[0].contains("\(image.id.short) (app:1) cannot be used"))
        #expect(try await store.list(ImageFilter()).isEmpty)
        if isMended {
            var mended = try await load(Fixture.twoLayers(), as: "app:1", into: store)
            // Given its name anew, too.
            mended.taggedAt = image.taggedAt
            #expect(mended == image)
            store = try await open()
            #expect(store.damaged == [])
            _ = try await store.prepareRoot(containerID: "c0ffee", image: image, isContainer: false)
            try await store.removeRoot(containerID: "c0ffee")
        }
        _ = try await store.remove("app:1", force: false, uses: [])
        #expect(try Leftovers.of(root.path) == [])
    }

    @Test("A layer that is damaged while the store is open is mended by a load")
    func damagedMeanwhile() async throws {
        let store = try await open()
        let image = try await load(Fixture.twoLayers(), as: "app:1", into: store)
        unlink("\(root.path)/snapshots/\(image.chainIDs[1].hex)/layer.json")
        await #expect(throws: EngineError.self) {
            try await store.prepareRoot(containerID: "c0ffee", image: image, isContainer: false)
        }
        _ = try await load(Fixture.twoLayers(), as: "app:1", into: store)
        _ = try await store.prepareRoot(containerID: "c0ffee", image: image, isContainer: false)
    }
}
