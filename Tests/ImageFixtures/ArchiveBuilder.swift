import Archive
import Content
import EngineAPI
import Images
import JSON
import OCI
import Synchronization

/// Image archives as the common tools write them, made in memory.
package struct ArchiveBuilder {
    package var config = ImageConfig(platform: .host)
    /// Packed layers, lowest first, with the digests of what they unpack to.
    package var layers: [(bytes: [UInt8], diffID: Digest, mediaType: String)] = []

    /// What the manifest states beyond the sizes of the configuration and of the topmost layer.
    package var misstatedBytes: (config: Int64, layer: Int64) = (0, 0)

    package init() {
        config.created = .init(nanosecondsSinceEpoch: 1_700_000_000_000_000_000)
        config.execution.command = ["sh"]
    }

    package mutating func layer(_ tar: [UInt8]) {
        layers.append((tar, .sha256(of: tar), ImageMediaType.layer))
    }

    package var configBytes: [UInt8] {
        var config = config
        config.diffIDs = layers.map(\.diffID)
        return config.json.compactBytes
    }

    package var id: Digest { .sha256(of: configBytes) }

    package var manifestBytes: [UInt8] {
        let config = ContentDescriptor(
            mediaType: ImageMediaType.config, digest: id, sizeBytes: Int64(configBytes.count) + misstatedBytes.config)
        var layers = layers.map {
            ContentDescriptor(mediaType: $0.mediaType, digest: .sha256(of: $0.bytes), sizeBytes: Int64($0.bytes.count))
        }
        if let last = layers.indices.last { layers[last].sizeBytes += misstatedBytes.layer }
        return ImageManifest(config: config, layers: layers).json.compactBytes
    }

    /// An OCI layout in a tar archive.
    package func oci(name: String?) -> [UInt8] {
        var tar = TarBytes()
        addBlobs(&tar)
        tar.file("oci-layout", #"{"imageLayoutVersion":"1.0.0"}"#)
        tar.add(TarMember("index.json", .file, mode: 0o644), index([(self, name)]))
        return tar.finished
    }

    package func addBlobs(_ tar: inout TarBytes) {
        for blob in layers.map(\.bytes) + [configBytes, manifestBytes] {
            tar.add(TarMember("blobs/sha256/\(Digest.sha256(of: blob).hex)", .file, mode: 0o644), blob)
        }
    }

    package func index(_ images: [(ArchiveBuilder, String?)]) -> [UInt8] {
        let entries = images.map { image, name in
            var entry = ContentDescriptor(
                mediaType: ImageMediaType.manifest, digest: .sha256(of: image.manifestBytes),
                sizeBytes: Int64(image.manifestBytes.count))
            if let name { entry.annotations["org.opencontainers.image.ref.name"] = name }
            return entry.json
        }
        return JSONValue.object(JSONObject([("schemaVersion", 2), ("manifests", .array(entries))])).compactBytes
    }

    /// Docker's older form: a directory a layer, the configuration beside.
    package func docker(tags: [String]) -> [UInt8] {
        var tar = TarBytes()
        var paths: [JSONValue] = []
        for (number, layer) in layers.enumerated() {
            let directory = "layer\(number)"
            tar.directory("\(directory)/")
            tar.file("\(directory)/VERSION", "1.0")
            tar.file("\(directory)/json", "{}")
            tar.add(TarMember("\(directory)/layer.tar", .file, mode: 0o644), layer.bytes)
            paths.append(.string("\(directory)/layer.tar"))
        }
        tar.add(TarMember("\(id.hex).json", .file, mode: 0o644), configBytes)
        let image = JSONObject([
            ("Config", .string("\(id.hex).json")), ("RepoTags", .array(tags.map(JSONValue.string))),
            ("Layers", .array(paths)),
        ])
        tar.add(TarMember("manifest.json", .file, mode: 0o644), JSONValue.array([.object(image)]).compactBytes)
        return tar.finished
    }
}

/// An index that forgets everything at the end; for tests of the store.
package final class MemoryImageIndex: ImageIndex {
    private let state = Mutex<[String: ImageIndexEntry]>([:])
    private let failure = Mutex<EngineError?>(nil)

    package init() {}

    /// What the next change is refused with.
    package func fail(_ error: EngineError?) { failure.withLock { $0 = error } }

    package func entries() -> [ImageIndexEntry] { state.withLock { Array($0.values) } }

    package func apply(_ changes: [ImageIndexChange]) throws(EngineError) {
        if let error = failure.withLock({ $0 }) { throw error }
        state.withLock { entries in
            for change in changes {
                switch change {
                case .put(let id, let storedAt, let document):
                    entries[id] = ImageIndexEntry(
                        id: id, storedAt: storedAt, document: document, names: entries[id]?.names ?? [])
                case .name(let name, let id):
                    for other in entries.keys { entries[other]?.names.removeAll { $0 == name } }
                    entries[id]?.names.append(name)
                case .removeName(let name):
                    for other in entries.keys { entries[other]?.names.removeAll { $0 == name } }
                case .delete(let id): entries[id] = nil
                }
            }
        }
    }
}
