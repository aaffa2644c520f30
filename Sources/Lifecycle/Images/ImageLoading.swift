import AsyncIO
import Content
import EngineAPI
import Glibc
import Linux
import OCI
import Snapshots
import Synchronization

extension ImageStore {
    package func load(
        from source: ImageLoadSource, progress: @escaping @Sendable (ImageLoadProgress) -> Void
    ) async throws(EngineError) -> [ImageRecord] {
        let job = LoadJob(content: content, progress: progress)
        return try await job.run { () async throws(EngineError) in try await load(source, job) }
    }

    private func load(_ source: ImageLoadSource, _ job: LoadJob) async throws(EngineError) -> [ImageRecord] {
        do throws(EngineError) {
            await discardRottenConfigurations()
            let opened = try await open(source, job)
            let host = host
            let offered = try await BlockingPool.layers.run { () throws(EngineError) in
                try LoadPlan(source: opened, job: job, host: host).images()
            }
            faults.pass(.loadAfterPlan)
            var loaded: [ImageRecord] = []
            for image in offered { loaded.append(try await add(image, from: opened, job)) }
            try await removeUnused(among: job)
            faults.pass(.loadAfterCollection)
            return loaded
        } catch {
            // The failure that led here is what the caller is told; what cannot be removed now is garbage for later.
            try? await removeUnused(among: job)
            throw error
        }
    }

    /// Brings one image in: blobs first, layers next, names last.
    ///
    /// - Parameters:
    ///   - arrival: waits for a layer's blob, where they come while this runs.
    ///   - whenUnpacked: called with each layer's blob.
    func add(
        _ offered: OfferedImage, from source: any ImageSource, _ job: LoadJob,
        arrival: @Sendable (Digest) async throws(EngineError) -> Void = { _ in },
        whenUnpacked: @Sendable (Digest) -> Void = { _ in }
    ) async throws(EngineError) -> ImageRecord {
        let assembly = ImageAssembly(source: source, job: job, snapshots: snapshots)
        var image = try await BlockingPool.layers.run { () throws(EngineError) in try assembly.gather(offered) }
        faults.pass(.loadAfterBlobs)
        let chain = image.layers.map(\.chainID)
        pin(chain)
        defer { unpin(chain) }
        for position in image.layers.indices {
            try await arrival(image.layers[position].blob)
            let layer = image.layers[position]
            try await pool.run { () throws(EngineError) in try assembly.checkSize(of: layer) }
            let facts = try await unpack(image.layers[position], onto: Array(chain[..<position]), assembly)
            image.layers[position].sizeBytes = facts.sizeBytes
            faults.pass(.loadAfterLayer)
            whenUnpacked(image.layers[position].blob)
        }
        guard !Task.isCancelled else { throw .loadCancelled }
        let (record, former) = try await store(image, madeFrom: offered.parent, job)
        // The same image in other packing: what only the former manifest names is needed no more. What cannot be removed now
        // is garbage for later.
        if let former, former.blobs != record.blobs {
            try? await removeUnusedBlobs(among: former.blobs.subtracting(record.blobs))
        }
        return record
    }

    /// Unpacks a layer unless it is there: two loads that need one layer share the work.
    private func unpack(
        _ layer: ImageLayer, onto parents: [Digest], _ assembly: ImageAssembly
    ) async throws(EngineError) -> LayerFacts {
        try await claimUnlessCancelled(layer.chainID)
        defer { release(layer.chainID) }
        let present = try await onPool { (snapshots) throws(SnapshotError) in try snapshots.layer(layer.chainID) }
        if let present { return present }
        return try await BlockingPool.layers.run { () throws(EngineError) in
            try assembly.unpack(layer, onto: parents)
        }
    }

