import Archive
import AsyncIO
import Content
import EngineAPI
import JSON
import Linux
import OCI

extension ImageStore {
    /// Gives an image packed layers in place of those that are plain, as registries and their clients expect them.
    ///
    /// The image stays the same: its id names its configuration, and that names unpacked layers. The plain blobs go, so
    /// that nothing is kept twice, and a second push finds all as it is to be.
    func packLayers(
        of record: ImageRecord, _ told: @escaping @Sendable (Digest) -> Void
    ) async throws(EngineError) -> ImageRecord {
        let job = LoadJob(content: content, progress: { _ in })
        return try await job.run { () async throws(EngineError) in try await packLayers(of: record, job, told) }
    }

    private func packLayers(
        of record: ImageRecord, _ job: LoadJob, _ told: @escaping @Sendable (Digest) -> Void
    ) async throws(EngineError) -> ImageRecord {
        for blob in [record.manifest] + record.layers.map(\.blob) { job.lease.pin(blob) }
        let bytes = try await pool.run { [content] () throws(EngineError) in
            do throws(ContentError) { return try content.read(record.manifest) } catch {
                throw EngineError(error, doing: "push")
            }
        }
        var manifest = try PackedManifest(bytes, record.manifest)
        guard manifest.hasPlainLayers else { return record }
        do throws(EngineError) {
            for position in manifest.plainPositions {
                let layer = record.layers[position]
                told(layer.blob)
                manifest.replace(position, by: try await packed(layer, job))
            }
            faults.pass(.pushAfterPacking)
            let packed = try await pool.run { [manifest] () throws(EngineError) in try manifest.store(job) }
            let new = try await put(manifest.record(record, packed), replacing: record)
            try await removeUnused(among: job)
            return new
        } catch {
            // The failure that led here is what the caller is told; what cannot be removed now is garbage for later.
            try? await removeUnused(among: job)
            throw error
        }
    }

    /// Another image may have the same layer packed already.
    private func packed(_ layer: ImageLayer, _ job: LoadJob) async throws(EngineError) -> PackedLayer {
        for other in records.values.flatMap(\.layers) where other.diffID == layer.diffID && other.blob != layer.blob {
            job.lease.pin(other.blob)
            if let known = await pool.run({ try? PackedLayer(other.blob, job.content) }) { return known }
        }
        return try await BlockingPool.layers.run { () throws(EngineError) in
            try PackedLayer(packing: layer.blob, job)
        }
    }

    private func put(_ new: ImageRecord, replacing old: ImageRecord) async throws(EngineError) -> ImageRecord {
        await beginChange()
        defer { endChange() }
        await waitForBlobCollection()
        // Removed meanwhile: then it is not to come back.
        guard let now = records[old.id] else { throw .noSuchImage(old.id.description) }
        if now.manifest != old.manifest { return now }
        var new = new
        (new.names, new.taggedAt) = (now.names, now.taggedAt)
        try await index.apply([
            .put(id: new.id.description, storedAt: new.storedAt.nanosecondsSinceEpoch, document: new.document)
        ])
        records[new.id] = new
        faults.pass(.pushAfterRow)
        return new
    }
}

/// A layer's blob in gzip's form.
private struct PackedLayer: Sendable {
    let blob: Digest
    let sizeBytes: Int64

    /// One that is there. Blocking.
    ///
    /// - Throws: where it is not in gzip's form.
    init(_ blob: Digest, _ content: ContentStore) throws {
        let file = OwnedDescriptor(try content.open(blob))
        var head = [UInt8](repeating: 0, count: 2)
        let count = try file.descriptor.read(into: &head)
        guard count == 2, head == [0x1f, 0x8b] else { throw ArchiveError.invalid("not in gzip's form") }
        self.blob = blob
        sizeBytes = Int64(try file.descriptor.status().st_size)
    }

    /// Packs a plain one. Blocking.
    init(packing plain: Digest, _ job: LoadJob) throws(EngineError) {
        let written: BlobWriter
        do throws(ContentError) { written = try job.content.beginIngest() } catch {
            throw EngineError(error, doing: "pack layer \(plain)")
        }
        do throws(ArchiveError) { try Self.pack(plain, job, to: written) } catch {
            throw EngineError(error, doing: "pack layer \(plain)")
        }
        do throws(ContentError) { blob = try written.commit(lease: job.lease) } catch {
            throw EngineError(error, doing: "pack layer \(plain)")
        }
        sizeBytes = written.sizeBytes
    }

    private static func pack(_ plain: Digest, _ job: LoadJob, to written: BlobWriter) throws(ArchiveError) {
        let file: OwnedDescriptor
        do throws(ContentError) { file = OwnedDescriptor(try job.content.open(plain)) } catch {
            throw .invalid(error.description)
        }
        let writer = try GzipWriter { (bytes) throws(ArchiveError) in
            do throws(ContentError) { try written.write(bytes) } catch {
                if case .kernel(let failure) = error { throw .kernel(failure) }
                throw .invalid(error.description)
            }
        }
        var piece = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            try job.checkCancellation()
            let count: Int
            do throws(KernelError) { count = try file.descriptor.read(into: &piece) } catch { throw .kernel(error) }
            if count == 0 { break }
            try piece.withUnsafeBufferPointer { (whole) throws(ArchiveError) in
                try writer.write(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: whole[..<count])))
            }
        }
        try writer.finish()
    }
}

/// A manifest whose plain layers are replaced by packed ones.
private struct PackedManifest: Sendable {
    private var manifest: ImageManifest
    private var packed: [Int: PackedLayer] = [:]

    init(_ bytes: [UInt8], _ digest: Digest) throws(EngineError) {
        let json = try LoadPlan.json(bytes, "manifest \(digest)")
        do throws(RuntimeSpecError) { manifest = try ImageManifest(json) } catch {
            throw EngineError(error, in: "manifest \(digest)")
        }
    }

    var plainPositions: [Int] {
        manifest.layers.indices.filter { ImageMediaType.isPlainLayer(manifest.layers[$0].mediaType) }
    }
    var hasPlainLayers: Bool { !plainPositions.isEmpty }

    mutating func replace(_ position: Int, by layer: PackedLayer) {
        packed[position] = layer
    }

    /// The manifest's digest. Blocking.
    func store(_ job: LoadJob) throws(EngineError) -> Digest {
        var manifest = manifest
        for (position, layer) in packed {
            manifest.layers[position].mediaType = ImageMediaType.packed(manifest.layers[position].mediaType)
            manifest.layers[position].digest = layer.blob
            manifest.layers[position].sizeBytes = layer.sizeBytes
        }
        do throws(ContentError) { return try job.content.add(manifest.json.compactBytes, lease: job.lease) } catch {
            throw EngineError(error, doing: "push")
        }
    }

    func record(_ old: ImageRecord, _ digest: Digest) -> ImageRecord {
        var new = old
        new.manifest = digest
        for (position, layer) in packed {
            new.layers[position].blob = layer.blob
            new.layers[position].blobSizeBytes = layer.sizeBytes
        }
        return new
    }
}
