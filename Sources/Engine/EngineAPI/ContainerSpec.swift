/// What a container is made from: docker's `Config` and `HostConfig`, as far as this engine offers them.
///
/// Nil or empty means "as the image says", or docker's default where the image says nothing.
public struct ContainerSpec: Hashable, Sendable, Codable {
    public var image: String
    /// Nil: the image's. An empty array: none, and the image's command stays; one empty word, as `--entrypoint ""` gives it:
    /// none, and no command of the image's, either.
    public var entrypoint: [String]?
    public var command: [String]?
    /// `NAME=value`; added to the image's, later ones win.
    public var environment: [String] = []
    public var workingDirectory: String?
    /// `user`, `uid`, `user:group`, `uid:gid`.
    public var user: String?
    public var hostname: String?
    public var domainname: String?
    public var labels: [String: String] = [:]
    /// Allocate a pseudo terminal.
    public var tty = false
    /// Of the pseudo terminal, until somebody says otherwise.
    public var consoleSize: TerminalSize?
    /// Keep standard input open (`-i`).
    public var openStdin = false
    /// Close standard input after the first attached client's input has ended.
    public var stdinOnce = false
    /// Which streams `run` attached to, for inspect only.
    public var attachStdin = false
    public var attachStdout = true
    public var attachStderr = true
    public var stopSignal: String?
    public var stopTimeoutSeconds: Int?

    public var mounts: [MountSpec] = []
    /// Containers whose mounts this one has, too: `name`, `name:ro`.
    public var volumesFrom: [String] = []
    /// By which driver volumes are made that are asked for by a path, or in docker's short form; nil for the usual one.
    public var volumeDriver: String?
    /// Paths that are to be volumes without a name (`-v /data`, and the image's).
    public var anonymousVolumes: [String] = []
    public var networkMode: NetworkMode?
    /// How the container is part of its networks, by their names: of the mode's network, and of others beside it.
    public var networks: [String: EndpointSpec] = [:]
    /// Other containers of the default network that this one knows, by /etc/hosts and its environment.
    public var links: [ContainerLink] = []
    /// Ports that the container serves, beside those that the image names.
    public var exposedPorts: [ContainerPort] = []
    public var portBindings: [PortBinding] = []
    /// Publish every port that the container serves (`-P`).
    public var publishesAllPorts = false
    /// `name:address`, for /etc/hosts; `host-gateway` stands for the host's address.
    public var extraHosts: [String] = []
    public var dnsServers: [String] = []
    public var dnsSearch: [String] = []
    public var dnsOptions: [String] = []
    public var limits = ResourceLimits()
    public var addedCapabilities: [String] = []
    public var droppedCapabilities: [String] = []
    public var privileged = false
    public var readOnlyRoot = false
    public var noNewPrivileges = false
    /// `seccomp=unconfined`: no system-call filter.
    public var seccompUnconfined = false
    /// A system-call filter of the caller's: JSON in docker's form or the runtime's.
    public var seccompProfile: String?
    /// `apparmor=NAME`: a profile that is loaded, where the kernel has AppArmor.
    public var appArmorProfile: String?
    /// `label=…`: how SELinux is to label the container, where the kernel has it.
    public var securityLabels: [String] = []
    /// What of /proc and /sys is hidden, and what is read-only; nil for docker's lists.
    public var maskedPaths: [String]?
    public var readonlyPaths: [String]?
    public var devices: [DeviceSpec] = []
    /// What may be used beside the devices: `c 42:* rwm`.
    public var deviceRules: [String] = []
    public var pidMode: NamespaceMode?
    public var ipcMode: NamespaceMode?
    public var utsMode: NamespaceMode?
    /// `.host`: ids are the host's, though the engine gives containers others (`--userns host`).
    public var userMode: NamespaceMode?
    public var cgroupMode: NamespaceMode?
    /// Below which cgroup the container's own lies, from the root of the hierarchy; nil for the engine's.
    public var cgroupParent: String?
    /// Docker's word for how a container is kept apart, `default` on Linux, as it was said; nil where nothing was.
    public var isolation: String?
    public var sysctls: [String: String] = [:]
    public var ulimits: [Ulimit] = []
    public var shmSizeBytes: Int64?
    public var supplementaryGroups: [String] = []
    public var oomScoreAdjustment: Int?
    /// Remove the container when its process ends (`--rm`).
    public var autoRemove = false
    public var restartPolicy = RestartPolicy()
    /// Nil: the image's.
    public var healthCheck: HealthCheck?
    /// A small init process that reaps orphans and passes signals on (`--init`).
    public var usesInit = false
    /// By name, as the engine's configuration has it; nil for the engine's own.
    public var runtime: String?
    /// Told to the runtime.
    public var annotations: [String: String] = [:]
    public var log = LogPolicy()

    public init(image: String) { self.image = image }
}

