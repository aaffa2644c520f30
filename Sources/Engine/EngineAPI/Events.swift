/// Something that happened to an object of the engine, in docker's vocabulary.
public struct EngineEvent: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable {
        case container, image, daemon, volume, network
    }

    public var kind: Kind
    /// `create`, `start`, `die`, `stop`, `kill`, `oom`, `pause`, `unpause`, `restart`, `rename`, `attach`, `detach`,
    /// `resize`, `top`, `copy`, `commit`, `exec_create: …`, `exec_start: …`, `exec_detach`, `exec_die`, `destroy`; `load`,
    /// `untag`, `delete`, …; `connect`, `mount`, …; `prune`.
    public var action: String
    /// The container's, image's or network's id, or the volume's name; empty for a prune.
    public var actorID: String
    /// `name`, `image`, `exitCode`, `signal`, labels.
    public var attributes: [String: String]
    public var time: Timestamp

    public init(
        kind: Kind, action: String, actorID: String, attributes: [String: String], time: Timestamp
    ) {
        self.kind = kind
        self.action = action
        self.actorID = actorID
        self.attributes = attributes
        self.time = time
    }
}

public struct EventRequest: Hashable, Sendable {
    public var since: Timestamp?
    public var until: Timestamp?
    /// Empty: all.
    public var kinds: [EngineEvent.Kind] = []
    public var actions: [String] = []
    /// Ids or names.
    public var containers: [String] = []
    public var images: [String] = []
    public var networks: [String] = []
    public var volumes: [String] = []
    /// Ids or names of engines: what happens to nothing but the engine itself.
    public var daemons: [String] = []
    public var labels: [String] = []

    public init() {}
}
