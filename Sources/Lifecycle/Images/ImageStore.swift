import AsyncIO
import Content
import EngineAPI
import Faults
import Linux
import OCI
import Snapshots

/// The images of one data root: blobs in `content`, unpacked layers and containers' roots in `snapshots`, names in the
/// index that the engine gives.
///
/// One store uses a data root at a time; the engine's lock sees to that. What is known of images is kept in memory;
/// whatever blocks runs on the pool.
package actor ImageStore: ImageService {
    nonisolated let content: ContentStore
    nonisolated let snapshots: any Snapshotter
    package nonisolated let driver: StorageDriver
    package nonisolated let warnings: [String]
    /// For what is short; layers and trees have pools of their own.
    nonisolated let pool: BlockingPool
    nonisolated let host: Platform
    let index: any ImageIndex
    nonisolated let faults: FaultPlan
    /// What of the index could not be read at the start, each with the reason and what helps.
    package nonisolated let damaged: [String]

    package nonisolated let revision = Revision()

    var records: [Digest: ImageRecord] { didSet { revision.raise() } }
    /// Images that could not be read at the start, as their rows tell of them, with an empty configuration: they cannot be
    /// used, and keep what they are made of, for what failed once may work at the next start. To load or pull them again
    /// mends them.
    var unread: [Digest: ImageRecord]
    /// A row could not be read at all: nobody knows what it needs, and so nothing is collected.
    nonisolated let keepsEverything: Bool
    /// While rows and records are changed, with those who wait to do the same, in their order; nil else.
    var changing: [CheckedContinuation<Void, Never>]?
    /// Of each container's root, lowest first.
    var rootLayers: [String: [Digest]]
    /// The images of roots that were made since this store was opened, and are there or being made: whoever wants to
    /// remove an image may have asked for its containers before these were any.
    var newRoots: [String: Digest] = [:]
    /// Layers that somebody is about to build on, and how many are.
    var pinnedLayers: [Digest: Int] = [:]
    /// Layers being unpacked or removed, with those who wait for that.
    var busyLayers: [Digest: [UInt64: CheckedContinuation<Void, Never>]] = [:]
    private var lastWaiter: UInt64 = 0
    /// While blobs are being deleted no image is added, with those who wait for that; nil else.
    var blobCollection: [CheckedContinuation<Void, Never>]?

    /// Opens the data root's store, makes it where there is none, and takes away what a crash left half done.
    ///
    /// - Parameter driver: how layers are kept; nil for what works here, and for what the data root has.
    package init(
        dataRoot: String, index: any ImageIndex, driver: StorageDriver? = nil, host: Platform = .host,
        pool: BlockingPool = .shared, faults: FaultPlan = .none
    ) async throws(EngineError) {
        let opened = try await pool.run { () throws(EngineError) in try OpenedDirectories(dataRoot, driver) }
        content = opened.content
        snapshots = opened.chosen.snapshots
        self.driver = opened.chosen.driver
        let leftovers = opened.leftovers.map { "cannot remove what is left of a root: \($0)" }
        warnings = (opened.chosen.note.map { [$0] } ?? []) + leftovers
        rootLayers = opened.rootLayers
        self.index = index
        self.host = host
        self.pool = pool
        self.faults = faults
        let entries = try await index.entries()
        let read = await pool.run {
            RecordReading(entries: entries, content: opened.content, layers: opened.layers, host: host)
        }
        records = read.records
        unread = read.unread
        keepsEverything = read.hasUnknown
        damaged = read.problems
        // What a killed load left. What cannot be removed is garbage for later, and no reason why nothing can be used.
        try? await collectGarbage(containers: nil)
    }

    // MARK: Looking

    package func resolve(_ reference: String) throws(EngineError) -> ImageRecord {
        try ImageLookup(records: records).resolve(reference)
    }

    package func meant(by references: Set<String>) -> [String: String] {
        // What cannot be used has its names all the same.
        let lookup = ImageLookup(records: unread.isEmpty ? records : records.merging(unread) { known, _ in known })
        var ids: [String: String] = [:]
        for reference in references {
            do throws(EngineError) { ids[reference] = try lookup.resolve(reference).id.description } catch {
                if error.kind == .notFound { ids[reference] = "" }
            }
        }
        return ids
    }

    package func list(_ filter: ImageFilter) throws(EngineError) -> [ImageSummary] {
        let matching = try ImageMatching(filter: filter, records: records)
        return records.values.filter { matching.matches($0) }.map { matching.summary(of: $0) }.sorted(by: Self.isNewer)
    }

    package func descendants(of id: String) -> Set<String> { ImageLookup(records: records).descendants(of: id) }

    package func usage() -> (images: [ImageSummary], layersBytes: Int64) {
        var sizes: [Digest: Int64] = [:]
        var counts: [Digest: Int] = [:]
        for layer in records.values.flatMap(\.layers) {
            sizes[layer.chainID] = layer.sizeBytes
            counts[layer.chainID, default: 0] += 1
        }
        let images = records.values.map { record in
            var summary = record.summary
            summary.sharedBytes = record.layers.reduce(0) { sum, layer in
                counts[layer.chainID] ?? 0 > 1 ? sum + layer.sizeBytes : sum
            }
            return summary
        }
        return (images.sorted(by: Self.isNewer), sizes.values.reduce(0, +))
    }

    private static func isNewer(_ left: ImageSummary, _ right: ImageSummary) -> Bool {
        (left.createdAt?.nanosecondsSinceEpoch ?? 0, left.id)
            > (right.createdAt?.nanosecondsSinceEpoch ?? 0, right.id)
    }

    package func details(_ reference: String) throws(EngineError) -> ImageDetails {
        let record = try resolve(reference)
        var details = record.details
        details.storageDriver = driver.rawValue
        details.layerPlaces = snapshots.places(ofLayers: record.chainIDs) ?? []
        return details
    }

    // MARK: Layers in use

    func pin(_ layers: [Digest]) { for layer in layers { pinnedLayers[layer, default: 0] += 1 } }

    func unpin(_ layers: [Digest]) {
        for layer in layers {
            guard let count = pinnedLayers[layer] else { continue }
            pinnedLayers[layer] = count > 1 ? count - 1 : nil
        }
    }

    /// Makes this caller the only one that unpacks or removes a layer; ends with `release`.
    func claim(_ layer: Digest) async {
        await waitUntilIdle(layer)
        busyLayers[layer] = [:]
    }

    /// The same for work that the calling task's end ends: then it throws, and nothing is claimed.
    func claimUnlessCancelled(_ layer: Digest) async throws(EngineError) {
        while busyLayers[layer] != nil, !Task.isCancelled {
            let waiter = nextWaiter()
            await withTaskCancellationHandler {
                await wait(for: layer, as: waiter)
            } onCancel: {
                // Behind the wait's beginning, which this actor has not left until then.
                Task { await self.wake(waiter, of: layer) }
            }
        }
        guard !Task.isCancelled else { throw .loadCancelled }
        busyLayers[layer] = [:]
    }

    func release(_ layer: Digest) {
        for waiter in (busyLayers.removeValue(forKey: layer) ?? [:]).values { waiter.resume() }
    }

    /// Until nobody unpacks or removes the layer.
    func waitUntilIdle(_ layer: Digest) async {
        while busyLayers[layer] != nil { await wait(for: layer, as: nextWaiter()) }
    }

    private func wait(for layer: Digest, as waiter: UInt64) async {
        await withCheckedContinuation { busyLayers[layer]?[waiter] = $0 }
    }

    private func wake(_ waiter: UInt64, of layer: Digest) {
        busyLayers[layer]?.removeValue(forKey: waiter)?.resume()
    }

    private func nextWaiter() -> UInt64 {
        lastWaiter += 1
        return lastWaiter
    }

    /// - Parameter pool: nil for the one of what is short.
    func onPool<Value: Sendable>(
        _ pool: BlockingPool? = nil,
        _ body: @escaping @Sendable (any Snapshotter) throws(SnapshotError) -> Value
    ) async throws(EngineError) -> Value {
        let snapshots = snapshots
        do throws(SnapshotError) {
            return try await (pool ?? self.pool).run { () throws(SnapshotError) in try body(snapshots) }
        } catch { throw EngineError(error) }
    }
}

/// What is on disk when a store is opened. Blocking.
private struct OpenedDirectories: Sendable {
    let content: ContentStore
    let chosen: ChosenSnapshotter
    let rootLayers: [String: [Digest]]
    /// Those that are whole.
    let layers: Set<Digest>
    /// Why some of what a crash left is still there.
    let leftovers: [KernelError]

    init(_ dataRoot: String, _ driver: StorageDriver?) throws(EngineError) {
        do throws(ContentError) {
            content = try ContentStore(path: dataRoot + "/content")
            try content.removeStaleIngests()
        } catch { throw EngineError(error, doing: "open the content store") }
        do throws(SnapshotError) {
            chosen = try ChosenSnapshotter.open(path: dataRoot + "/snapshots", wanted: driver)
            leftovers = try chosen.snapshots.removeLeftovers()
            rootLayers = try chosen.snapshots.roots()
            var whole: Set<Digest> = []
            for layer in try chosen.snapshots.layers() where try chosen.snapshots.layer(layer) != nil {
                whole.insert(layer)
            }
            layers = whole
        } catch { throw EngineError(error, doing: "open the snapshots") }
    }
}
