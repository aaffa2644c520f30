import AsyncIO
import Content
import EngineAPI
import JSON
import OCI
import Snapshots

extension ImageStore {
    package func remove(
        _ reference: String, force: Bool, prune: Bool = true, uses: [ImageUse]
    ) async throws(EngineError) -> [ImageRemoval] {
        try await remove(reference, force: force, prune: prune, uses: uses, sparingUsed: false)
    }

    /// - Parameter sparingUsed: an image that a container has stays also where it could be forced away from it.
    func remove(
        _ reference: String, force: Bool, prune: Bool, uses: [ImageUse], sparingUsed: Bool
    ) async throws(EngineError) -> [ImageRemoval] {
        var (record, removals) = try await removeOne(reference, force, uses, sparingUsed)
        let used = Set((uses + newUses(besides: uses)).map(\.imageID))
        while prune, records[record.id] == nil, let parent = record.parent.flatMap({ records[$0] }),
            parent.names.isEmpty, !hasChildren(parent.id), !used.contains(parent.id.description)
        {
            let (gone, more) = try await removeOne(parent.id.description, false, uses, sparingUsed)
            removals += more
            record = gone
        }
        return removals
    }

    /// Whether images are here that were made from that one.
    func hasChildren(_ id: Digest) -> Bool { kept.contains { $0.parent == id } }

    private func removeOne(
        _ reference: String, _ force: Bool, _ uses: [ImageUse], _ sparingUsed: Bool
    ) async throws(EngineError) -> (ImageRecord, [ImageRemoval]) {
        let (record, plan) = try await forget(reference, force, uses, sparingUsed)
        faults.pass(.removeImageAfterRow)
        var removals = plan.names.map { ImageRemoval.untagged(ImageRecord.familiar($0)) }
        guard plan.deletesImage else { return (record, removals) }
        removals.append(.deleted(record.id.description))
        let gone = try await removeUnusedLayers(among: Set(record.chainIDs))
        faults.pass(.removeImageAfterLayers)
        removals += record.chainIDs.reversed().filter(gone.contains).map { .deleted($0.description) }
        try await removeUnusedBlobs(among: record.blobs)
        faults.pass(.removeImageAfterBlobs)
        return (record, removals)
    }

    /// Takes the row away, or names of it, and says what was decided.
    private func forget(
        _ reference: String, _ force: Bool, _ uses: [ImageUse], _ sparingUsed: Bool
    ) async throws(EngineError) -> (ImageRecord, ImageRemovalPlan) {
        await beginChange()
        defer { endChange() }
        let (record, name) = try removable(reference)
        let uses = uses + newUses(besides: uses)
        if sparingUsed, let use = uses.first(where: { $0.imageID == record.id.description }) {
            throw ImageRemovalPlan.conflict(
                record, "must be forced", "image is being used by container", use, reference)
        }
        let plan = try ImageRemovalPlan(
            record, name: name, reference: reference, force: force, uses: uses, hasChildren: hasChildren(record.id))
        let id = record.id.description
        let before = (records[record.id], unread[record.id])
        // Gone for everybody else before the index is asked: nobody builds on it meanwhile.
        forget(record.id, plan)
        do throws(EngineError) {
            try await index.apply(plan.deletesImage ? [.delete(id: id)] : plan.names.map { .removeName($0) })
        } catch {
            (records[record.id], unread[record.id]) = before
            throw error
        }
        return (record, plan)
    }

    /// Of containers that were made after it was asked for the others, which do not run yet as far as anybody knows.
    func newUses(besides uses: [ImageUse]) -> [ImageUse] {
        let known = Set(uses.map(\.containerID))
        return newRoots.filter { !known.contains($0.key) }.sorted { $0.key < $1.key }.map { root, image in
            ImageUse(containerID: root, imageID: image.description, reference: image.description, isRunning: false)
        }
    }

    /// What a person means, also where it cannot be used; and the full name by which they do.
    private func removable(_ reference: String) throws(EngineError) -> (ImageRecord, name: String?) {
        do throws(EngineError) {
            let record = try resolve(reference)
            return (record, ImageLookup(records: records).name(of: record, in: reference))
        } catch {
            let lookup = ImageLookup(records: unread)
            // What is not among those either is told by the first failure.
            guard let record = try? lookup.resolve(reference) else { throw error }
            return (record, lookup.name(of: record, in: reference))
        }
    }

