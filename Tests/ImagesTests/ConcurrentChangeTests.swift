import EngineAPI
import ImageFixtures
import Images
import Linux
import OCI
import Synchronization
import Testing

/// Changes of one image at once: whatever their order, the store says what its index says.
@Suite(.timeLimit(.minutes(1))) struct ConcurrentChangeTests {
    private let root: TemporaryRoot
    private let index = HeldIndex()

    init() throws { root = try TemporaryRoot() }

    private func loaded() async throws -> (ImageStore, ImageLoadSource) {
        let store = try await ImageStore(dataRoot: root.path, index: index)
        let path = try root.write("a.tar", Fixture.twoLayers().docker(tags: ["app:1"]))
        _ = try await store.load(from: .path(path), progress: { _ in })
        return (store, .path(path))
    }

    /// Lets the change that is held go on once another has had time to come, and waits for both.
    private func end(_ held: Task<Void, any Error>, _ second: Task<Void, any Error>, _ store: ImageStore) async throws {
        for _ in 0..<200 {
            _ = try await store.list(ImageFilter())
            await Task.yield()
        }
        index.release()
        _ = await held.result
        _ = await second.result
        let images = try await store.list(ImageFilter())
        let rows = index.memory.entries()
        #expect(images.map(\.id).sorted() == rows.map(\.id).sorted())
        let names = rows.flatMap(\.names).map(ImageRecord.familiar)
        #expect(images.flatMap(\.tags).sorted() == names.sorted())
        // What the next engine finds.
        let next = try await ImageStore(dataRoot: root.path, index: index)
        #expect(next.damaged == [])
        #expect(try await next.list(ImageFilter()) == images)
    }

    @Test("An image that is loaded again while it is removed is there as its row is")
    func loadBesideRemoval() async throws {
        let (store, source) = try await loaded()
        index.hold()
        let load = Task { _ = try await store.load(from: source, progress: { _ in }) }
        await index.isHeld()
        let removal = Task { _ = try await store.remove("app:1", force: false, uses: []) }
        try await end(load, removal, store)
    }

    @Test("A name that is given while it is removed is there as its row is")
    func tagBesideRemoval() async throws {
        let (store, _) = try await loaded()
        _ = try await store.tag("app:1", as: "app:2")
        index.hold()
        let tag = Task { _ = try await store.tag("app:1", as: "app:2") }
        await index.isHeld()
        let removal = Task { _ = try await store.remove("app:2", force: false, uses: []) }
        try await end(tag, removal, store)
    }

    @Test("A removal that the index refuses gives back what there is by then")
    func refusedRemoval() async throws {
        let (store, _) = try await loaded()
        index.hold(EngineError(.unavailable, "no space left on device"))
        let removal = Task { _ = try await store.remove("app:1", force: false, uses: []) }
        await index.isHeld()
        let tag = Task { _ = try await store.tag("app:1", as: "app:2") }
        try await end(removal, tag, store)
    }

    @Test("An image that a container is made of while a prune of it waits stays")
    func rootBesidePrune() async throws {
        let (store, _) = try await loaded()
        let image = try await store.resolve("app:1")
        index.hold()
        let tag = Task { _ = try await store.tag("app:1", as: "app:1") }
        await index.isHeld()
        let prune = Task {
            let pruned = try await store.prune(all: true, filter: ImageFilter(), uses: [])
            #expect(pruned.removals == [])
        }
        for _ in 0..<200 {
            _ = try await store.list(ImageFilter())
            await Task.yield()
        }
        _ = try await store.prepareRoot(containerID: "c0ffee", image: image, isContainer: true)
        try await end(tag, prune, store)
        #expect(try await store.resolve("app:1").id == image.id)
    }
}

/// An index whose next change is made, or refused, and not yet answered.
private final class HeldIndex: ImageIndex {
    let memory = MemoryImageIndex()
    private let state = Mutex(State())

    private struct State {
        var isArmed = false
        var refusal: EngineError?
        var held: CheckedContinuation<Void, Never>?
        var watcher: CheckedContinuation<Void, Never>?
    }

    func hold(_ refusal: EngineError? = nil) {
        state.withLock { state in
            state.isArmed = true
            state.refusal = refusal
        }
    }

    func isHeld() async {
        await withCheckedContinuation { watcher in
            let isHeld = state.withLock { state in
                if state.held == nil { state.watcher = watcher }
                return state.held != nil
            }
            if isHeld { watcher.resume() }
        }
    }

    func release() {
        state.withLock { state in
            defer { state.held = nil }
            return state.held
        }?.resume()
    }

    func entries() -> [ImageIndexEntry] { memory.entries() }

    func apply(_ changes: [ImageIndexChange]) async throws(EngineError) {
        let (isHolding, refusal) = state.withLock { state in
            defer { (state.isArmed, state.refusal) = (false, nil) }
            return (state.isArmed, state.refusal)
        }
        if refusal == nil { try memory.apply(changes) }
        guard isHolding else { return }
        await withCheckedContinuation { held in
            state.withLock { state in
                state.held = held
                defer { state.watcher = nil }
                return state.watcher
            }?.resume()
        }
        if let refusal { throw refusal }
    }
}
