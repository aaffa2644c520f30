import JSON

/// The media types of images: OCI's and those of docker's second schema.
package enum ImageMediaType {
    package static let index = "application/vnd.oci.image.index.v1+json"
    package static let manifest = "application/vnd.oci.image.manifest.v1+json"
    package static let config = "application/vnd.oci.image.config.v1+json"
    package static let layer = "application/vnd.oci.image.layer.v1.tar"
    package static let layerGzip = "application/vnd.oci.image.layer.v1.tar+gzip"
    package static let layerZstd = "application/vnd.oci.image.layer.v1.tar+zstd"
    package static let dockerList = "application/vnd.docker.distribution.manifest.list.v2+json"
    package static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
    package static let dockerConfig = "application/vnd.docker.container.image.v1+json"
    package static let dockerLayer = "application/vnd.docker.image.rootfs.diff.tar"
    package static let dockerLayerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip"

    /// The type of a layer by its first four bytes.
    package static func layerType(startingWith head: [UInt8]) -> String {
        if head.starts(with: [0x1f, 0x8b]) { return layerGzip }
        return head.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) ? layerZstd : layer
    }

    /// OCI's word for a layer's type, for a manifest of OCI's.
    package static func ociLayer(_ type: String) -> String {
        type == dockerLayerGzip ? layerGzip : type == dockerLayer ? layer : type
    }

    package static func isPlainLayer(_ type: String) -> Bool { type == layer || type == dockerLayer }

    /// The type of a plain layer once it is packed with gzip.
    package static func packed(_ type: String) -> String { type == dockerLayer ? dockerLayerGzip : layerGzip }

    package static func isIndex(_ type: String) -> Bool { type == index || type == dockerList }
    package static func isManifest(_ type: String) -> Bool { type == manifest || type == dockerManifest }

    /// A layer of a root file system, of whatever compression; not an attestation or an artifact's file.
    package static func isLayer(_ type: String) -> Bool {
        let prefixes = [
            "application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.",
        ]
        return prefixes.contains { type.hasPrefix($0) }
    }
}

/// Content as another document names it: type, digest and size (OCI "content descriptor").
package struct ContentDescriptor: Hashable, Sendable, RuntimeWritable {
    package var mediaType: String
    package var digest: Digest
    package var sizeBytes: Int64
    package var annotations: TextMap = [:]
    package var platform: Platform?
    package var other = JSONObject()

    package init(mediaType: String, digest: Digest, sizeBytes: Int64) {
        self.mediaType = mediaType
        self.digest = digest
        self.sizeBytes = sizeBytes
    }

    init(_ property: RuntimeProperty) throws(RuntimeSpecError) {
        mediaType = try property["mediaType"]?.string() ?? ""
        digest = try property.required("digest").digest()
        sizeBytes = try property.required("size").integer()
        guard sizeBytes >= 0 else { throw RuntimeSpecError("\(property.path).size", "must not be negative") }
        annotations = try property["annotations"]?.textMap() ?? [:]
        if let value = try property["platform"] { platform = try Platform(value) }
        other = try property.members(except: ["mediaType", "digest", "size", "annotations", "platform"])
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("mediaType", mediaType)
        object.put("digest", digest.description)
        object.put("size", sizeBytes)
        object.putMap("annotations", annotations)
        object.put("platform", platform?.json)
        object.merge(other)
        return .object(object)
    }
}

extension RuntimeProperty {
    package func digest() throws(RuntimeSpecError) -> Digest {
        guard let digest = Digest(try string()) else { throw failure("invalid digest format") }
        return digest
    }
}
