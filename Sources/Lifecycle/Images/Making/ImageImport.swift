import Archive
import AsyncIO
import Content
import EngineAPI
import Glibc
import JSON
import Linux
import OCI

extension ImageStore {
    package func importImage(_ request: ImageImportRequest) async throws(EngineError) -> ImageRecord {
        let names = try Self.newNames(request.name)
        let platform = try request.platform.map { (text) throws(EngineError) in try Platform(specifier: text) }
        var config = ImageConfig(platform: platform ?? host)
        try ConfigChanges(request.changes).apply(to: &config.execution)
        config.created = .now()
        config.comment = request.message
        if config.comment.isEmpty { config.comment = "Imported from \(request.address ?? "-")" }
        let job = LoadJob(content: content, progress: { _ in })
        let (base, wanted) = (config, names)
        do throws(EngineError) {
            return try await job.run { () async throws(EngineError) in
                let layer = try await arriving(request.archive) { try ImportedLayer(job: job).blob($0) }
                let manifest = try await BlockingPool.layers.run { () throws(EngineError) in
                    try ImportedLayer(job: job).write(layer, config: base)
                }
                return try await add(OfferedImage(form: .manifest(manifest), names: wanted), from: PulledSource(), job)
            }
        } catch {
            // The failure that led here is what the caller is told; what cannot be removed now is garbage for later.
            try? await removeUnused(among: job)
            throw error
        }
    }
}

/// Makes the documents of an image of one layer. Blocking.
private struct ImportedLayer {
    let job: LoadJob

    /// The manifest's digest.
    ///
    /// - Parameter layer: its blob, as it came.
    func write(_ layer: ContentDescriptor, config base: ImageConfig) throws(EngineError) -> Digest {
        var config = base
        config.diffIDs = [try diffID(layer.digest)]
        var step = ImageHistory(createdBy: "", created: config.created)
        step.comment = config.comment
        config.history = [step]
        let bytes = config.json.compactBytes
        do throws(ContentError) {
            let digest = try job.content.add(bytes, lease: job.lease)
            let manifest = ImageManifest(
                config: ContentDescriptor(
                    mediaType: ImageMediaType.config, digest: digest, sizeBytes: Int64(bytes.count)), layers: [layer])
            return try job.content.add(manifest.json.compactBytes, lease: job.lease)
        } catch { throw EngineError(error, doing: "import") }
    }

    /// The bytes as they come, packed or not.
    func blob(_ file: Descriptor) throws(EngineError) -> ContentDescriptor {
        let writer: BlobWriter
        var head: [UInt8] = []
        do throws(ContentError) {
            writer = try job.content.beginIngest()
            var piece = [UInt8](repeating: 0, count: 1 << 20)
            while !job.isOver {
                let count: Int
                do throws(KernelError) { count = try file.read(into: &piece) } catch { throw .kernel(error) }
                if count == 0 { break }
                if head.count < 4 { head += piece[..<min(4, count)] }
                try writer.write(Array(piece[..<count]))
            }
        } catch { throw EngineError(error, doing: "import") }
        // Then it may be a part of it.
        try job.checkIsWanted()
        do throws(ContentError) {
            let digest = try writer.commit(lease: job.lease)
            return ContentDescriptor(
                mediaType: ImageMediaType.layerType(startingWith: head), digest: digest, sizeBytes: writer.sizeBytes)
        } catch { throw EngineError(error, doing: "import") }
    }

    private func diffID(_ blob: Digest) throws(EngineError) -> Digest {
        let limits = try job.limits()
        let file: OwnedDescriptor
        do throws(ContentError) { file = OwnedDescriptor(try job.content.open(blob)) } catch {
            throw EngineError(error, doing: "import")
        }
        do throws(ArchiveError) {
            let packed = DescriptorInput(file.descriptor) { (_) throws(ArchiveError) in try job.checkCancellation() }
            let inflating = try InflatingInput(packed, hash: .sha256, limits: limits)
            let reader = try TarReader(inflating, limits: limits)
            while let entry = try reader.next() { _ = entry }
            guard let digest = try inflating.finish() else { throw .truncated }
            return digest
        } catch { throw EngineError(error, doing: "import") }
    }
}
