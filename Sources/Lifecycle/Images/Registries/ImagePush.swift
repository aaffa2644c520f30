import AsyncIO
import Content
import EngineAPI
import JSON
import Linux
import OCI
import Registry
import Synchronization

extension ImageStore {
    package func push(
        _ session: RegistrySession, progress: @escaping @Sendable (ImageTransferProgress) -> Void
    ) async throws(EngineError) -> Digest {
        let name = session.reference.withDefaultTag
        guard let found = records.values.first(where: { $0.names.contains(name.description) }) else {
            throw EngineError(.notFound, missing(name), object: name.familiar)
        }
        let record = try await packLayers(of: found) { progress(.layer(digest: $0.description, .preparing)) }
        let lease = content.lease()
        for digest in [record.manifest, record.id] + record.layers.map(\.blob) { lease.pin(digest) }
        defer { lease.release() }
        let (content, pool, manifestDigest) = (content, pool, record.manifest)
        let bytes: [UInt8]
        do throws(ContentError) {
            bytes = try await pool.run { () throws(ContentError) in try content.read(manifestDigest) }
        } catch { throw EngineError(error, doing: "push \(name.familiar)") }
        let push = ImagePush(
            content: content, pool: pool, session: session, mounts: record.mountSources(for: name), progress: progress)
        try await push.run(try PushedDocuments(bytes, manifestDigest))
        return try await push.name(bytes, digest: manifestDigest, tag: name.tag ?? "latest")
    }
}

extension ImageStore {
    /// Docker tells a repository that is not here from one that lacks the tag.
    private func missing(_ name: Reference) -> String {
        let isKnown = records.values.contains { $0.repositories.contains(name.name) }
        return isKnown
            ? "tag does not exist: \(name.familiar)"
            : "An image does not exist locally with the tag: \(name.familiarName)"
    }
}

extension ImageRecord {
    /// Other repositories of the same registry that may have the image's layers.
    fileprivate func mountSources(for name: Reference) -> [String] {
        let others = names.compactMap { text -> String? in
            do throws(ReferenceError) {
                let other = try Reference(text)
                return other.domain == name.domain && other.path != name.path ? other.path : nil
            } catch { return nil }
        }
        return Array(Set(others)).sorted()
    }
}

/// What a manifest wants to be in the registry before it.
private struct PushedDocuments {
    let mediaType: String
    let config: ContentDescriptor
    /// Each once.
    var layers: [ContentDescriptor] = []

    init(_ bytes: [UInt8], _ digest: Digest) throws(EngineError) {
        let json: JSONValue
        do throws(JSONError) { json = try JSONValue(parsing: bytes) } catch {
            throw EngineError(error, in: "manifest \(digest)")
        }
        let manifest: ImageManifest
        do throws(RuntimeSpecError) { manifest = try ImageManifest(json) } catch {
            throw EngineError(error, in: "manifest \(digest)")
        }
        mediaType = manifest.mediaType
        config = manifest.config
        for layer in manifest.layers where !layers.contains(where: { $0.digest == layer.digest }) {
            layers.append(layer)
        }
    }
}

/// One push: layers side by side, then the configuration, then the manifest that names them.
private struct ImagePush: Sendable {
    let content: ContentStore
    let pool: BlockingPool
    let session: RegistrySession
    let mounts: [String]
    let progress: @Sendable (ImageTransferProgress) -> Void

    func run(_ documents: PushedDocuments) async throws(EngineError) {
        for layer in documents.layers { tell(layer, .preparing) }
        let layers = documents.layers
        let limit = max(1, session.concurrentUploads)
        let failure: EngineError? = await withTaskGroup(of: EngineError?.self) { group in
            var rest = layers[...]
            for layer in rest.prefix(limit) { group.addTask { await upload(layer, isLayer: true) } }
            rest = rest.dropFirst(limit)
            while let result = await group.next() {
                if let result {
                    group.cancelAll()
                    return result
                }
                if let layer = rest.popFirst() { group.addTask { await upload(layer, isLayer: true) } }
            }
            return nil
        }
        if let failure { throw failure }
        if let failure = await upload(documents.config, isLayer: false) { throw failure }
    }

    /// Why it failed; nil where it did not.
    private func upload(_ blob: ContentDescriptor, isLayer: Bool) async -> EngineError? {
        let (content, pool) = (content, pool)
        let source = BlobSource(digest: blob.digest, sizeBytes: blob.sizeBytes) { offset, length in
            let reader = try await pool.run { () throws(ContentError) in
                try BlobReader(content, blob.digest, offset: offset, lengthBytes: length)
            }
            return { try await pool.run { () throws(KernelError) in try reader.next() } }
        }
        let steps = ProgressSteps(blob.sizeBytes)
        do throws(RegistryError) {
            let result = try await session.upload(source, mountFrom: mounts.first) { done in
                guard isLayer, steps.isWorthTelling(done) else { return }
                tell(blob, .pushing(doneBytes: done, totalBytes: blob.sizeBytes))
            }
            guard isLayer else { return nil }
            switch result {
            case .existed: tell(blob, .pushExisting)
            case .mounted(let repository): tell(blob, .mounted(from: repository))
            case .uploaded: tell(blob, .pushed)
            }
            return nil
        } catch { return EngineError(error, object: session.reference.familiar) }
    }

    func name(_ manifest: [UInt8], digest: Digest, tag: String) async throws(EngineError) -> Digest {
        let documents = try PushedDocuments(manifest, digest)
        do throws(RegistryError) {
            let stored = try await session.put(manifest, mediaType: documents.mediaType, as: tag) ?? digest
            progress(.pushed(tag: tag, digest: stored.description, sizeBytes: Int64(manifest.count)))
            return stored
        } catch { throw EngineError(error, object: session.reference.familiar) }
    }

    private func tell(_ blob: ContentDescriptor, _ step: ImageLayerStep) {
        progress(.layer(digest: blob.digest.description, step))
    }
}
