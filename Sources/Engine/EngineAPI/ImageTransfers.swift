/// Who asks a registry: a name with a password, or a token in their place.
public struct ImageCredentials: Hashable, Sendable, CustomStringConvertible {
    public var user: String
    public var password: String
    /// What a registry gave in place of a password (docker's `identitytoken`).
    public var identityToken: String?
    /// A bearer token that is sent as it is (docker's `registrytoken`).
    public var registryToken: String?

    public init(user: String, password: String, identityToken: String? = nil, registryToken: String? = nil) {
        self.user = user
        self.password = password
        self.identityToken = identityToken
        self.registryToken = registryToken
    }

    /// Never the secret: values end up in logs.
    public var description: String { "credentials of `\(user)`" }
}

public struct ImagePullRequest: Hashable, Sendable {
    /// `name`, `name:tag` or `name@digest`; without a tag, `latest`.
    public var reference: String
    /// `os/architecture[/variant]`; nil for this machine's.
    public var platform: String?
    public var credentials: ImageCredentials?
    /// Each tag of the repository, one after the other; the reference is a name alone then.
    public var allTags = false

    public init(_ reference: String, platform: String? = nil, credentials: ImageCredentials? = nil) {
        self.reference = reference
        self.platform = platform
        self.credentials = credentials
    }
}

public struct ImagePushRequest: Hashable, Sendable {
    /// `name:tag`; without a tag, `latest`.
    public var reference: String
    public var credentials: ImageCredentials?
    /// Each tag that the repository has here; the reference is a name alone then.
    public var allTags = false

    public init(_ reference: String, credentials: ImageCredentials? = nil) {
        self.reference = reference
        self.credentials = credentials
    }
}

/// A step of a pull or a push.
public enum ImageTransferProgress: Hashable, Sendable {
    /// A pull begins, of `1.0` from `library/app`: the repository as its registry calls it.
    case pulling(repository: String, tag: String)
    /// A push begins, of `1.0` to `localhost:5000/app`: the repository with its registry. The tag is empty for all.
    case pushing(repository: String, tag: String)
    case layer(digest: String, ImageLayerStep)
    /// An image was pulled: the digest by which the registry knows it, the name as people write it, and whether anything
    /// changed here.
    case pulled(digest: String, name: String, id: String, isNew: Bool)
    case pushed(tag: String, digest: String, sizeBytes: Int64)

    /// Said before the registry has been asked for anything.
    public var isBeginning: Bool {
        switch self {
        case .pulling, .pushing: true
        case .layer, .pulled, .pushed: false
        }
    }
}

/// Where a layer stands.
public enum ImageLayerStep: Hashable, Sendable {
    case waiting
    case downloading(doneBytes: Int64, totalBytes: Int64)
    case verifying
    case downloaded
    case unpacking(doneBytes: Int64, totalBytes: Int64)
    case pulled
    /// It was here already.
    case existing
    case preparing
    case pushing(doneBytes: Int64, totalBytes: Int64)
    case pushed
    /// The registry had it.
    case pushExisting
    /// The registry had it in another repository.
    case mounted(from: String)
}

/// What a registry has under a name: a manifest, or an index of several.
public struct ImageDistribution: Hashable, Sendable {
    public var mediaType: String
    public var digest: String
    public var sizeBytes: Int64
    /// `os/architecture[/variant]`.
    public var platforms: [String]

    public init(mediaType: String, digest: String, sizeBytes: Int64, platforms: [String]) {
        self.mediaType = mediaType
        self.digest = digest
        self.sizeBytes = sizeBytes
        self.platforms = platforms
    }
}

/// A step of an image's making (docker's `history`), newest first.
public struct ImageHistoryStep: Hashable, Sendable {
    /// Nil for a step that is no image itself: docker's `<missing>`.
    public var id: String?
    public var createdAt: Timestamp?
    public var createdBy: String
    public var comment: String
    public var tags: [String]
    public var sizeBytes: Int64

    public init(
        id: String? = nil, createdAt: Timestamp?, createdBy: String, comment: String = "", tags: [String] = [],
        sizeBytes: Int64
    ) {
        self.id = id
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.comment = comment
        self.tags = tags
        self.sizeBytes = sizeBytes
    }
}

public struct ImagePruneResult: Hashable, Sendable {
    public var removals: [ImageRemoval]
    public var reclaimedBytes: Int64

    public init(removals: [ImageRemoval] = [], reclaimedBytes: Int64 = 0) {
        self.removals = removals
        self.reclaimedBytes = reclaimedBytes
    }
}

public struct ImageImportRequest: Sendable {
    /// A root file system as a tar archive, packed or not.
    public var archive: EngineStream<[UInt8]>
    /// The URL from which the engine gets the archive itself, and does not read the other one.
    public var address: String?
    /// `name[:tag]`; nil for an image without a name.
    public var name: String?
    public var message: String
    /// Instructions over the configuration: `CMD ["sh"]`, `ENV A=b`.
    public var changes: [String]
    /// `os/architecture[/variant]` that its programs are for; nil for this machine's.
    public var platform: String?