    private func forget(_ id: Digest, _ plan: ImageRemovalPlan) {
        if plan.deletesImage {
            records[id] = nil
            unread[id] = nil
        } else {
            records[id]?.names.removeAll { plan.names.contains($0) }
            unread[id]?.names.removeAll { plan.names.contains($0) }
        }
    }

    package func collectGarbage(containers: Set<String>?) async throws(EngineError) {
        if let containers {
            for root in Set(rootLayers.keys.map(MountedImage.owner)) where !containers.contains(root) {
                try await removeRoot(containerID: root)
            }
        }
        let layers = try await onPool { (snapshots) throws(SnapshotError) in try snapshots.layers() }
        try await removeUnusedLayers(among: layers)
        let content = content
        let blobs: [Digest]
        do throws(ContentError) {
            blobs = try await pool.run { () throws(ContentError) in try content.digests() }
        } catch { throw EngineError(error) }
        try await removeUnusedBlobs(among: Set(blobs))
    }

    /// What a load brought and nothing refers to: files of the archive that no image needs, and all of one that failed.
    func removeUnused(among job: LoadJob) async throws(EngineError) {
        await BlockingPool.trees.run { job.staged.discard() }
        let blobs = job.lease.digests
        job.lease.release()
        try await removeUnusedLayers(among: nil)
        try await removeUnusedBlobs(among: blobs)
    }

    /// Removes layers that no image, root or load needs, uppermost first.
    ///
    /// - Parameter candidates: nil for all there are.
    @discardableResult
    private func removeUnusedLayers(among candidates: Set<Digest>?) async throws(EngineError) -> Set<Digest> {
        let layers: Set<Digest>
        if let candidates {
            layers = candidates
        } else {
            layers = try await onPool { (snapshots) throws(SnapshotError) in try snapshots.layers() }
        }
        var removed: Set<Digest> = []
        for layer in try await uppermostFirst(layers.filter { !isNeeded($0) }) where !isNeeded(layer) {
            await claim(layer)
            defer { release(layer) }
            // Somebody may have come while the claim was waited for.
            guard !isNeeded(layer) else { continue }
            try await onPool(.trees) { (snapshots) throws(SnapshotError) in try snapshots.removeLayer(layer) }
            removed.insert(layer)
        }
        return removed
    }

    /// A kill in between leaves no layer without those below it.
    private func uppermostFirst(_ layers: Set<Digest>) async throws(EngineError) -> [Digest] {
        guard layers.count > 1 else { return Array(layers) }
        return try await onPool { (snapshots) throws(SnapshotError) in
            var parents: [Digest: Digest] = [:]
            for layer in layers { parents[layer] = try snapshots.layer(layer)?.parent }
            var depths: [Digest: Int] = [:]
            for layer in layers {
                var (depth, place) = (0, layer)
                while let parent = parents[place], depth < layers.count { (depth, place) = (depth + 1, parent) }
                depths[layer] = depth
            }
            return layers.sorted { (depths[$0] ?? 0, $0) > (depths[$1] ?? 0, $1) }
        }
    }

    private func isNeeded(_ layer: Digest) -> Bool {
        keepsEverything || pinnedLayers[layer] != nil || rootLayers.values.contains { $0.contains(layer) }
            || kept.contains { $0.layers.contains { $0.chainID == layer } }
    }

    /// Decides and deletes while no image is added: one that comes meanwhile could need a blob that was unused before.
    func removeUnusedBlobs(among candidates: Set<Digest>) async throws(EngineError) {
        if keepsEverything { return }
        await waitForBlobCollection()
        var needed: Set<Digest> = []
        for record in kept {
            needed.formUnion(record.blobs)
        }
        let content = content
        let unused = candidates.subtracting(needed).filter { !content.isPinned($0) }
        guard !unused.isEmpty else { return }
        blobCollection = []
        defer {
            let waiters = blobCollection ?? []
            blobCollection = nil
            for waiter in waiters { waiter.resume() }
        }
        let failure = await BlockingPool.trees.run { () -> ContentError? in
            var first: ContentError?
            for digest in unused {
                // One that a load pins from now on is kept by the content store itself.
                do throws(ContentError) { _ = try content.delete(digest) } catch { first = first ?? error }
            }
            return first
        }
        if let failure { throw EngineError(failure) }
    }

    func waitForBlobCollection() async {
        while blobCollection != nil { await withCheckedContinuation { blobCollection?.append($0) } }
    }
}
