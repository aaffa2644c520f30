import EngineAPI
import Images
import Lifecycle
import OCI
import Synchronization

/// Images.
extension GantryEngine {
    public func images(_ filter: ImageFilter) async throws(EngineError) -> [ImageSummary] {
        let containers = Dictionary(grouping: core.context.index.all) { $0.definition.imageID }
        var found = try await core.context.images.list(filter)
        for place in found.indices { found[place].containerCount = containers[found[place].id]?.count ?? 0 }
        guard filter.withManifests else { return found }
        let manifests = try await core.context.images.manifests(of: found.map(\.id))
        for place in found.indices {
            guard var manifest = manifests[found[place].id] else { continue }
            manifest.containerIDs = (containers[found[place].id] ?? []).map(\.id).sorted()
            found[place].manifests = [manifest]
        }
        return found
    }

    public func inspectImage(_ reference: String) async throws(EngineError) -> ImageDetails {
        var details = try await core.context.images.details(reference)
        let id = details.summary.id
        details.summary.containerCount = core.context.index.all.count { $0.definition.imageID == id }
        return details
    }

    public func loadImages(_ source: ImageLoadSource) async throws(EngineError) -> EngineStream<ImageLoadProgress> {
        let core = core
        let loaded = LoadedImages()
        let session = TransferSession<ImageLoadProgress> { progress throws(EngineError) in
            let failure: EngineError?
            do throws(EngineError) {
                _ = try await core.context.images.load(from: source) { step in
                    if !loaded.take(step) { progress(step) }
                }
                failure = nil
            } catch { failure = error }
            // Images before one that fails stay, and are told of.
            let steps = loaded.list
            await core.tell(
                steps.compactMap { step in
                    guard case .loaded(_, let id) = step else { return nil }
                    return core.imageEvent("load", id, name: id)
                })
            for step in steps { progress(step) }
            if let failure { throw failure }
        }
        return EngineStream { try await session.next() }
    }

    public func removeImage(
        _ reference: String, force: Bool, prune: Bool
    ) async throws(EngineError) -> [ImageRemoval] {
        try await whole { (core) throws(EngineError) in
            let uses = await core.containers.imageUses()
            let before = try await ImagesBefore(core)
            let removals = try await core.context.images.remove(reference, force: force, prune: prune, uses: uses)
            await core.tell(before.events(of: removals))
            return removals
        }
    }
}

/// Whole images of a load, held back until their events are journalled.
private final class LoadedImages: Sendable {
    private let steps = Mutex<[ImageLoadProgress]>([])

    var list: [ImageLoadProgress] { steps.withLock { $0 } }

    /// False for a step that is none of a whole image.
    func take(_ step: ImageLoadProgress) -> Bool {
        guard case .loaded = step else { return false }
        steps.withLock { $0.append(step) }
        return true
    }
}

/// The images that are there before some are removed: their events name them by id, with their labels.
struct ImagesBefore: Sendable {
    private let images: [ImageSummary]

    init(_ core: EngineCore) async throws(EngineError) {
        var filter = ImageFilter()
        filter.all = true
        images = try await core.context.images.list(filter)
    }

    /// Docker tells of names and of whole images, not of their layers.
    func events(of removals: [ImageRemoval]) -> [EngineEvent] {
        removals.compactMap { removal in
            switch removal {
            case .untagged(let name):
                image { $0.tags.contains(name) || $0.digests.contains(name) }.map { event("untag", $0) }
            case .deleted(let id): image { $0.id == id }.map { event("delete", $0) }
            }
        }
    }

    private func image(_ isMeant: (ImageSummary) -> Bool) -> ImageSummary? { images.first(where: isMeant) }

    private func event(_ action: String, _ image: ImageSummary) -> EngineEvent {
        EngineEvent(
            kind: .image, action: action, actorID: image.id,
            attributes: image.labels.merging(["name": image.id]) { _, own in own }, time: .now())
    }
}

extension EngineCore {
    func imageEvent(_ action: String, _ id: String, name: String) -> EngineEvent {
        EngineEvent(kind: .image, action: action, actorID: id, attributes: ["name": name], time: .now())
    }

    /// Of an image that is here: with its labels.
    func imageEvent(_ action: String, _ image: ImageRecord, name: String) -> EngineEvent {
        EngineEvent(
            kind: .image, action: action, actorID: image.id.description,
            attributes: image.config.execution.labels.dictionary.merging(["name": name]) { _, own in own },
            time: .now())
    }

    func tellOfPrune(_ kind: EngineEvent.Kind, _ reclaimedBytes: Int64) async {
        let attributes = ["reclaimed": String(reclaimedBytes)]
        await tell([EngineEvent(kind: kind, action: "prune", actorID: "", attributes: attributes, time: .now())])
    }

    func tell(_ events: [EngineEvent]) async {
        if events.isEmpty { return }
        do { try await context.events.record(events) } catch { context.note("\(error)") }
    }
}
