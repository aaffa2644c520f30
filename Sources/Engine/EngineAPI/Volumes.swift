/// What a volume is made from.
public struct VolumeSpec: Hashable, Sendable, Codable {
    /// Empty for a name that the engine makes up.
    public var name: String
    public var driver = "local"
    /// mount(8)'s `type`, `device` and `o`; none for a directory of the data root.
    public var options: [String: String] = [:]
    public var labels: [String: String] = [:]

    public init(name: String) { self.name = name }
}

/// All that is known of one volume.
public struct VolumeDetails: Hashable, Sendable {
    public var spec: VolumeSpec
    public var createdAt: Timestamp
    /// Where the host has it.
    public var mountpoint: String
    /// Nil where it was not asked for.
    public var sizeBytes: Int64?
    /// The containers that use it; nil where the engine does not say.
    public var users: [String]?

    public init(spec: VolumeSpec, createdAt: Timestamp, mountpoint: String) {
        self.spec = spec
        self.createdAt = createdAt
        self.mountpoint = mountpoint
    }
}

/// Which volumes a list holds, or a prune removes.
public struct VolumeFilter: Hashable, Sendable {
    public var names: [String] = []
    public var drivers: [String] = []
    /// `key` or `key=value`.
    public var labels: [String] = []
    /// Those that no container uses (true), or that one does.
    public var dangling: Bool?
    /// For a prune: named ones, too.
    public var all = false

    public init() {}
}

/// What a prune removed.
public struct PruneResult: Hashable, Sendable {
    /// Names or ids.
    public var removed: [String]
    public var reclaimedBytes: Int64

    public init(removed: [String], reclaimedBytes: Int64 = 0) {
        self.removed = removed
        self.reclaimedBytes = reclaimedBytes
    }
}