/// A directory, file or memory file system placed in a container.
public struct MountSpec: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable {
        case bind, tmpfs, volume
        /// An image's files, the container's to write.
        case image
    }

    public var kind: Kind
    /// The host's absolute path for a bind; a volume's name, empty for one that is yet to be made; an image's name; empty
    /// for tmpfs.
    public var source: String
    /// The absolute path in the container.
    public var target: String
    public var readOnly = false
    /// `private`, `rprivate`, `shared`, `rshared`, `slave`, `rslave`; nil for `rprivate`.
    public var propagation: String?
    /// Make a missing bind source as a directory (`-v`); otherwise it is an error (`--mount`).
    public var createsSource = false
    /// Said in docker's short form, `-v` or `--tmpfs`: told of as it was said.
    public var isShort = false
    /// What stood behind the second colon of `-v`, where it says more than the other members: `rw`, `z`, `ro,cached`.
    public var shortMode: String?
    /// tmpfs options as mount(8) takes them: `size=64m`, `mode=1770`, `exec`.
    public var options: [String] = []
    /// Leave an empty volume empty: do not fill it with what the image has there.
    public var noCopy = false
    /// A bind without what is mounted below its source.
    public var isNonRecursive = false
    /// What is mounted below a read-only bind; nil: read-only as well, where the kernel can.
    public var readOnlyDepth: ReadOnlyDepth?

    public enum ReadOnlyDepth: String, Hashable, Sendable, Codable {
        /// Writable as it is.
        case top
        /// Read-only, or the container is not made.
        case all
    }

    /// Of a volume or an image only what is at this relative path in it; nil for all.
    public var subpath: String?
    /// Of a volume that is made for this mount.
    public var volumeDriver: String?
    public var volumeOptions: [String: String] = [:]
    public var volumeLabels: [String: String] = [:]
    /// What of it was not asked for by name; nil for nothing.
    public var addition: Addition?

    /// A part of a mount that the engine came to by itself: docker tells of it where it tells of mounts, and not where it
    /// tells what was asked for.
    public enum Addition: String, Hashable, Sendable, Codable {
        /// The volume's name: one without a name was asked for.
        case source
        /// All of it: the image's wish, or another container's mount.
        case whole
    }

    public init(_ kind: Kind, source: String = "", target: String) {
        self.kind = kind
        self.source = source
        self.target = target
    }
}

extension MountSpec {
    /// Members that an earlier version did not write have their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            try container.decode(Kind.self, forKey: .kind), source: try container.decode(String.self, forKey: .source),
            target: try container.decode(String.self, forKey: .target))
        readOnly = try container.decodeIfPresent(Bool.self, forKey: .readOnly) ?? false
        propagation = try container.decodeIfPresent(String.self, forKey: .propagation)
        createsSource = try container.decodeIfPresent(Bool.self, forKey: .createsSource) ?? false
        isShort = try container.decodeIfPresent(Bool.self, forKey: .isShort) ?? createsSource
        options = try container.decodeIfPresent([String].self, forKey: .options) ?? []
        noCopy = try container.decodeIfPresent(Bool.self, forKey: .noCopy) ?? false
        isNonRecursive = try container.decodeIfPresent(Bool.self, forKey: .isNonRecursive) ?? false
        readOnlyDepth = try container.decodeIfPresent(ReadOnlyDepth.self, forKey: .readOnlyDepth)
        subpath = try container.decodeIfPresent(String.self, forKey: .subpath)
        volumeDriver = try container.decodeIfPresent(String.self, forKey: .volumeDriver)
        volumeOptions = try container.decodeIfPresent([String: String].self, forKey: .volumeOptions) ?? [:]
        volumeLabels = try container.decodeIfPresent([String: String].self, forKey: .volumeLabels) ?? [:]
        addition = try container.decodeIfPresent(Addition.self, forKey: .addition)
    }
}

/// Whose network a container has: `none`, `host`, `container:NAME`, or the name of a network.
public struct NetworkMode: RawRepresentable, Hashable, Sendable, Codable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    public init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(String.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }

    /// A network namespace with nothing but loopback.
    public static let none = NetworkMode(rawValue: "none")
    /// The host's own network.
    public static let host = NetworkMode(rawValue: "host")
    /// The default network.
    public static let bridge = NetworkMode(rawValue: "bridge")

    /// The container whose network this one shares; nil for another mode.
    public var container: String? { rawValue.hasPrefix("container:") ? String(rawValue.dropFirst(10)) : nil }
    /// The network that the container is part of; nil where it has none, or another's.
    public var network: String? { self == .none || self == .host || container != nil ? nil : rawValue }
    /// Whether it is a network that somebody has made.
    package var isMadeByUser: Bool { network != nil && self != .bridge && rawValue != "default" }
}

/// A resource limit as setrlimit(2) takes it; the name without `RLIMIT_`, in small letters: `nofile`.
public struct Ulimit: Hashable, Sendable, Codable {
    public var name: String
    public var soft: Int64
    public var hard: Int64

    public init(name: String, soft: Int64, hard: Int64) {
        self.name = name
        self.soft = soft
        self.hard = hard
    }
}

/// The answer to `create`.
public struct CreatedContainer: Hashable, Sendable {
    /// 64 hexadecimal digits.
    public let id: String
    public let warnings: [String]

    public init(id: String, warnings: [String]) {
        self.id = id
        self.warnings = warnings
    }
}
