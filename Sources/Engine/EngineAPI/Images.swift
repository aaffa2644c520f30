public struct ImageSummary: Hashable, Sendable {
    /// `sha256:` and 64 digits: the digest of the image's configuration.
    public var id: String
    /// `name:tag`; empty for an image without a name.
    public var tags: [String]
    /// `name@sha256:…`
    public var digests: [String]
    public var createdAt: Timestamp?
    /// Of all layers, unpacked.
    public var sizeBytes: Int64
    public var labels: [String: String]
    /// How many containers were made from it.
    public var containerCount: Int
    /// Of the layers that other images have, too; nil where it was not asked for.
    public var sharedBytes: Int64?
    /// The image that this one was made from on the engine's machine, by a commit; nil for others.
    public var parentID: String?
    /// Nil where it was not asked for.
    public var manifests: [ImageManifestSummary]?

    public init(
        id: String, tags: [String], digests: [String] = [], createdAt: Timestamp?, sizeBytes: Int64,
        labels: [String: String] = [:], containerCount: Int = 0
    ) {
        self.id = id
        self.tags = tags
        self.digests = digests
        self.createdAt = createdAt
        self.sizeBytes = sizeBytes
        self.labels = labels
        self.containerCount = containerCount
    }
}

/// An image's manifest for one platform, and what of it is on the engine's machine.
public struct ImageManifestSummary: Hashable, Sendable {
    public var digest: String
    public var mediaType: String
    /// Of the manifest's own text.
    public var sizeBytes: Int64
    /// `os/architecture[/variant]`
    public var platform: String
    /// Of manifest, configuration and layers as they are packed.
    public var contentBytes: Int64
    /// Of the layers' files.
    public var unpackedBytes: Int64
    public var totalBytes: Int64 { contentBytes + unpackedBytes }
    /// The containers made from it.
    public var containerIDs: [String] = []

    public init(
        digest: String, mediaType: String, sizeBytes: Int64, platform: String, contentBytes: Int64, unpackedBytes: Int64
    ) {
        self.digest = digest
        self.mediaType = mediaType
        self.sizeBytes = sizeBytes
        self.platform = platform
        self.contentBytes = contentBytes
        self.unpackedBytes = unpackedBytes
    }
}

public struct ImageDetails: Hashable, Sendable {
    public var summary: ImageSummary
    public var architecture: String
    public var os: String
    public var variant: String?
    public var author: String
    public var comment: String
    public var entrypoint: [String]
    public var command: [String]
    public var environment: [String]
    public var workingDirectory: String
    public var user: String
    public var exposedPorts: [String]
    public var volumes: [String]
    public var stopSignal: String?
    public var healthCheck: HealthCheck?
    /// Instructions for builds that begin with this image.
    public var triggers: [String] = []
    /// The layers' diff ids, lowest first.
    public var layers: [String]
    /// The directories on the engine's machine that hold the layers' files, topmost first; empty where it does not say.
    public var layerPlaces: [String] = []
    /// When it was last given a name; nil where nobody knows.
    public var taggedAt: Timestamp?
    /// How layers are kept, by docker's name.
    public var storageDriver = "overlay2"

    public init(summary: ImageSummary, architecture: String, os: String) {
        self.summary = summary
        self.architecture = architecture
        self.os = os
        variant = nil
        author = ""
        comment = ""
        entrypoint = []
        command = []
        environment = []
        workingDirectory = ""
        user = ""
        exposedPorts = []
        volumes = []
        stopSignal = nil
        layers = []
    }
}

public struct ImageFilter: Hashable, Sendable {
    /// Glob patterns over names, as docker's `reference` filter.
    public var references: [String] = []
    /// `key` or `key=value`; all must hold.
    public var labels: [String] = []
    /// Only images without a tag that no other was made from (true), only named ones (false), or both.
    public var dangling: Bool?
    /// Those without a name, too, that others were made from.
    public var all = false
    /// None of these may hold.
    public var withoutLabels: [String] = []
    /// References: created before that image, created after it.
    public var before: String?
    public var since: String?
    /// Created before then.
    public var until: Timestamp?
    /// Tell of each image's manifests, too.
    public var withManifests = false

    public init() {}
}

/// Where `load` reads from.
public enum ImageLoadSource: Sendable {
    /// An OCI or docker archive, or an OCI layout directory, on the engine's machine (or this one, for a remote engine:
    /// the file is then sent).
    case path(String)
    /// The bytes of an archive, pulled as they are needed.
    case bytes(EngineStream<[UInt8]>)
}

/// A step of a load.
public enum ImageLoadProgress: Hashable, Sendable {
    /// A layer is read: bytes so far, and in all where that is known.
    case layer(digest: String, doneBytes: Int64, totalBytes: Int64?)
    /// An image is complete: docker's line `Loaded image: NAME`; the id alone where it has no name.
    case loaded(name: String?, id: String)
}

public enum ImageRemoval: Hashable, Sendable {
    case untagged(String)
    case deleted(String)
}
