import Archive
import Content
import EngineAPI
import Glibc
import JSON
import Linux
import OCI
import Registry
import Snapshots

/// An image whose blobs are all in the content store.
struct StoredImage: Sendable {
    var manifest: Digest
    var id: Digest
    var config: ImageConfig
    /// With the sizes still open.
    var layers: [ImageLayer]
    var names: [String]
}

/// Brings an offered image's blobs together, and unpacks its layers. Blocking.
struct ImageAssembly: Sendable {
    let source: any ImageSource
    let job: LoadJob
    let snapshots: any Snapshotter

    /// Checks that manifest, configuration and layers are there and belong together.
    func gather(_ offered: OfferedImage) throws(EngineError) -> StoredImage {
        let digest: Digest
        switch offered.form {
        case .manifest(let manifest): digest = manifest
        case .docker(let image): digest = try makeManifest(image)
        }
        let manifest: ImageManifest
        let json = try LoadPlan.json(try read(digest), "manifest \(digest)")
        do throws(RuntimeSpecError) { manifest = try ImageManifest(json) } catch {
            throw EngineError(error, in: "invalid manifest \(digest)")
        }
        try checkDepth(manifest.layers.count, digest)
        try source.require(manifest.config.digest, in: job)
        try checkSize(of: manifest.config.digest, stated: manifest.config.sizeBytes, "configuration")
        let config = try self.config(manifest.config.digest)
        guard manifest.layers.count == config.diffIDs.count else {
            throw EngineError(
                .invalid,
                "invalid image \(manifest.config.digest): \(manifest.layers.count) layers, but the configuration names "
                    + "\(config.diffIDs.count)")
        }
        var layers: [ImageLayer] = []
        let chain = Digest.chainIDs(config.diffIDs)
        for (index, layer) in manifest.layers.enumerated() {
            guard ImageMediaType.isLayer(layer.mediaType) else {
                throw EngineError(
                    .invalid, "unsupported media type of a layer: " + RegistryError.harmless(layer.mediaType))
            }
            try source.require(layer.digest, in: job)
            layers.append(
                ImageLayer(
                    blob: layer.digest, blobSizeBytes: layer.sizeBytes, diffID: config.diffIDs[index],
                    chainID: chain[index], sizeBytes: 0))
        }
        return StoredImage(
            manifest: digest, id: manifest.config.digest, config: config, layers: layers, names: offered.names)
    }

    private func checkDepth(_ count: Int, _ image: Digest) throws(EngineError) {
        if let refusal = LayerDepth.refusal(of: count) {
            throw EngineError(.invalid, "invalid image \(image): \(refusal)")
        }
    }

    /// What a manifest states is what others are told, and cut the blob by: it must be so. Once the blob is here.
    func checkSize(of layer: ImageLayer) throws(EngineError) {
        try checkSize(of: layer.blob, stated: layer.blobSizeBytes, "layer")
    }

    private func checkSize(of blob: Digest, stated: Int64, _ kind: String) throws(EngineError) {
        let found = try size(blob)
        guard found == stated else {
            throw EngineError(
                .invalid, "invalid manifest: \(kind) \(blob) has \(found) bytes, and \(stated) by the manifest")
        }
    }

    /// Unpacks a layer over those below it, and checks that it is the one that the configuration names.
    func unpack(_ layer: ImageLayer, onto parents: [Digest]) throws(EngineError) -> LayerFacts {
        let limits = try job.limits()
        do throws(SnapshotError) {
            return try snapshots.unpack(layer.chainID, onto: parents) { (root) throws(ArchiveError) in
                try apply(layer, to: root, limits)
            }
        } catch { throw EngineError(error, doing: "failed to register layer \(layer.diffID)") }
    }

    private func apply(
        _ layer: ImageLayer, to root: Descriptor, _ limits: UnpackLimits
    ) throws(ArchiveError) -> Int64 {
        let file: OwnedDescriptor
        do throws(ContentError) { file = OwnedDescriptor(try job.content.open(layer.blob)) } catch {
            throw .invalid(error.description)
        }
        var reportedBytes: Int64 = -1
        let packed = DescriptorInput(file.descriptor) { (doneBytes) throws(ArchiveError) in
            try job.checkCancellation()
            // At most a hundred reports a layer, whatever its size.
            let isLast = doneBytes == layer.blobSizeBytes && reportedBytes < doneBytes
            let step = max(layer.blobSizeBytes / 100, 1 << 20)
            guard reportedBytes < 0 || doneBytes - reportedBytes >= step || isLast else { return }
            reportedBytes = doneBytes
            job.progress(
                .layer(digest: layer.blob.description, doneBytes: doneBytes, totalBytes: layer.blobSizeBytes))
        }
        // The blob of a layer that is not packed was hashed when it was stored.
        let isVerified = layer.blob == layer.diffID
        let inflating = try InflatingInput(packed, hash: isVerified ? nil : layer.diffID.algorithm, limits: limits)
        let applier = try LayerApplier(root: root)
        try applier.apply(try TarReader(inflating, limits: limits))
        let found = try inflating.finish() ?? layer.diffID
        guard found == layer.diffID, !(isVerified && inflating.isPacked) else {
            throw .invalid("wrong diff id calculated on extraction \"\(found)\", expected \"\(layer.diffID)\"")
        }
        return applier.contentBytes
    }

    // MARK: Docker archives

    /// Docker's list of files as an OCI manifest.
    private func makeManifest(_ image: DockerArchiveImage) throws(EngineError) -> Digest {
        let configDigest = try requireFile(image.config)
        let config = ContentDescriptor(
            mediaType: ImageMediaType.config, digest: configDigest, sizeBytes: try size(configDigest))
        try checkDepth(image.layers.count, configDigest)
        var layers: [ContentDescriptor] = []
        for path in image.layers {
            let digest = try requireFile(path)
            layers.append(
                ContentDescriptor(mediaType: try layerType(digest), digest: digest, sizeBytes: try size(digest)))
        }
        let manifest = ImageManifest(config: config, layers: layers)
        do throws(ContentError) { return try job.content.add(manifest.json.compactBytes, lease: job.lease) } catch {
            throw EngineError(error, doing: "load")
        }
    }

    private func requireFile(_ path: String) throws(EngineError) -> Digest {
        guard let digest = try source.blob(at: path) else {
            throw EngineError(.invalid, "invalid archive: `\(path)`, which manifest.json names, is missing")
        }
        return digest
    }

    private func layerType(_ digest: Digest) throws(EngineError) -> String {
        var head = [UInt8](repeating: 0, count: 4)
        do throws(ContentError) {
            let file = OwnedDescriptor(try job.content.open(digest))
            do throws(KernelError) { _ = try file.descriptor.read(into: &head) } catch { throw .kernel(error) }
        } catch { throw EngineError(error, doing: "load") }
        return ImageMediaType.layerType(startingWith: head)
    }

    // MARK: Reading

    private func config(_ digest: Digest) throws(EngineError) -> ImageConfig {
        let json = try LoadPlan.json(try read(digest), "image configuration \(digest)")
        do throws(RuntimeSpecError) { return try ImageConfig(json) } catch {
            throw EngineError(error, in: "invalid image configuration \(digest)")
        }
    }

    private func read(_ digest: Digest) throws(EngineError) -> [UInt8] {
        do throws(ContentError) { return try job.content.read(digest) } catch {
            throw EngineError(error, doing: "load")
        }
    }

    private func size(_ digest: Digest) throws(EngineError) -> Int64 {
        do throws(ContentError) { return try job.content.sizeBytes(digest) } catch {
            throw EngineError(error, doing: "load")
        }
    }
}
