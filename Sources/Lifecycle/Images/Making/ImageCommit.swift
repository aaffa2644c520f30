import Archive
import AsyncIO
import Content
import EngineAPI
import JSON
import Linux
import OCI
import Snapshots

/// What an image that is made from a container is to be.
package struct ContainerCommit: Sendable {
    package var containerID: String
    /// The image that the container was made from.
    package var baseID: String
    /// How the container runs.
    package var execution: ImageExecution
    package var createdBy: String
    package var request: ContainerCommitRequest
    /// What in the container's root is no change of its own.
    package var isLeftOut: @Sendable (String) -> Bool

    package init(
        containerID: String, baseID: String, execution: ImageExecution, createdBy: String,
        request: ContainerCommitRequest, isLeftOut: @escaping @Sendable (String) -> Bool
    ) {
        self.containerID = containerID
        self.baseID = baseID
        self.execution = execution
        self.createdBy = createdBy
        self.request = request
        self.isLeftOut = isLeftOut
    }
}

extension ImageStore {
    package func commit(
        _ wanted: ContainerCommit, whenRead: @Sendable () async -> Void
    ) async throws(EngineError) -> ImageRecord {
        let job = LoadJob(content: content, progress: { _ in })
        do throws(EngineError) {
            return try await job.run { () async throws(EngineError) in
                let made: Result<CommittedImage, EngineError>
                do throws(EngineError) { made = .success(try await readChanges(wanted, job)) } catch {
                    made = .failure(error)
                }
                await whenRead()
                faults.pass(.commitAfterLayer)
                let image = try made.get()
                let names = try Self.newNames(wanted.request.name)
                let manifest = try await pool.run { () throws(EngineError) in try image.writeDocuments(job) }
                faults.pass(.commitAfterDocuments)
                let offered = OfferedImage(form: .manifest(manifest), names: names, parent: image.base.id)
                return try await add(offered, from: PulledSource(), job)
            }
        } catch {
            // The failure that led here is what the caller is told; what cannot be removed now is garbage for later.
            try? await removeUnused(among: job)
            throw error
        }
    }

    /// All that needs the container's files; checks what can be checked before.
    private func readChanges(_ wanted: ContainerCommit, _ job: LoadJob) async throws(EngineError) -> CommittedImage {
        _ = try Self.newNames(wanted.request.name)
        guard let id = Digest(wanted.baseID), let base = records[id] else { throw .noSuchImage(wanted.baseID) }
        var execution = wanted.execution
        try ConfigChanges(wanted.request.changes).apply(to: &execution)
        // Held before the first wait: the base may be removed from here on.
        for blob in [base.manifest] + base.layers.map(\.blob) { job.lease.pin(blob) }
        pin(base.chainIDs)
        defer { unpin(base.chainIDs) }
        if let refusal = LayerDepth.refusal(of: base.layers.count + 1) {
            throw EngineError(.invalid, "commit \(wanted.containerID.prefix(12)): \(refusal)")
        }
        let snapshots = snapshots
        let layer = try await BlockingPool.layers.run { () throws(EngineError) in
            try ChangedLayer.write(wanted, from: snapshots, job)
        }
        return CommittedImage(wanted: wanted, base: base, execution: execution, layer: layer)
    }
}

/// The layer of what a container has changed. Blocking.
private enum ChangedLayer {
    /// Nil where nothing was changed.
    static func write(
        _ wanted: ContainerCommit, from snapshots: any Snapshotter, _ job: LoadJob
    ) throws(EngineError) -> ContentDescriptor? {
        let blob: BlobWriter
        do throws(ContentError) { blob = try job.content.beginIngest() } catch {
            throw EngineError(error, doing: "commit")
        }
        do throws(SnapshotError) {
            guard try writeChanges(wanted, from: snapshots, to: blob, job) else { return nil }
        } catch {
            if job.isOver { throw .loadCancelled }
            throw EngineError(error, doing: "read the changes of \(wanted.containerID)")
        }
        do throws(ContentError) {
            let digest = try blob.commit(lease: job.lease)
            return ContentDescriptor(mediaType: ImageMediaType.layer, digest: digest, sizeBytes: blob.sizeBytes)
        } catch { throw EngineError(error, doing: "commit") }
    }

    private static func writeChanges(
        _ wanted: ContainerCommit, from snapshots: any Snapshotter, to blob: BlobWriter, _ job: LoadJob
    ) throws(SnapshotError) -> Bool {
        let writer = TarWriter { (bytes) throws(ArchiveError) in
            try job.checkCancellation()
            do throws(ContentError) { try blob.write(bytes) } catch {
                if case .kernel(let failure) = error { throw .kernel(failure) }
                throw .invalid(error.description)
            }
        }
        let hasChanges = try snapshots.archiveChanges(wanted.containerID, leavingOut: wanted.isLeftOut, to: writer)
        guard hasChanges else { return false }
        do throws(ArchiveError) { try writer.finish() } catch { throw .archive(error) }
        return true
    }
}

/// The documents of an image that is made from a container.
private struct CommittedImage: Sendable {
    let wanted: ContainerCommit
    let base: ImageRecord
    let execution: ImageExecution
    let layer: ContentDescriptor?

    /// The manifest's digest. Blocking.
    func writeDocuments(_ job: LoadJob) throws(EngineError) -> Digest {
        let below = try baseLayers(job)
        let bytes = config.json.compactBytes
        do throws(ContentError) {
            let digest = try job.content.add(bytes, lease: job.lease)
            let description = ContentDescriptor(
                mediaType: ImageMediaType.config, digest: digest, sizeBytes: Int64(bytes.count))
            let manifest = ImageManifest(config: description, layers: below + (layer.map { [$0] } ?? []))
            return try job.content.add(manifest.json.compactBytes, lease: job.lease)
        } catch { throw EngineError(error, doing: "commit") }
    }

    private var config: ImageConfig {
        var config = base.config
        config.created = .now()
        config.author = wanted.request.author
        config.comment = wanted.request.message
        config.execution = execution
        if let layer { config.diffIDs.append(layer.digest) }
        var step = ImageHistory(createdBy: wanted.createdBy, created: config.created)
        step.comment = wanted.request.message
        step.author = wanted.request.author
        step.isEmptyLayer = layer == nil
        config.history.append(step)
        // What docker keeps of the container that a build step ran in.
        for name in ["container", "container_config"] { config.other[name] = nil }
        return config
    }

    private func baseLayers(_ job: LoadJob) throws(EngineError) -> [ContentDescriptor] {
        let bytes: [UInt8]
        do throws(ContentError) { bytes = try job.content.read(base.manifest) } catch {
            throw EngineError(error, doing: "commit")
        }
        let json = try LoadPlan.json(bytes, "manifest \(base.manifest)")
        do throws(RuntimeSpecError) {
            return try ImageManifest(json).layers.map { layer in
                ContentDescriptor(
                    mediaType: ImageMediaType.ociLayer(layer.mediaType), digest: layer.digest,
                    sizeBytes: layer.sizeBytes)
            }
        } catch { throw EngineError(error, in: "manifest \(base.manifest)") }
    }
}
