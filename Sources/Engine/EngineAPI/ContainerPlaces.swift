/// Where an engine keeps what belongs to a container, by paths of the engine's machine; empty where it does not say.
public struct ContainerPlaces: Hashable, Sendable {
    /// Bound over the container's `/etc/resolv.conf`, `/etc/hostname` and `/etc/hosts`.
    public var resolvConfPath = ""
    public var hostnamePath = ""
    public var hostsPath = ""
    /// Each volume is `NAME/_data` below it.
    public var volumesDirectory = ""
    /// How layers are kept, by docker's name.
    public var storageDriver = "overlay2"
    /// Nil where the root file system is no overlay.
    public var root: OverlayPlaces?

    public init() {}
}

/// The directories of a root file system that overlayfs stacks.
public struct OverlayPlaces: Hashable, Sendable {
    /// The image's layers, topmost first.
    public var lower: [String]
    /// What the container writes.
    public var upper: String
    /// Overlayfs's own.
    public var work: String
    /// Where it is mounted while the container runs, for the container alone.
    public var merged: String

    public init(lower: [String], upper: String, work: String, merged: String) {
        self.lower = lower
        self.upper = upper
        self.work = work
        self.merged = merged
    }
}
