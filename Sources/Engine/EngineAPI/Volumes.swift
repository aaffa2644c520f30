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
    /// None of these may hold.
    public var withoutLabels: [String] = []
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

/// What an engine does about volumes.
public protocol VolumeEngine: Sendable {
    /// Without sizes; with the containers that use each.
    func volumes(_ filter: VolumeFilter) async throws(EngineError) -> [VolumeDetails]
    /// Without its size, as docker: to find it out takes as long as there are files; `diskUsage` does.
    func inspectVolume(_ name: String) async throws(EngineError) -> VolumeDetails
    /// Makes a volume, or gives the one of that name that is there; `conflict` where that is of another kind.
    func createVolume(_ spec: VolumeSpec) async throws(EngineError) -> VolumeDetails
    /// `conflict` while a container has it. Forced, a volume that is not there is no failure.
    func removeVolume(_ name: String, force: Bool) async throws(EngineError)
    /// A volume's files as a tar archive.
    func exportVolume(_ name: String) async throws(EngineError) -> EngineStream<[UInt8]>
    /// Adds the files of a tar archive, plain or compressed, to a volume's. What cannot be finished stays as far as it
    /// came.
    func importVolume(_ name: String, archive: EngineStream<[UInt8]>) async throws(EngineError)
    /// Removes the volumes that no container has: those without a name, with `all` the others, too.
    func pruneVolumes(_ filter: VolumeFilter) async throws(EngineError) -> PruneResult
}

/// An engine that knows nothing of volumes.
extension VolumeEngine {
    private var refusal: EngineError { EngineError(.unsupported, "this engine has no volumes") }

    public func volumes(_ filter: VolumeFilter) async throws(EngineError) -> [VolumeDetails] { throw refusal }
    public func inspectVolume(_ name: String) async throws(EngineError) -> VolumeDetails { throw refusal }
    public func createVolume(_ spec: VolumeSpec) async throws(EngineError) -> VolumeDetails { throw refusal }
    public func removeVolume(_ name: String, force: Bool) async throws(EngineError) { throw refusal }
    public func exportVolume(_ name: String) async throws(EngineError) -> EngineStream<[UInt8]> { throw refusal }
    public func importVolume(_ name: String, archive: EngineStream<[UInt8]>) async throws(EngineError) { throw refusal }
    public func pruneVolumes(_ filter: VolumeFilter) async throws(EngineError) -> PruneResult { throw refusal }
}
