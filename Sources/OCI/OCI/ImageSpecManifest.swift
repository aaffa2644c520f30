import JSON

/// A list of manifests, one a platform or one a name: OCI's image index, docker's manifest list, `index.json` of a layout.
package struct ManifestList: Hashable, Sendable {
    package var manifests: [ContentDescriptor]

    /// - Throws: `RuntimeSpecError` naming the member at fault.
    package init(_ json: JSONValue) throws(RuntimeSpecError) {
        manifests = try RuntimeProperty(json).required("manifests").list {
            (element) throws(RuntimeSpecError) in try ContentDescriptor(element)
        }
    }

    /// The manifest that runs best on `host`; entries that say no platform match any, but rank last.
    package func best(for host: Platform) -> ContentDescriptor? {
        var best: (rank: Int, manifest: ContentDescriptor)?
        for manifest in manifests {
            // Attestations stand in lists under the platform `unknown`.
            guard let rank = manifest.platform.map(host.preference(for:)) ?? 0 else { continue }
            if best == nil || rank > best?.rank ?? 0 { best = (rank, manifest) }
        }
        return best?.manifest
    }
}

/// An image: its configuration and its layers, lowest first.
package struct ImageManifest: Hashable, Sendable {
    package var mediaType: String
    package var config: ContentDescriptor
    package var layers: [ContentDescriptor]
    package var annotations: TextMap = [:]
    package var other = JSONObject()

    package init(config: ContentDescriptor, layers: [ContentDescriptor]) {
        mediaType = ImageMediaType.manifest
        self.config = config
        self.layers = layers
    }

    /// - Throws: `RuntimeSpecError` naming the member at fault; also for docker's first schema, which has no `config`.
    package init(_ json: JSONValue) throws(RuntimeSpecError) {
        let manifest = RuntimeProperty(json)
        if let version = try manifest["schemaVersion"]?.integer(Int64.self), version != 2 {
            throw RuntimeSpecError("schemaVersion", "\(version) is not supported")
        }
        mediaType = try manifest["mediaType"]?.string() ?? ImageMediaType.manifest
        config = try ContentDescriptor(manifest.required("config"))
        layers = try manifest["layers"]?.list { (layer) throws(RuntimeSpecError) in try ContentDescriptor(layer) } ?? []
        annotations = try manifest["annotations"]?.textMap() ?? [:]
        other = try manifest.members(except: ["schemaVersion", "mediaType", "config", "layers", "annotations"])
    }

    package var json: JSONValue {
        var object = JSONObject([("schemaVersion", 2)])
        object.put("mediaType", mediaType)
        object.put("config", config)
        // An image of no layers still has the member.
        object["layers"] = layers.json
        object.putMap("annotations", annotations)
        object.merge(other)
        return .object(object)
    }
}

/// One image of a docker archive: an element of its `manifest.json`.
package struct DockerArchiveImage: Hashable, Sendable {
    /// The path of the configuration in the archive.
    package var config: String
    package var tags: [String]
    /// The paths of the layers, lowest first.
    package var layers: [String]

    /// Reads the whole `manifest.json`.
    package static func list(_ json: JSONValue) throws(RuntimeSpecError) -> [DockerArchiveImage] {
        try RuntimeProperty(json, name: "manifest.json").list {
            (image) throws(RuntimeSpecError) in try DockerArchiveImage(image)
        }
    }

    private init(_ image: RuntimeProperty) throws(RuntimeSpecError) {
        config = try image.required("Config").string()
        tags = try image["RepoTags"]?.strings() ?? []
        layers = try image["Layers"]?.strings() ?? []
    }
}
