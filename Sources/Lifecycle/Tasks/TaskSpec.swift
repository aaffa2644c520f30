import EngineAPI
import Linux
import ShimAPI

/// How a task is to be made.
public struct TaskSpec: Hashable, Sendable {
    public enum Input: String, Hashable, Sendable, Codable {
        /// `/dev/null`, or a terminal nobody types at.
        case none
        /// Open until a client closes it.
        case open
        /// The same to the shim: that the first client which gave input closes it when it goes is that client's to see
        /// to.
        case once
    }

    public var id: String
    /// The absolute path of the OCI bundle: `config.json` and the empty directory `rootfs`.
    public var bundle: String
    /// Mounted by the shim in a mount namespace of its own, so that they end with it: the overlay at `rootfs`.
    public var rootMounts: [RootMount] = []
    /// Of a container with a user namespace.
    public var fileIDs: TaskFileIDs?
    public var terminal = false
    public var initialSize: TerminalSize?
    public var input = Input.none
    /// Nil: output is not kept.
    public var log: TaskLog?
    /// What the shim does for the container's networks; nil for nothing.
    public var network: TaskNetwork?
    /// The network namespace in which the shim is to be; nil for the engine's own.
    public var shimNamespace: Descriptor?
    /// The runtime's program: an absolute path.
    public var runtime: String
    public var bundleFacts: BundleFacts

    public init(id: String, bundle: String, _ bundleFacts: BundleFacts, runtime: String) {
        self.id = id
        self.bundle = bundle
        self.bundleFacts = bundleFacts
        self.runtime = runtime
    }
}

/// What of a bundle's `config.json` is not the runtime's alone to know.
public struct BundleFacts: Hashable, Sendable {
    /// `linux.cgroupsPath`: by it the container's processes are found when the shim is dead.
    public var cgroupsPath: String?
    /// Whether there is something for the runtime to do once the program runs: `hooks.poststart`.
    public var hasStartHooks: Bool

    public init(cgroupsPath: String?, hasStartHooks: Bool) {
        self.cgroupsPath = cgroupsPath
        self.hasStartHooks = hasStartHooks
    }
}

/// How the ids of a container with a user namespace stand for ids of the host, for its root file system.
public struct TaskFileIDs: Hashable, Sendable {
    /// Below which the root's files are; there they have the ids that the container sees.
    public var directory: String
    /// As /proc/PID/uid_map takes it.
    public var uidMap: String
    /// As /proc/PID/gid_map takes it.
    public var gidMap: String
    /// The host's ids of the container's root.
    public var rootUID: UInt32
    public var rootGID: UInt32

    public init(directory: String, uidMap: String, gidMap: String, rootUID: UInt32, rootGID: UInt32) {
        self.directory = directory
        self.uidMap = uidMap
        self.gidMap = gidMap
        self.rootUID = rootUID
        self.rootGID = rootGID
    }
}

/// What a shim does for its container's networks, whether an engine runs or not.
public struct TaskNetwork: Hashable, Sendable {
    /// The file that tells it, which may be replaced while the container runs.
    public var configurationPath: String
    /// Whether it answers names at 127.0.0.11 of the container.
    public var servesNames: Bool
    /// Bound sockets of published ports; the shim gets copies of them.
    public var sockets: [Descriptor]
    /// Of each socket: whether it takes connections.
    public var socketIsStream: [Bool]

    public init(configurationPath: String, servesNames: Bool, sockets: [Descriptor], socketIsStream: [Bool]) {
        self.configurationPath = configurationPath
        self.servesNames = servesNames
        self.sockets = sockets
        self.socketIsStream = socketIsStream
    }
}

/// A mount(2) that makes up a container's root file system.
public struct RootMount: Hashable, Sendable, Codable {
    public var type: String
    public var source: String
    public var target: String
    /// As mount(8) takes them: flags and data, `lowerdir=…`.
    public var options: [String]
    /// Whose mount the source is, in its mount namespace; nil for one of the host's.
    public var owner: ProcessIdentity?
    /// The program that serves the file system in user space: the options are its own, their paths start at `source`.
    public var server: String?
    /// A path in the source that is mounted instead of all of it; links do not lead out of the source.
    public var beneath: String?

    public init(type: String, source: String, target: String, options: [String]) {
        self.type = type
        self.source = source
        self.target = target
        self.options = options
    }
}

/// Where and how the shim keeps output.
public struct TaskLog: Hashable, Sendable {
    /// Nil where no file is kept.
    public var path: String?
    /// The size at which the file becomes `path.1`; nil for never.
    public var maximumSizeBytes: Int64?
    public var maximumFiles: Int
    /// Whether old files are packed with gzip: `path.1.gz`.
    public var packs = false
    public var form = Form.json
    /// A JSON object for each line of the json form.
    public var attributes = ""
    /// Where lines go, too.
    package var forward: LogForward?

    public enum Form: String, Hashable, Sendable {
        /// Docker's json-file.
        case json
        /// Our own.
        case compact
    }

    public init(path: String?, maximumSizeBytes: Int64? = nil, maximumFiles: Int = 1) {
        self.path = path
        self.maximumSizeBytes = maximumSizeBytes
        self.maximumFiles = maximumFiles
    }
}

/// A further process of a task.
public struct ExecTaskSpec: Hashable, Sendable {
    public var id: String
    /// The OCI `process` object, as JSON text, as the runtime's `exec --process` reads it.
    public var process: [UInt8]
    public var terminal = false
    public var initialSize: TerminalSize?
    public var input = TaskSpec.Input.none

    public init(id: String, process: [UInt8]) {
        self.id = id
        self.process = process
    }
}
