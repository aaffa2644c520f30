/// Whose namespace of a kind a container is in: docker's `PidMode`, `IpcMode`, `UTSMode`, `CgroupnsMode`.
public enum NamespaceMode: Hashable, Sendable, Codable {
    /// One of its own.
    case `private`
    case host
    /// One of its own that others may join (ipc).
    case shareable
    /// One of its own without /dev/shm (ipc).
    case absent
    /// Another container's, which must run.
    case container(String)

    /// Nil for a text that is none of docker's.
    public init?(_ text: String) {
        switch text {
        case "private": self = .private
        case "host": self = .host
        case "shareable": self = .shareable
        case "none": self = .absent
        default:
            guard text.hasPrefix("container:"), text.utf8.count > 10 else { return nil }
            self = .container(String(text.dropFirst(10)))
        }
    }

    /// As docker writes it.
    public var text: String {
        switch self {
        case .private: "private"
        case .host: "host"
        case .shareable: "shareable"
        case .absent: "none"
        case .container(let reference): "container:\(reference)"
        }
    }
}

/// A device of the host given to a container.
public struct DeviceSpec: Hashable, Sendable, Codable {
    /// A node, or a directory of nodes.
    public var hostPath: String
    public var containerPath: String
    /// Of `r`, `w` and `m`.
    public var permissions: String

    public init(hostPath: String, containerPath: String, permissions: String = "rwm") {
        self.hostPath = hostPath
        self.containerPath = containerPath
        self.permissions = permissions
    }
}
