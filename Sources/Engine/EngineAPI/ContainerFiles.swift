/// What stands at a path of a container.
public struct PathStat: Hashable, Sendable {
    public var name: String
    public var sizeBytes: Int64
    /// As stat(2) has it, with the type.
    public var mode: UInt32
    public var modifiedAt: Timestamp
    /// Where a symbolic link leads, from the container's root; nil for anything else.
    public var linkTarget: String?

    public init(name: String, sizeBytes: Int64, mode: UInt32, modifiedAt: Timestamp, linkTarget: String?) {
        self.name = name
        self.sizeBytes = sizeBytes
        self.mode = mode
        self.modifiedAt = modifiedAt
        self.linkTarget = linkTarget
    }

    public var isDirectory: Bool { mode & 0o170000 == 0o040000 }
}

/// A path of a container as a tar archive.
public struct PathArchive: Sendable {
    public var stat: PathStat
    public var bytes: EngineStream<[UInt8]>

    public init(stat: PathStat, bytes: EngineStream<[UInt8]>) {
        self.stat = stat
        self.bytes = bytes
    }
}

/// How an archive is unpacked into a container.
public struct CopyOptions: Hashable, Sendable {
    /// A directory does not take the place of something else, nor the other way round.
    public var keepsKinds = false
    /// All belongs to the container's user, where it has one; else to whom the archive says.
    public var takesOwner = false

    public init() {}
}

/// A path at which a container differs from its image.
public struct PathChange: Hashable, Sendable {
    public enum Kind: Int, Hashable, Sendable {
        case modified, added, deleted
    }

    public var kind: Kind
    public var path: String

    public init(kind: Kind, path: String) {
        self.kind = kind
        self.path = path
    }
}

/// Which stopped containers `prune` removes.
public struct PruneFilter: Hashable, Sendable {
    /// Created before then.
    public var until: Timestamp?
    /// `key` or `key=value`; all must hold.
    public var labels: [String] = []
    /// None of these may hold.
    public var withoutLabels: [String] = []

    public init() {}
}
