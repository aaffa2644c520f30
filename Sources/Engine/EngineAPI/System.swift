public struct EngineVersion: Hashable, Sendable {
    /// `Gantry`, or what the remote engine calls itself.
    public var name: String
    public var version: String
    public var apiVersion: String
    public var minimumAPIVersion: String
    public var kernelVersion: String
    public var os: String
    public var architecture: String
    public var gitCommit: String
    public var buildTime: String
    /// Name and version of the parts: runtime, shim.
    public var components: [String: String]

    public init(name: String, version: String, apiVersion: String, minimumAPIVersion: String) {
        self.name = name
        self.version = version
        self.apiVersion = apiVersion
        self.minimumAPIVersion = minimumAPIVersion
        kernelVersion = ""
        os = "linux"
        architecture = ""
        gitCommit = ""
        buildTime = ""
        components = [:]
    }
}

/// A line of what an engine says of its storage: `Backing Filesystem: extfs`.
public struct StorageFact: Hashable, Sendable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

public struct EngineInfo: Hashable, Sendable {
    public var id = ""
    public var name = ""
    public var containersRunning = 0
    public var containersPaused = 0
    public var containersStopped = 0
    public var images = 0
    public var storageDriver = ""
    /// What is known of where layers are kept, in docker's words for it.
    public var storageFacts: [StorageFact] = []
    public var loggingDriver = ""
    /// What passes a bridge is shown to the machine's packet filters for IPv4 and for IPv6: br_netfilter's switches.
    public var filtersBridgedIPv4 = false
    public var filtersBridgedIPv6 = false
    public var cgroupDriver = ""
    /// `1` or `2`.
    public var cgroupVersion = ""
    public var kernelVersion = ""
    public var operatingSystem = ""
    public var operatingSystemVersion = ""
    public var architecture = ""
    public var cpuCount = 0
    public var memoryBytes: Int64 = 0
    public var dataRoot = ""
    public var serverVersion = ""
    public var defaultRuntime = ""
    public var runtimes: [String] = []
    /// `NAME=VALUE`, of the engine itself.
    public var labels: [String] = []
    public var isDebugging = false
    public var securityOptions: [String] = []
    public var warnings: [String] = []
    /// The engine's own process; 0 where it is not on this machine.
    public var pid: Int32 = 0

    public init() {}
}
