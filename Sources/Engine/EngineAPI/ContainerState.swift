import Linux

/// A moment of the wall clock; see `Linux.Timestamp`.
public typealias Timestamp = Linux.Timestamp

public enum ContainerStatus: String, Hashable, Sendable, Codable, CaseIterable {
    case created, running, paused, restarting, removing, exited, dead
}

/// A container's state, with docker's facts.
public struct ContainerState: Hashable, Sendable, Codable {
    public var status: ContainerStatus
    /// The init process in the host's pid namespace; 0 while it does not run.
    public var pid: Int32 = 0
    /// The last exit: the program's code, or 128 + signal.
    public var exitCode: Int32 = 0
    public var oomKilled = false
    /// Why the last start failed, or a note such as "shim lost"; empty otherwise.
    public var error = ""
    public var startedAt: Timestamp?
    public var finishedAt: Timestamp?
    /// Nil where nothing is checked.
    public var health: HealthState?

    public init(status: ContainerStatus) { self.status = status }

    /// Running or paused: there is a process.
    public var isAlive: Bool { status == .running || status == .paused }
    /// Alive, or to be started again in a moment: what a list shows without being asked for all.
    public var isActive: Bool { isAlive || status == .restarting }
}

/// A row of the container list.
public struct ContainerSummary: Hashable, Sendable {
    public var id: String
    public var name: String
    /// As it was given to create; the image's id where that means another image by now, or none.
    public var image: String
    public var imageID: String
    /// The command line, for showing.
    public var command: String
    public var createdAt: Timestamp
    public var state: ContainerState
    public var labels: [String: String]
    public var tty: Bool
    public var networkMode: String
    public var ports: [PortMapping] = []
    /// How it is part of its networks.
    public var networks: [EndpointDetails] = []
    /// Of the mode `none`, it was taken out of that: it is in `networks` alone.
    public var hasLeftNone = false
    /// What others call it that are linked to it: `OWNER/ALIAS`.
    public var linkNames: [String] = []
    public var mounts: [MountSpec]
    /// Of the files that the container has written; nil where it was not asked for.
    public var writtenBytes: Int64?
    /// The same with the image's; nil where it was not asked for.
    public var rootBytes: Int64?
    /// Of its log's files, those it was rotated to as well; nil where it was not asked for, or the engine does not say.
    public var logBytes: Int64?
    /// Where the engine keeps its volumes, each as `NAME/_data`; empty where it does not say.
    public var volumesDirectory = ""

    public init(
        id: String, name: String, image: String, imageID: String, command: String, createdAt: Timestamp,
        state: ContainerState, labels: [String: String] = [:], tty: Bool = false, networkMode: String = "none",
        mounts: [MountSpec] = []
    ) {
        self.id = id
        self.name = name
        self.image = image
        self.imageID = imageID
        self.command = command
        self.createdAt = createdAt
        self.state = state
        self.labels = labels
        self.tty = tty
        self.networkMode = networkMode
        self.mounts = mounts
    }
}

extension ContainerSummary {
    /// The image as a list has room for it: the first twelve digits of an id.
    package var shortImage: String {
        guard image == imageID else { return image }
        return String((image.hasPrefix("sha256:") ? image.dropFirst(7) : image[...]).prefix(12))
    }
}

/// All that is known of one container.
public struct ContainerDetails: Hashable, Sendable {
    public var id: String
    public var name: String
    public var spec: ContainerSpec
    public var imageID: String
    public var createdAt: Timestamp
    public var state: ContainerState
    /// The program and its arguments as started: entrypoint and command of spec and image together.
    public var arguments: [String]
    /// How many of the arguments are the entrypoint; the others are the command.
    public var entrypointLength = 0
    /// The whole environment, image's and spec's together.
    public var environment: [String]
    public var workingDirectory: String
    public var user: String
    public var hostname: String
    public var restartCount: Int
    /// The json-file log; nil with driver none, or where the engine does not say.
    public var logPath: String?
    public var runtime: String
    public var execIDs: [String]
    /// The cgroup below each hierarchy's root, where the engine says it.
    public var cgroupPath: String?
    public var ports: [PortMapping] = []
    /// How it is part of its networks, in the order in which it joined.
    public var networks: [EndpointDetails] = []
    /// Of the mode `none`, it was taken out of that: it is in `networks` alone.
    public var hasLeftNone = false
    /// How it came to be and to run the last time; empty where the engine does not say.
    public var launch: [LaunchStep] = []
    /// Where the engine keeps what belongs to it.
    public var places = ContainerPlaces()
    /// What of the settings that it was made from `spec` cannot hold, in words: another engine's container may have
    /// such. Nil where it holds all of them.
    public var specGap: String?

    public init(
        id: String, name: String, spec: ContainerSpec, imageID: String, createdAt: Timestamp, state: ContainerState,
        arguments: [String], environment: [String], workingDirectory: String, user: String, hostname: String,
        restartCount: Int = 0, logPath: String? = nil, runtime: String = "gantry-runtime", execIDs: [String] = [],
        cgroupPath: String? = nil
    ) {
        self.id = id
        self.name = name
        self.spec = spec
        self.imageID = imageID
        self.createdAt = createdAt
        self.state = state
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.user = user
        self.hostname = hostname
        self.restartCount = restartCount
        self.logPath = logPath
        self.runtime = runtime
        self.execIDs = execIDs
        self.cgroupPath = cgroupPath
    }
}

/// Which containers a list holds. Conditions of different kinds must all hold; of one kind, any.
public struct ContainerFilter: Hashable, Sendable {
    public var all = false
    public var limit: Int?
    public var ids: [String] = []
    /// Regular expressions over names, as docker takes them.
    public var names: [String] = []
    public var statuses: [ContainerStatus] = []
    /// `key` or `key=value`; all must hold.
    public var labels: [String] = []
    public var ancestors: [String] = []
    /// Names or ids of networks.
    public var networks: [String] = []
    /// Names of volumes, sources of binds, or places in the container.
    public var volumes: [String] = []
    /// Its ports that one of the host leads to.
    public var published: [PortRange] = []
    /// Ports that it serves.
    public var exposed: [PortRange] = []
    public var exitCodes: [Int32] = []
    public var healths: [HealthState.Status] = []
    /// References: created before, created since.
    public var before: String?
    public var since: String?
    /// Tell also how much each has written.
    public var withSizes = false
    /// Asked for something that no container of this machine is, such as a swarm's task.
    public var matchesNone = false

    public init(all: Bool = false) { self.all = all }
}

public enum WaitCondition: String, Hashable, Sendable {
    case notRunning = "not-running"
    case nextExit = "next-exit"
    case removed
}

public struct WaitResult: Hashable, Sendable {
    public var exitCode: Int32
    /// Why the wait itself ended wrongly, in words; nil otherwise.
    public var error: String?

    public init(exitCode: Int32, error: String? = nil) {
        self.exitCode = exitCode
        self.error = error
    }
}

/// A wait that stands; see `Engine.beginWait`.
public struct ExitWait: Sendable {
    private let produce: @Sendable () async throws(EngineError) -> WaitResult

    /// - Parameter result: returns once the condition holds; called at most once.
    public init(_ result: @escaping @Sendable () async throws(EngineError) -> WaitResult) { produce = result }

    /// The exit that ended the wait. Throws `cancelled` where the waiting task is cancelled, `notFound` where the
    /// container is removed without the condition ever holding.
    public func result() async throws(EngineError) -> WaitResult { try await produce() }
}
