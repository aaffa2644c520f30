import EngineAPI
import ImageFixtures
import Images
import Linux
import OCI
import Testing

@Suite struct ImageRemovalTests {
    private let root: TemporaryRoot

    init() throws { root = try TemporaryRoot() }

    private func store(_ names: [String]) async throws -> (ImageStore, ImageRecord) {
        let store = try await ImageStore(dataRoot: root.path, index: MemoryImageIndex())
        let path = try root.write("a.tar", Fixture.twoLayers().docker(tags: names))
        let image = try await store.load(from: .path(path), progress: { _ in })[0]
        return (store, image)
    }

    private func use(_ image: ImageRecord, running: Bool) -> ImageUse {
        ImageUse(
            containerID: "c0ffee0000001234567890", imageID: image.id.description, reference: "a:1", isRunning: running)
    }

    @Test("An image that a container needs is kept, in docker's words", arguments: [true, false])
    func conflicts(running: Bool) async throws {
        let (store, image) = try await store(["a:1"])
        let uses = [use(image, running: running)]
        let byName = await #expect(throws: EngineError.self) {
            try await store.remove("a:1", force: false, uses: uses)
        }
        #expect(byName?.kind == .conflict)
        #expect(
            byName?.message == """
                conflict: unable to remove repository reference "a:1" (must force) - container c0ffee000000 is using \
                its referenced image \(image.id.short)
                """)
        let byID = await #expect(throws: EngineError.self) {
            try await store.remove(image.id.short, force: false, uses: uses)
        }
        let words =
            running
            ? "(cannot be forced) - image is being used by running container c0ffee000000"
            : "(must be forced) - image is being used by stopped container c0ffee000000"
        #expect(byID?.message == "conflict: unable to delete \(image.id.short) \(words)")
        #expect(try await store.resolve("a:1").id == image.id)
    }

    @Test("By force the name goes, and a running container's image stays without one")
    func forcedWhileRunning() async throws {
        let (store, image) = try await store(["a:1"])
        let removals = try await store.remove("a:1", force: true, uses: [use(image, running: true)])
        #expect(removals == [.untagged("a:1")])
        #expect(try await store.resolve(image.id.short).names == [])
        var filter = ImageFilter()
        filter.dangling = true
        #expect(try await store.list(filter).count == 1)
        await #expect(throws: EngineError.self) {
            try await store.remove(image.id.short, force: true, uses: [use(image, running: true)])
        }
    }

    @Test("By force an image goes while a stopped container has it, whose root keeps its layers")
    func forcedWhileStopped() async throws {
        let (store, image) = try await store(["a:1"])
        let mounts = try await store.prepareRoot(containerID: "c0ffee", image: image, isContainer: false)
        let removals = try await store.remove("a:1", force: true, uses: [use(image, running: false)])
        #expect(removals == [.untagged("a:1"), .deleted(image.id.description)])
        #expect(try await store.rootMounts(containerID: "c0ffee", isDisposable: false) == mounts)
        #expect(try FileContents.read("\(root.path)/snapshots/\(image.chainIDs[0].hex)/fs/etc/kept").count == 5)
        try await store.removeRoot(containerID: "c0ffee")
        try await store.collectGarbage(containers: nil)
        #expect(try Leftovers.of(root.path) == [])
    }

    @Test("What a container was made of after the containers were asked for is no unused image")
    func usedMeanwhile() async throws {
        let (store, image) = try await store(["a:1"])
        _ = try await store.prepareRoot(containerID: "c0ffee0000001234567890", image: image, isContainer: true)
        let pruned = try await store.prune(all: true, filter: ImageFilter(), uses: [])
        #expect(pruned.removals == [])
        let removal = await #expect(throws: EngineError.self) {
            try await store.remove("a:1", force: false, uses: [])
        }
        #expect(removal?.kind == .conflict)
        #expect(try await store.resolve("a:1").id == image.id)
        try await store.removeRoot(containerID: "c0ffee0000001234567890")
        let rest = try await store.prune(all: true, filter: ImageFilter(), uses: [])
        #expect(rest.removals.prefix(2) == [.untagged("a:1"), .deleted(image.id.description)])
        #expect(try Leftovers.of(root.path) == [])
    }

    @Test("An image of several repositories is deleted by its id only by force")
    func severalRepositories() async throws {
        let (store, image) = try await store(["a:1", "b:1"])
        let error = await #expect(throws: EngineError.self) {
            try await store.remove(image.id.short, force: false, uses: [])
        }
        #expect(error?.message.contains("image is referenced in multiple repositories") == true)
        let removals = try await store.remove(image.id.short, force: true, uses: [])
        #expect(removals.prefix(3) == [.untagged("a:1"), .untagged("b:1"), .deleted(image.id.description)])
        #expect(try Leftovers.of(root.path) == [])
    }

    @Test("An image of several tags of one repository is deleted by its id only by force")
    func severalTags() async throws {
        let (store, image) = try await store(["a:1", "a:2"])
        let error = await #expect(throws: EngineError.self) {
            try await store.remove(image.id.short, force: false, uses: [])
        }
        #expect(error?.kind == .conflict)
        #expect(error?.message.contains("image is referenced in multiple repositories") == true)
        #expect(try await store.resolve("a:2").names.count == 2)
        _ = try await store.remove("a:2", force: false, uses: [])
        let removals = try await store.remove(image.id.short, force: false, uses: [])
        #expect(removals.prefix(2) == [.untagged("a:1"), .deleted(image.id.description)])
    }

    @Test("What references mean is told with the names' changes, and every one of these is counted")
    func meaning() async throws {
        let (store, image) = try await store(["a:1", "a:2"])
        let id = image.id.description
        #expect(
            await store.meant(by: ["a:1", "b", id, image.id.short]) == ["a:1": id, "b": "", id: id, image.id.short: id])
        var revision = store.revision.number
        func hasRisen() -> Bool {
            defer { revision = store.revision.number }
            return store.revision.number != revision
        }
        _ = try await store.tag("a:1", as: "b")
        #expect(hasRisen() && !hasRisen())
        #expect(await store.meant(by: ["b"]) == ["b": id])
        var other = Fixture.twoLayers()
        other.config.author = "somebody else"
        let path = try root.write("b.tar", other.docker(tags: ["a:1"]))
        _ = try await store.load(from: .path(path), progress: { _ in })
        #expect(hasRisen())
        #expect(await store.meant(by: ["a:1", "a:2"]) == ["a:1": other.id.description, "a:2": id])
        _ = try await store.remove("a:2", force: false, uses: [])
        #expect(hasRisen())
        #expect(await store.meant(by: ["a:2"]) == ["a:2": ""])
    }

    @Test("A bare name saves all tags of its repository, and says which images these are")
    func savedImages() async throws {
        let (store, image) = try await store(["a:1", "b:latest"])
        let saved = try await store.save(["a", "b"])
        #expect(saved.images.map(\.reference) == ["a", "b"])
        #expect(saved.images.map(\.record.id) == [image.id, image.id])
        var size = 0
        for try await bytes in saved.bytes { size += bytes.count }
        #expect(size > 0)
    }

    @Test("A name moves to the image that is loaded last")
    func movedName() async throws {
        let (store, image) = try await store(["a:1"])
        var other = Fixture.twoLayers()
        other.config.author = "somebody else"
        let path = try root.write("b.tar", other.docker(tags: ["a:1"]))
        _ = try await store.load(from: .path(path), progress: { _ in })
        #expect(try await store.resolve("a:1").id == other.id)
        #expect(try await store.resolve(image.id.short).names == [])
        _ = try await store.remove("a:1", force: false, uses: [])
        #expect(try FileContents.read("\(root.path)/snapshots/\(image.chainIDs[0].hex)/fs/etc/kept").count == 5)
    }

    @Test(
        "What is not there, or is no name, is said as docker says it",
        arguments: [
            ("nosuch", EngineError.Kind.notFound, "No such image: nosuch:latest"),
            ("a:2", .notFound, "No such image: a:2"), ("0123456789ab", .notFound, "No such image: 0123456789ab:latest"),
            ("sha256:" + String(repeating: "0", count: 64), .notFound, "No such image: sha256:"),
            ("Upper", .invalid, "must be lowercase"), ("a:b:c", .invalid, "invalid reference format"),
            ("", .invalid, "invalid reference format"),
        ])
    func lookups(text: String, kind: EngineError.Kind, words: String) async throws {
        let (store, _) = try await store(["a:1"])
        let error = await #expect(throws: EngineError.self) { try await store.resolve(text) }
        #expect(error?.kind == kind)
        #expect(error?.message.contains(words) == true, "\(String(describing: error))")
    }

    @Test("Filters choose by name, label and lack of a name")
    func filters() async throws {
        let store = try await ImageStore(dataRoot: root.path, index: MemoryImageIndex())
        var builder = Fixture.twoLayers()
        builder.config.execution.labels = ["tier": "web"]
        builder.config.created = Timestamp(nanosecondsSinceEpoch: 1_000)
        let path = try root.write("a.tar", builder.docker(tags: ["user/app:1"]))
        _ = try await store.load(from: .path(path), progress: { _ in })
        func count(_ change: (inout ImageFilter) -> Void) async throws -> Int {
            var filter = ImageFilter()
            change(&filter)
            return try await store.list(filter).count
        }
        #expect(try await count { $0.references = ["user/*"] } == 1)
        #expect(try await count { $0.references = ["user/app:2", "user/app"] } == 1)
        #expect(try await count { $0.references = ["*"] } == 0)
        _ = try await store.tag("user/app:1", as: "other/app:2")
        var named = ImageFilter()
        named.references = ["other/*"]
        let found = try await store.list(named)
        // Who removes what is listed by a name removes that name, and no other of the image.
        #expect(found.map(\.tags) == [["other/app:2"]] && found[0].digests.allSatisfy { $0.hasPrefix("other/app@") })
        named.references = ["user/app:1", "other/app"]
        #expect(try await store.list(named).map(\.tags) == [["other/app:2", "user/app:1"]])
        _ = try await store.remove("other/app:2", force: false, uses: [])
        #expect(try await count { $0.labels = ["tier=web"] } == 1)
        #expect(try await count { $0.labels = ["tier", "other"] } == 0)
        #expect(try await count { $0.dangling = false } == 1)
        #expect(try await count { $0.dangling = true } == 0)
        #expect(try await count { $0.withoutLabels = ["tier=db"] } == 1)
        #expect(try await count { $0.withoutLabels = ["tier"] } == 0)
        builder.config.created = Timestamp(nanosecondsSinceEpoch: 5_000)
        let later = try root.write("b.tar", builder.docker(tags: ["later:1"]))
        _ = try await store.load(from: .path(later), progress: { _ in })
        func names(_ change: (inout ImageFilter) -> Void) async throws -> [String] {
            var filter = ImageFilter()
            change(&filter)
            return try await store.list(filter).flatMap(\.tags)
        }
        #expect(try await names { $0.before = "later:1" } == ["user/app:1"])
        #expect(try await names { $0.since = "user/app:1" } == ["later:1"])
        #expect(try await names { $0.until = Timestamp(nanosecondsSinceEpoch: 5_000) } == ["user/app:1"])
        let error = await #expect(throws: EngineError.self) { try await names { $0.before = "nobody" } }
        #expect(error?.kind == .notFound)
        // Both have the same layers.
        let usage = await store.usage()
        #expect(usage.layersBytes == 15 && usage.images.map(\.sharedBytes) == [15, 15])
    }
}
