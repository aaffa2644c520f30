import EngineAPI
import LocalEngine
import Testing

/// Images that were made from others here.
@Suite(
    .enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"),
    .timeLimit(.minutes(2)))
struct ImageFamilyTests {
    private func commit(
        _ script: String, _ image: String, as name: String, _ engine: GantryEngine, _ bench: EngineBench
    ) async throws -> (container: String, image: String) {
        let id = try await bench.create(script, on: engine) { $0.image = image }
        let wait = try await engine.beginWait(id, for: .nextExit)
        try await engine.start(id)
        _ = try await wait.result()
        return (id, try await engine.commitContainer(id, ContainerCommitRequest(name: name)))
    }

    @Test("A commit knows its image: inspections, histories and the filter by ancestor go back to it, also later on")
    func ancestors() async throws {
        try await EngineBench.with { engine, bench in
            let base = try await engine.inspectImage("gantry/starter").summary.id
            let first = try await commit("echo 1 > /one", "gantry/starter", as: "family:1", engine, bench)
            let second = try await commit("echo 2 > /two", "family:1", as: "family:2", engine, bench)
            let last = try await bench.create("true", on: engine) { $0.image = "family:2" }
            func holders(_ ancestor: String) async throws -> Set<String> {
                var filter = ContainerFilter(all: true)
                filter.ancestors = [ancestor]
                return Set(try await engine.containers(filter).map(\.id))
            }
            #expect(try await holders("gantry/starter") == [first.container, second.container, last])
            #expect(try await holders("family:1") == [second.container, last])
            #expect(try await holders(second.image) == [last])
            #expect(try await engine.inspectImage("family:2").summary.parentID == first.image)
            let listed = try await engine.images(ImageFilter())
            #expect(Set(listed.map(\.parentID)) == [nil, base, first.image])
            let steps = try await engine.imageHistory("family:2")
            #expect(steps.prefix(3).map(\.id) == [second.image, first.image, base])
            #expect(steps.prefix(3).map(\.tags) == [["family:2"], ["family:1"], ["gantry/starter:latest"]])
            await engine.close()
            let next = try await bench.open()
            #expect(try await next.inspectImage("family:1").summary.parentID == base)
            await next.close()
        }
    }