    public init(
        _ archive: EngineStream<[UInt8]>, name: String? = nil, message: String = "", changes: [String] = []
    ) {
        self.archive = archive
        self.name = name
        self.message = message
        self.changes = changes
    }

    public init(from address: String, name: String? = nil, message: String = "", changes: [String] = []) {
        self.init(EngineStream { nil }, name: name, message: message, changes: changes)
        self.address = address
    }
}

/// An image that is to be made from a container.
public struct ContainerCommitRequest: Hashable, Sendable {
    /// `name[:tag]`; nil for an image without a name.
    public var name: String?
    public var author = ""
    public var message = ""
    /// Instructions over the configuration: `CMD ["sh"]`, `ENV A=b`.
    public var changes: [String] = []
    /// Let its processes rest while its files are read.
    public var pauses = true

    public init(name: String? = nil) { self.name = name }
}

/// What an engine does with registries and with the names and archives of images.
public protocol ImageTransfers: Sendable {
    /// Pulls an image. The stream ends when the image is in the store; dropping it, or cancelling, ends the pull, and
    /// nothing of it is kept.
    func pullImage(_ request: ImagePullRequest) async throws(EngineError) -> EngineStream<ImageTransferProgress>
    func pushImage(_ request: ImagePushRequest) async throws(EngineError) -> EngineStream<ImageTransferProgress>

    /// Checks credentials at a registry (`docker.io`, `localhost:5000`); `denied` where it does not take them.
    ///
    /// - Returns: the identity token that the registry gives in place of the password; nil where it gives none.
    @discardableResult
    func checkCredentials(_ credentials: ImageCredentials, at registry: String) async throws(EngineError) -> String?
    /// What a registry has under a name.
    func imageDistribution(
        _ reference: String, credentials: ImageCredentials?
    ) async throws(EngineError) -> ImageDistribution

    func searchImages(_ request: ImageSearchRequest) async throws(EngineError) -> [ImageSearchResult]

    /// Gives an image a further name, away from the image that had it.
    func tagImage(_ reference: String, as name: String) async throws(EngineError)
    /// The steps that made the image, newest first.
    func imageHistory(_ reference: String) async throws(EngineError) -> [ImageHistoryStep]

    /// One tar archive with all the images, in docker's form and OCI's at once.
    func saveImages(_ references: [String]) async throws(EngineError) -> EngineStream<[UInt8]>
    /// Makes an image of one layer; returns its id.
    func importImage(_ request: ImageImportRequest) async throws(EngineError) -> String

    /// Makes an image of what a container has changed of its own; returns its id.
    func commitContainer(_ reference: String, _ request: ContainerCommitRequest) async throws(EngineError) -> String

    /// Removes images that no container uses: those without a name, or all.
    func pruneImages(all: Bool, filter: ImageFilter) async throws(EngineError) -> ImagePruneResult
}

/// For engines that only serve what is there already.
extension ImageTransfers {
    public func pullImage(_ request: ImagePullRequest) async throws(EngineError) -> EngineStream<ImageTransferProgress>
    {
        throw Self.unsupported("pulling images")
    }

    public func pushImage(_ request: ImagePushRequest) async throws(EngineError) -> EngineStream<ImageTransferProgress>
    {
        throw Self.unsupported("pushing images")
    }

    public func checkCredentials(
        _ credentials: ImageCredentials, at registry: String
    ) async throws(EngineError) -> String? {
        throw Self.unsupported("logging in to registries")
    }

    public func imageDistribution(
        _ reference: String, credentials: ImageCredentials?
    ) async throws(EngineError) -> ImageDistribution {
        throw Self.unsupported("asking registries")
    }

    public func searchImages(_ request: ImageSearchRequest) async throws(EngineError) -> [ImageSearchResult] {
        throw Self.unsupported("searching registries")
    }

    public func tagImage(_ reference: String, as name: String) async throws(EngineError) {
        throw Self.unsupported("tagging images")
    }

    public func imageHistory(_ reference: String) async throws(EngineError) -> [ImageHistoryStep] {
        throw Self.unsupported("the history of images")
    }

    public func saveImages(_ references: [String]) async throws(EngineError) -> EngineStream<[UInt8]> {
        throw Self.unsupported("saving images")
    }

    public func importImage(_ request: ImageImportRequest) async throws(EngineError) -> String {
        throw Self.unsupported("importing file systems")
    }

    public func commitContainer(
        _ reference: String, _ request: ContainerCommitRequest
    ) async throws(EngineError) -> String {
        throw Self.unsupported("making images from containers")
    }

    public func pruneImages(all: Bool, filter: ImageFilter) async throws(EngineError) -> ImagePruneResult {
        throw Self.unsupported("pruning images")
    }

    private static func unsupported(_ subject: String) -> EngineError {
        EngineError(.unsupported, "\(subject) is not supported by this engine")
    }
}