    /// - Returns: also what was known of the image before.
    private func store(
        _ image: StoredImage, madeFrom parent: Digest?, _ job: LoadJob
    ) async throws(EngineError) -> (record: ImageRecord, former: ImageRecord?) {
        await beginChange()
        defer { endChange() }
        await waitForBlobCollection()
        let known = records[image.id] ?? unread[image.id]
        let record = ImageRecord(
            id: image.id, manifest: image.manifest, storedAt: known?.storedAt ?? .now(), config: image.config,
            layers: image.layers, names: Array(Set((known?.names ?? []) + image.names)).sorted(),
            parent: parent ?? known?.parent, taggedAt: image.names.isEmpty ? known?.taggedAt : .now())
        var changes: [ImageIndexChange] = [
            .put(
                id: record.id.description, storedAt: record.storedAt.nanosecondsSinceEpoch, document: record.document)
        ]
        changes += image.names.map { .name($0, id: record.id.description) }
        try await index.apply(changes)
        faults.pass(.loadAfterRow)
        takeAway(image.names, fromAllBut: record.id)
        records[record.id] = record
        unread[record.id] = nil
        for name in image.names {
            job.progress(.loaded(name: ImageRecord.familiar(name), id: record.id.description))
        }
        if image.names.isEmpty { job.progress(.loaded(name: nil, id: record.id.description)) }
        return (record, known)
    }

    /// Gives an image that is here further names.
    func name(_ id: Digest, _ names: [String]) async throws(EngineError) -> ImageRecord {
        await beginChange()
        defer { endChange() }
        guard var record = records[id] else { throw .noSuchImage(id.description) }
        record.names = Array(Set(record.names + names)).sorted()
        record.taggedAt = .now()
        let row = ImageIndexChange.put(
            id: id.description, storedAt: record.storedAt.nanosecondsSinceEpoch, document: record.document)
        try await index.apply([row] + names.map { .name($0, id: id.description) })
        takeAway(names, fromAllBut: id)
        records[id] = record
        return record
    }

    /// A name points at one image: others lose it.
    private func takeAway(_ names: [String], fromAllBut id: Digest) {
        for other in records.keys where other != id { records[other]?.names.removeAll { names.contains($0) } }
        for other in unread.keys where other != id { unread[other]?.names.removeAll { names.contains($0) } }
    }

    // MARK: Sources

    private func open(_ source: ImageLoadSource, _ job: LoadJob) async throws(EngineError) -> any ImageSource {
        switch source {
        case .path(let path):
            return try await BlockingPool.layers.run { () throws(EngineError) in try Self.open(path, job) }
        // What the archive holds goes into the content store at once, in whatever order it comes.
        case .bytes(let stream):
            return try await arriving(stream) { try ArchiveSource(reading: $0, baseName: nil, job: job) }
        }
    }

    /// What `read` makes of a stream's bytes while they arrive, on a thread that may block.
    nonisolated func arriving<Value: Sendable>(
        _ stream: EngineStream<[UInt8]>, _ read: @escaping @Sendable (Descriptor) throws -> Value
    ) async throws(EngineError) -> Value {
        let made = Mutex<Value?>(nil)
        do {
            try await ByteBridge.consumed({ try await stream.next() }) { bytes in
                let value = try read(bytes)
                made.withLock { $0 = value }
            }
        } catch {
            switch error {
            case let error as EngineError: throw error
            case let error as KernelError: throw EngineError(error, doing: "load")
            case is CancellationError: throw .loadCancelled
            default: throw EngineError(.unavailable, "load: \(error)")
            }
        }
        guard let value = made.withLock({ $0 }) else {
            preconditionFailure("an archive was read, but nothing of it is there")
        }
        return value
    }

    private nonisolated static func open(_ path: String, _ job: LoadJob) throws(EngineError) -> any ImageSource {
        let opened: Descriptor
        do throws(KernelError) { opened = try Descriptor.open(path, O_RDONLY) } catch {
            let kind: EngineError.Kind = error.errno == .noSuchFile ? .notFound : .invalid
            throw EngineError(kind, "open \(path): \(error.errno)", object: path)
        }
        let file = OwnedDescriptor(opened)
        let isDirectory: Bool
        do throws(KernelError) { isDirectory = try file.descriptor.isDirectory() } catch {
            throw EngineError(error, doing: "load \(path)")
        }
        if isDirectory { return LayoutDirectory(path: path, job: job) }
        return try ArchiveSource(reading: file.descriptor, baseName: PathName.split(path).name, job: job)
    }
}
