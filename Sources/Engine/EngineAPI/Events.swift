/// Something that happened to an object of the engine, in docker's vocabulary.
public struct EngineEvent: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable {
        case container, image, daemon, volume, network
    }

    public var kind: Kind
    /// `create`, `start`, `die`, `stop`, `kill`, `oom`, `pause`, `unpause`, `restart`, `rename`, `attach`, `detach`,
    /// `resize`, `exec_create: …`, `exec_start: …`, `exec_die`, `destroy`; `load`, `untag`, `delete`, …
    public var action: String
    /// The container's or image's id.
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
    public var labels: [String] = []

    public init() {}
}
