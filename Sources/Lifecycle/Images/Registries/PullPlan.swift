import EngineAPI
import JSON
import OCI
import Registry
import Snapshots

/// What a manifest and its configuration say must be brought here, checked before a byte of a layer is. Pure.
struct PullPlan: Hashable, Sendable {
    /// Each blob once, in the order in which the layers need them.
    var blobs: [ContentDescriptor]

    static let configLimitBytes: Int64 = 8 << 20

    /// - Parameter name: for errors.
    init(_ manifest: ImageManifest, name: String) throws(EngineError) {
        if let refusal = LayerDepth.refusal(of: manifest.layers.count) {
            throw EngineError(.invalid, "pull \(name): \(refusal)", object: name)
        }
        blobs = []
        var sizes: [Digest: Int64] = [:]
        for layer in manifest.layers {
            guard ImageMediaType.isLayer(layer.mediaType) else {
                throw EngineError(
                    .invalid,
                    "pull \(name): layer \(layer.digest): unsupported media type "
                        + RegistryError.harmless(layer.mediaType),
                    object: name)
            }
            guard layer.sizeBytes >= 0 else {
                throw EngineError(.invalid, "pull \(name): layer \(layer.digest): negative size", object: name)
            }
            if let size = sizes.updateValue(layer.sizeBytes, forKey: layer.digest) {
                guard size == layer.sizeBytes else {
                    throw EngineError(
                        .invalid, "pull \(name): layer \(layer.digest) stands in the manifest with two sizes",
                        object: name)
                }
            } else {
                blobs.append(layer)
            }
        }
    }

    /// The manifest of a pulled document.
    ///
    /// - Throws: `invalid` for one that is no image: an artifact, or a configuration too large to be one.
    static func manifest(_ json: JSONValue, name: String) throws(EngineError) -> ImageManifest {
        let manifest: ImageManifest
        do throws(RuntimeSpecError) { manifest = try ImageManifest(json) } catch {
            throw EngineError(error, in: "pull \(name): invalid manifest")
        }
        let types = [ImageMediaType.config, ImageMediaType.dockerConfig]
        guard types.contains(manifest.config.mediaType) else {
            throw EngineError(
                .invalid,
                "pull \(name): the manifest is no image's: its configuration is "
                    + RegistryError.harmless(manifest.config.mediaType),
                object: name)
        }
        guard (0...configLimitBytes).contains(manifest.config.sizeBytes) else {
            throw EngineError(
                .invalid, "pull \(name): a configuration of \(manifest.config.sizeBytes) bytes is too large",
                object: name)
        }
        return manifest
    }
}
