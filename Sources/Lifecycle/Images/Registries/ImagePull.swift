import Content
import EngineAPI
import JSON
import OCI
import Registry
import Snapshots

/// What a pull found and brought.
package struct PulledImage: Hashable, Sendable {
    package var record: ImageRecord
    /// The digest by which the registry knows it: of the index, where there is one.
    package var digest: Digest
    /// The names that it has now.
    package var names: [String]
    package var isNew: Bool
}

extension ImageStore {
    package func pull(
        _ session: RegistrySession, platform: Platform?, progress: @escaping @Sendable (ImageTransferProgress) -> Void
    ) async throws(EngineError) -> PulledImage {
        let told = LayerReports(progress)
        let progress = { @Sendable step in told.tell(step) }
        let job = LoadJob(content: content) { step in
            guard case .layer(let digest, let done, let total) = step else { return }
            progress(.layer(digest: digest, .unpacking(doneBytes: done, totalBytes: total ?? done)))
        }
        let pull = ImagePull(store: self, session: session, job: job, progress: progress)
        do throws(EngineError) {
            return try await job.run { () async throws(EngineError) in try await pull.run(platform ?? host) }
        } catch {
            // The failure that led here is what the caller is told; what cannot be removed now is garbage for later.
            try? await removeUnused(among: job)
            throw error
        }
    }

    /// The image of that manifest, if the store has it, and none of its layers is damaged: to pull it again mends it.
    func wholeRecord(ofManifest digest: Digest) async throws(EngineError) -> ImageRecord? {
        guard let record = records.values.first(where: { $0.manifest == digest }) else { return nil }
        let isWhole = try await onPool { (snapshots) throws(SnapshotError) in
            for layer in record.chainIDs where try snapshots.layer(layer) == nil { return false }
            return true
        }
        return isWhole ? record : nil
    }

    /// Makes one of two pulls of one blob wait for the other; ends with `release`, unless it throws because the caller was
    /// cancelled.
    func isHeldAfterClaim(_ blob: Digest) async throws(EngineError) -> Bool {
        try await claimUnlessCancelled(blob)
        return content.contains(blob)
    }
}

/// One pull: manifest, configuration, layers side by side, each unpacked as soon as those below it are.
struct ImagePull: Sendable {
    let store: ImageStore
    let session: RegistrySession
    let job: LoadJob
    let progress: @Sendable (ImageTransferProgress) -> Void

    private var reference: Reference { session.reference }
    private var name: String { reference.familiar }
    private static let indexDepth = 4

    func run(_ platform: Platform) async throws(EngineError) -> PulledImage {
        let top = try await fetch(reference.digest?.description ?? reference.tag ?? "latest")
        let found = try await manifest(top, platform)
        let names = names(top.digest, isIndex: top.digest != found.digest)
        if let known = try await store.wholeRecord(ofManifest: found.digest) {
            do throws(EngineError) { return try await finish(known, names, top.digest) } catch {
                // Removed meanwhile: then it is brought again.
                guard error.kind == .notFound else { throw error }
            }
        }
        let record = try await bring(found, names)
        return finished(record, top.digest, isNew: true)
    }

    /// One that is here needs nothing but its names, and nothing is told of its layers.
    private func finish(_ known: ImageRecord, _ names: [String], _ digest: Digest) async throws(EngineError)
        -> PulledImage
    {
        let isNew = !Set(names).isSubset(of: known.names)
        let record = isNew ? try await store.name(known.id, names) : known
        return finished(record, digest, isNew: isNew)
    }

    private func finished(_ record: ImageRecord, _ digest: Digest, isNew: Bool) -> PulledImage {
        progress(
            .pulled(digest: digest.description, name: name, id: record.id.description, isNew: isNew))
        return PulledImage(record: record, digest: digest, names: record.names, isNew: isNew)
    }

    /// By its tag; and by the index's digest where that is not the manifest's own, so that it is found by it again.
    private func names(_ digest: Digest, isIndex: Bool) -> [String] {
        var names: [String] = []
        if let tag = reference.tag, reference.digest == nil { names.append("\(reference.name):\(tag)") }
        if isIndex || names.isEmpty { names.append("\(reference.name)@\(digest)") }
        return names
    }

    private func fetch(_ name: String) async throws(EngineError) -> FetchedManifest {
        do throws(RegistryError) { return try await session.manifest(name) } catch {
            throw EngineError(error, object: self.name)
        }
    }

    /// Follows indexes to the manifest that runs best on the platform.
    private func manifest(_ top: FetchedManifest, _ platform: Platform) async throws(EngineError) -> FetchedManifest {
        var found = top
        for _ in 0..<Self.indexDepth {
            guard found.isIndex else { return found }
            let list: ManifestList
            do throws(RuntimeSpecError) { list = try ManifestList(found.json) } catch {
                throw EngineError(error, in: "pull \(name): invalid index \(found.digest)")
            }
            guard let best = list.best(for: platform) else {
                throw EngineError(
                    .notFound, "pull \(name): no matching manifest for \(platform) in the manifest list entries",
                    object: name)
            }
            let next = try await fetch(best.digest.description)
            guard Int64(next.bytes.count) == best.sizeBytes else {
                throw EngineError(
                    .invalid,
                    "pull \(name): manifest \(best.digest) has \(next.bytes.count) bytes, and \(best.sizeBytes) by its index",
                    object: name)
            }
            found = next
        }
        throw EngineError(.invalid, "pull \(name): lists of manifests are nested too deeply", object: name)
    }

    private func bring(_ found: FetchedManifest, _ names: [String]) async throws(EngineError) -> ImageRecord {
        let manifest = try PullPlan.manifest(found.json, name: name)
        let plan = try PullPlan(manifest, name: name)
        await store.discardRottenConfigurations()
        // Before anything is looked for: what is here must not be collected while it is relied upon.
        for digest in [found.digest, manifest.config.digest] + plan.blobs.map(\.digest) { job.lease.pin(digest) }
        try await store(found)
        store.faults.pass(.pullAfterManifest)
        try await PullDownload(pull: self, blob: manifest.config, isLayer: false).run()
        store.faults.pass(.pullAfterConfig)
        let offered = OfferedImage(form: .manifest(found.digest), names: names)
        let downloads = PullDownloads(plan.blobs.map { PullDownload(pull: self, blob: $0, isLayer: true) })
        return try await downloads.run(limit: session.concurrentDownloads) { arrival throws(EngineError) in
            try await store.add(offered, from: PulledSource(), job, arrival: arrival) { digest in
                progress(.layer(digest: digest.description, .pulled))
            }
        }
    }

    /// Keeps the manifest's own bytes.
    private func store(_ found: FetchedManifest) async throws(EngineError) {
        let (content, lease) = (store.content, job.lease)
        do throws(ContentError) {
            try await store.pool.run { () throws(ContentError) in
                if content.contains(found.digest) { return }
                let writer = try content.beginIngest(found.digest.algorithm)
                try writer.write(found.bytes)
                _ = try writer.commit(expected: found.digest, lease: lease)
            }
        } catch { throw EngineError(error, doing: "pull \(name)") }
    }
}

/// For an image whose documents are in the store, and whose layers come there while others are unpacked.
struct PulledSource: ImageSource {
    var baseName: String? { nil }
    func document(_ document: SourceDocument) -> [UInt8]? { nil }

    func blob(at path: String) -> Digest? {
        let parts = path.split(separator: "/")
        return parts.count == 3 ? Digest("\(parts[1]):\(parts[2])") : nil
    }
}
