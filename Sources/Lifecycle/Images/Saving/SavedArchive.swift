import Archive
import Content
import EngineAPI
import JSON
import OCI

/// What an archive of images holds: an OCI layout whose blobs docker's `manifest.json` names, too. Pure.
///
/// So docker, podman, containerd and skopeo each find the form that they know, and each layer stands there once.
struct SavedArchive: Sendable {
    enum Member: Sendable {
        case document(path: String, bytes: [UInt8])
        case blob(Digest, sizeBytes: Int64)
        case directory(String)
    }

    /// An image with the full names under which it is saved.
    struct Image: Sendable {
        var record: ImageRecord
        var names: [String]
        var manifestSizeBytes: Int64
        var configSizeBytes: Int64
        var manifestType: String
    }

    let members: [Member]

    init(_ images: [Image]) {
        var members: [Member] = [.directory("blobs/"), .directory("blobs/sha256/")]
        var seen: Set<Digest> = []
        func add(_ digest: Digest, _ sizeBytes: Int64) {
            if seen.insert(digest).inserted { members.append(.blob(digest, sizeBytes: sizeBytes)) }
        }
        for image in images {
            for layer in image.record.layers { add(layer.blob, layer.blobSizeBytes) }
            add(image.record.id, image.configSizeBytes)
            add(image.record.manifest, image.manifestSizeBytes)
        }
        members.append(.document(path: "index.json", bytes: Self.index(images).compactBytes))
        members.append(.document(path: "manifest.json", bytes: Self.dockerManifest(images).compactBytes))
        members.append(.document(path: "oci-layout", bytes: Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8)))
        self.members = members
    }

    static func path(_ digest: Digest) -> String { "blobs/\(digest.algorithm.rawValue)/\(digest.hex)" }

    private static func index(_ images: [Image]) -> JSONValue {
        let entries = images.flatMap { image in
            let names: [String?] = image.names.isEmpty ? [nil] : image.names
            return names.map { name in
                var entry = ContentDescriptor(
                    mediaType: image.manifestType, digest: image.record.manifest, sizeBytes: image.manifestSizeBytes)
                if let name {
                    entry.annotations["io.containerd.image.name"] = name
                    let colon = name.lastIndex(of: ":").map { name.index(after: $0) } ?? name.startIndex
                    entry.annotations["org.opencontainers.image.ref.name"] = String(name[colon...])
                }
                return entry.json
            }
        }
        return .object(
            JSONObject([
                ("schemaVersion", 2), ("mediaType", .string(ImageMediaType.index)), ("manifests", .array(entries)),
            ]))
    }

    private static func dockerManifest(_ images: [Image]) -> JSONValue {
        .array(
            images.map { image in
                let tags = image.names.map { JSONValue.string(ImageRecord.familiar($0)) }
                return .object(
                    JSONObject([
                        ("Config", .string(path(image.record.id))), ("RepoTags", tags.isEmpty ? .null : .array(tags)),
                        ("Layers", .array(image.record.layers.map { .string(path($0.blob)) })),
                    ]))
            })
    }
}
