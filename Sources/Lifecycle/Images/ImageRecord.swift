import JSON
import Linux
import OCI

/// An image in the store.
package struct ImageRecord: Hashable, Sendable {
    /// The digest of the configuration.
    package var id: Digest
    package var manifest: Digest
    package var storedAt: Timestamp
    package var config: ImageConfig
    /// Lowest first.
    package var layers: [ImageLayer]
    /// Full references, sorted: `docker.io/library/alpine:3.20`.
    package var names: [String] = []
    /// The image that this one was made from here, by a commit; whether that is still here or not.
    package var parent: Digest?
    /// When it was last given a name.
    package var taggedAt: Timestamp?

    /// The unpacked layers of a container's root file system, lowest first.
    package var chainIDs: [Digest] { layers.map(\.chainID) }
    package var sizeBytes: Int64 { layers.reduce(0) { $0 + $1.sizeBytes } }

    /// All that the image is made of in the content store.
    var blobs: Set<Digest> { Set([manifest, id] + layers.map(\.blob)) }

    /// The names that people gave: not those by digest, which a pull gives.
    var tagNames: [String] { names.filter { !$0.contains("@") } }
    /// Docker's word for an image without a tag.
    var isDangling: Bool { tagNames.isEmpty }

    /// The names as people write them: `alpine:3.20`.
    package var familiarNames: [String] { names.map(Self.familiar).sorted() }

    /// A name of the index as people write it.
    package static func familiar(_ name: String) -> String {
        do throws(ReferenceError) { return try Reference(name).familiar } catch { return name }
    }
}

/// A layer of an image in the store.
package struct ImageLayer: Hashable, Sendable {
    /// The blob, as it was packed.
    package var blob: Digest
    package var blobSizeBytes: Int64
    /// The digest of the unpacked archive.
    package var diffID: Digest
    /// The digest of this layer and all below it: the snapshot's name.
    package var chainID: Digest
    /// The contents of its files.
    package var sizeBytes: Int64
}

extension ImageRecord {
    /// What the index keeps of the image; the configuration is in the content store.
    var document: String {
        let layers = layers.map { layer in
            JSONValue.object(
                JSONObject([
                    ("blob", .string(layer.blob.description)), ("blobSize", .integer(layer.blobSizeBytes)),
                    ("diffID", .string(layer.diffID.description)), ("chainID", .string(layer.chainID.description)),
                    ("size", .integer(layer.sizeBytes)),
                ]))
        }
        var object = JSONObject([("manifest", .string(manifest.description)), ("layers", .array(layers))])
        object["parent"] = parent.map { .string($0.description) }
        object["taggedAt"] = taggedAt.map { .integer($0.nanosecondsSinceEpoch) }
        return JSONValue.object(object).compactText
    }

    /// - Throws: `RuntimeSpecError` or `JSONError` where the document is none of ours.
    init(_ entry: ImageIndexEntry, config: ImageConfig) throws {
        let document = RuntimeProperty(try JSONValue(parsing: entry.document), name: "image \(entry.id)")
        guard let id = Digest(entry.id) else { throw RuntimeSpecError("id", "invalid digest format") }
        self.id = id
        self.config = config
        storedAt = Timestamp(nanosecondsSinceEpoch: entry.storedAt)
        manifest = try document.required("manifest").digest()
        layers = try document.required("layers").list { (layer) throws(RuntimeSpecError) in
            ImageLayer(
                blob: try layer.required("blob").digest(), blobSizeBytes: try layer.required("blobSize").integer(),
                diffID: try layer.required("diffID").digest(), chainID: try layer.required("chainID").digest(),
                sizeBytes: try layer.required("size").integer())
        }
        names = entry.names.sorted()
        // Earlier versions kept neither.
        parent = try document["parent"]?.digest()
        taggedAt = try document["taggedAt"].map { (time) throws(RuntimeSpecError) in
            Timestamp(nanosecondsSinceEpoch: try time.integer())
        }
    }
}