    @Test("An image without a name that others were made from is no loose end, and goes with the last of them")
    func nameless() async throws {
        try await EngineBench.with { engine, bench in
            let first = try await commit("echo 1 > /one", "gantry/starter", as: "family:1", engine, bench)
            let second = try await commit("echo 2 > /two", "family:1", as: "family:2", engine, bench)
            for container in [first.container, second.container] {
                try await engine.remove(container, force: true, volumes: false)
            }
            func listed(_ change: (inout ImageFilter) -> Void = { _ in }) async throws -> Set<String> {
                var filter = ImageFilter()
                change(&filter)
                return Set(try await engine.images(filter).map(\.id)).intersection([first.image, second.image])
            }
            let refusal = await #expect(throws: EngineError.self) {
                try await engine.removeImage(first.image, force: true, prune: true)
            }
            #expect(refusal?.kind == .conflict)
            #expect(refusal?.message.hasSuffix("(cannot be forced) - image has dependent child images") == true)
            #expect(
                try await engine.removeImage("family:1", force: false, prune: true) == [.untagged("family:1")])
            #expect(try await listed() == [second.image])
            #expect(try await listed { $0.all = true } == [first.image, second.image])
            for all in [true, false] { #expect(try await listed { ($0.dangling, $0.all) = (true, all) }.isEmpty) }
            #expect(try await listed { $0.dangling = false } == [second.image])
            #expect(try await engine.info().images == 3)
            #expect(try await engine.pruneImages(all: false, filter: ImageFilter()).removals.isEmpty)
            #expect(try await engine.inspectImage(first.image).summary.tags == [])

            let copy = try await commit("true", "family:2", as: "family:3", engine, bench)
            try await engine.remove(copy.container, force: true, volumes: false)
            #expect(
                try await engine.removeImage("family:3", force: false, prune: false).prefix(2) == [
                    .untagged("family:3"), .deleted(copy.image),
                ])
            let gone = try await engine.removeImage("family:2", force: false, prune: true)
            #expect(gone.contains(.deleted(second.image)) && gone.contains(.deleted(first.image)))
            #expect(try await engine.info().images == 1)
        }
    }

    @Test("Pruning takes the names of what an image in use was made from, and leaves the rest of it")
    func pruning() async throws {
        try await EngineBench.with { engine, bench in
            let first = try await commit("echo 1 > /one", "gantry/starter", as: "family:1", engine, bench)
            let second = try await commit("echo 2 > /two", "family:1", as: "family:2", engine, bench)
            try await engine.tagImage("family:1", as: "other:1")
            for container in [first.container, second.container] {
                try await engine.remove(container, force: true, volumes: false)
            }
            let holder = try await bench.create("true", on: engine) { $0.image = "family:2" }
            let pruned = try await engine.pruneImages(all: true, filter: ImageFilter())
            #expect(
                Set(pruned.removals) == [
                    .untagged("family:1"), .untagged("other:1"), .untagged("gantry/starter:latest"),
                ])
            #expect(pruned.reclaimedBytes == 0)
            #expect(try await engine.images(ImageFilter()).map(\.tags) == [["family:2"]])
            #expect(try await engine.inspectImage(first.image).summary.tags == [])
            try await engine.remove(holder, force: true, volumes: false)
            let rest = try await engine.pruneImages(all: true, filter: ImageFilter())
            #expect(rest.removals.contains(.untagged("family:2")) && rest.removals.contains(.deleted(first.image)))
            #expect(try await engine.info().images == 0)
        }
    }

    @Test("When an image was last given a name is known, also to the next engine")
    func naming() async throws {
        try await EngineBench.with { engine, bench in
            let made = try #require(try await engine.inspectImage("gantry/starter").taggedAt)
            try await engine.tagImage("gantry/starter", as: "other:1")
            let named = try #require(try await engine.inspectImage("gantry/starter").taggedAt)
            #expect(named > made)
            _ = try await engine.removeImage("other:1", force: false, prune: true)
            #expect(try await engine.inspectImage("gantry/starter").taggedAt == named)
            let id = try await bench.create("true", on: engine)
            let nameless = try await engine.commitContainer(id, ContainerCommitRequest())
            #expect(try await engine.inspectImage(nameless).taggedAt == nil)
            await engine.close()
            let next = try await bench.open()
            #expect(try await next.inspectImage("gantry/starter").taggedAt == named)
            await next.close()
        }
    }

    @Test("The name of an image that is made from a container is told of before that it was")
    func events() async throws {
        try await EngineBench.with { engine, bench in
            var request = EventRequest()
            request.since = .now()
            let made = try await commit("true", "gantry/starter", as: "family:1", engine, bench)
            request.until = .now()
            request.actions = ["tag", "commit"]
            var told: [[String]] = []
            for try await event in try await engine.events(request) { told.append([event.action, event.actorID]) }
            #expect(told == [["tag", made.image], ["commit", made.container]])
        }
    }

    @Test("The manifest of each image is told of where it is asked for, with the containers made from it")
    func manifests() async throws {
        try await EngineBench.with { engine, bench in
            let id = try await bench.create("true", on: engine)
            #expect(try await engine.images(ImageFilter()).map(\.manifests) == [nil])
            var filter = ImageFilter()
            filter.withManifests = true
            let image = try #require(try await engine.images(filter).first)
            let manifest = try #require(image.manifests?.first)
            #expect(image.digests.contains("gantry/starter@\(manifest.digest)"))
            #expect(manifest.mediaType == "application/vnd.oci.image.manifest.v1+json")
            #expect(manifest.containerIDs == [id] && manifest.unpackedBytes == image.sizeBytes)
            #expect(manifest.contentBytes > manifest.sizeBytes && manifest.sizeBytes > 100)
            #expect(manifest.platform.hasPrefix("linux/"))
        }
    }
}
