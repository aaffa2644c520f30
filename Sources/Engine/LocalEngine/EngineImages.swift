import EngineAPI
import Images
import Lifecycle
import Synchronization

/// Images.
extension GantryEngine {
    public func images(_ filter: ImageFilter) async throws(EngineError) -> [ImageSummary] {
        let counts = Dictionary(core.context.index.all.map { ($0.definition.imageID, 1) }, uniquingKeysWith: +)
        return try await core.context.images.list(filter).map { image in
            var image = image
            image.containerCount = counts[image.id] ?? 0
            return image
        }
    }

    public func inspectImage(_ reference: String) async throws(EngineError) -> ImageDetails {
        var details = try await core.context.images.details(reference)
        let id = details.summary.id
        details.summary.containerCount = core.context.index.all.count { $0.definition.imageID == id }
        return details
    }

    public func loadImages(_ source: ImageLoadSource) async throws(EngineError) -> EngineStream<ImageLoadProgress> {
        let session = LoadSession(source, core: core)
        return EngineStream { try await session.next() }
    }

    public func removeImage(
        _ reference: String, force: Bool, prune: Bool
    ) async throws(EngineError) -> [ImageRemoval] {
        try await whole { (core) throws(EngineError) in
            let uses = await core.containers.imageUses()
            let removals = try await core.context.images.remove(reference, force: force, uses: uses)
            await core.tell(of: removals)
            return removals
        }
    }
}

extension EngineCore {
    func tell(of removals: [ImageRemoval]) async {
        await tell(
            removals.map { removal in
                switch removal {
                case .untagged(let name): imageEvent("untag", name, name: name)
                case .deleted(let id): imageEvent("delete", id, name: id)
                }
            })
    }

    func imageEvent(_ action: String, _ id: String, name: String) -> EngineEvent {
        EngineEvent(kind: .image, action: action, actorID: id, attributes: ["name": name], time: .now())
    }

    func tell(_ events: [EngineEvent]) async {
        do { try await context.events.record(events) } catch { context.note("\(error)") }
    }
}

/// A load under way. It ends with its last reader.
///
/// The store tells of its progress faster than anybody reads: of a layer only the newest state is kept, of whole images
/// every one.
private final class LoadSession: Sendable {
    private struct Mailbox {
        var layers: [(digest: String, progress: ImageLoadProgress)] = []
        var loaded: [ImageLoadProgress] = []
        var isOver = false
        var failure: EngineError?

        mutating func take() -> ImageLoadProgress? {
            if !layers.isEmpty { return layers.removeFirst().progress }
            return loaded.isEmpty ? nil : loaded.removeFirst()
        }

        mutating func put(_ progress: ImageLoadProgress) {
            guard case .layer(let digest, _, _) = progress else { return loaded.append(progress) }
            if let index = layers.firstIndex(where: { $0.digest == digest }) {
                layers[index].progress = progress
            } else {
                layers.append((digest, progress))
            }
        }
    }

    private final class Progress: Sendable {
        let mailbox = Mutex(Mailbox())
        let signal = ChangeSignal()

        func put(_ progress: ImageLoadProgress) {
            mailbox.withLock { $0.put(progress) }
            signal.notify()
        }

        func end(_ failure: EngineError?) {
            mailbox.withLock { mailbox in
                mailbox.isOver = true
                mailbox.failure = failure
            }
            signal.notify()
        }
    }

    private let progress = Progress()
    private let work: Task<Void, Never>

    init(_ source: ImageLoadSource, core: EngineCore) {
        let progress = progress
        work = Task {
            do throws(EngineError) {
                _ = try await core.context.images.load(from: source) { progress.put($0) }
                progress.end(nil)
            } catch {
                progress.end(error)
            }
        }
        self.core = core
    }

    private let core: EngineCore

    deinit { work.cancel() }

    func next() async throws -> ImageLoadProgress? {
        while true {
            let generation = progress.signal.generation
            let (item, isOver, failure) = progress.mailbox.withLock { ($0.take(), $0.isOver, $0.failure) }
            if let item {
                if case .loaded(let name, let id) = item {
                    await core.tell([core.imageEvent("load", id, name: name ?? id)])
                }
                return item
            }
            // Not a Result: its typed `get` here makes the optimizer of Swift 6.3.1 crash.
            if let failure { throw failure }
            if isOver { return nil }
            await progress.signal.wait(after: generation)
            try Task.checkCancellation()
        }
    }
}
