import EngineAPI
import Linux

/// Runs containers' processes, each container under a shim of its own that outlives this process.
///
/// A *task* is a container's set of processes from `create` to `delete`; an *exec* is a further process in it. Ids are
/// the container's and the exec's. Calls for different tasks run at once; the caller makes sure that calls that change
/// one task do not overlap. Errors are `EngineError`, with the runtime's own words as the reason.
public protocol TaskService: Sendable {
    /// Starts a shim and lets the runtime create the container; the process waits for `start`.
    ///
    /// On failure nothing is left: no shim, mount, cgroup or file. `commandNotFound` and `commandNotExecutable` where
    /// the runtime says so (it may only at `start`).
    func create(_ spec: TaskSpec) async throws(EngineError) -> TaskFacts
    /// Lets the created process run its program.
    func start(_ id: String) async throws(EngineError)
    /// Sends a signal to the init process or to an exec's process; `conflict` where it has ended. The init process gets it
    /// also where its shim does not answer; it may then come twice.
    func kill(_ id: String, execID: String?, signal: Int32) async throws(EngineError)
    /// Ends every process of the task at once, by its cgroup; returns when none is left. Works without a shim too; one that
    /// does not answer is ended as well, since it would not tell of the end.
    func killAll(_ id: String, _ traces: TaskTraces) async throws(EngineError)
    func pause(_ id: String) async throws(EngineError)
    /// Gives a task that has been created other limits.
    ///
    /// - Parameter resources: the OCI `resources` object, as JSON text, as the runtime's `update --resources` reads it.
    func update(_ id: String, resources: [UInt8]) async throws(EngineError)
    func resume(_ id: String) async throws(EngineError)

    /// Begins with what can be done for an exec before it is known, since `exec` with that id is likely to follow soon. Does
    /// not wait, and tells of no failure; what was begun in vain ends by itself.
    func prepareExec(_ id: String, execID: String, terminal: Bool, input: TaskSpec.Input) async
    /// Goes on with an exec that was prepared, as which `exec` is likely to follow; if another does, this was in vain.
    func prepareProcess(_ id: String, _ exec: ExecTaskSpec) async
    /// Starts a further process; returns its pid in the host's namespace.
    func exec(_ id: String, _ exec: ExecTaskSpec) async throws(EngineError) -> Int32
    func resize(_ id: String, execID: String?, to size: TerminalSize) async throws(EngineError)
    /// Connects to the stdio of the init process or of an exec. Possible between `create` and `start`, and for an exec
    /// before `exec` starts it, so that no byte is missed. `request.logs` shows first what a terminal showed last, and what
    /// an exec wrote before anybody attached, which is kept for ten seconds; the log itself is a file that the caller reads.
    func attach(_ id: String, execID: String?, _ request: AttachRequest) async throws(EngineError)
        -> any AttachedStream
    /// Connects to an exec that has ended: `request.logs` shows what it wrote once those who were attached were gone together
    /// with their engine, which is kept for ten seconds. `conflict` where nothing is kept of it.
    func attach(_ id: String, endedExecID: String, _ request: AttachRequest) async throws(EngineError)
        -> any AttachedStream

    /// Lets the shim answer names at 127.0.0.11 of a running container, by the file that `create` named.
    func serveNames(_ id: String) async throws(EngineError)

    /// Removes a task whose processes have ended: the runtime's record, mounts, cgroup, shim, files of the run root.
    /// Succeeds where parts, or all of it, are gone already.
    func delete(_ id: String, _ traces: TaskTraces) async throws(EngineError)

    /// What this boot's run root holds, asked of the shims that answer: the input of recovery. Throws rather than to take
    /// for lost what it only cannot look at.
    ///
    /// Who does not answer soon is told of as `unreachable`: whoever wants to list what runs is not kept waiting.
    func survey() async throws(EngineError) -> [TaskFacts]
    /// The same of one task, with all the patience there is; nil where there is none.
    func survey(_ id: String) async throws(EngineError) -> TaskFacts?

    /// What happened to tasks since this service was made, in order per task; ends of execs of the minutes before it, too,
    /// and of those perhaps more than once. One consumer.
    var reports: AsyncStream<TaskReport> { get }
}

extension TaskService {
    package func killAll(_ id: String) async throws(EngineError) { try await killAll(id, TaskTraces()) }
    package func delete(_ id: String) async throws(EngineError) { try await delete(id, TaskTraces()) }
    public func prepareExec(_ id: String, execID: String, terminal: Bool, input: TaskSpec.Input) async {}
    public func prepareProcess(_ id: String, _ exec: ExecTaskSpec) async {}
}

/// What a caller knows of a task itself. It counts where the run root has lost what it held of the task.
public struct TaskTraces: Hashable, Sendable {
    public var initial: ProcessIdentity?
    /// `linux.cgroupsPath` of the bundle: no other task's.
    public var cgroupsPath: String?
    /// The runtime's program.
    public var runtime: String?

    public init() {}
}

/// How a task is to be made.
public struct TaskSpec: Hashable, Sendable {
    public enum Input: String, Hashable, Sendable, Codable {
        /// `/dev/null`, or a terminal nobody types at.
        case none
        /// Open until a client closes it.
        case open
        /// The same to the shim: that the first client which gave input closes it when it goes is that client's to see to.
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
public struct TaskLog: Hashable, Sendable, Codable {
    public var path: String
    /// The size at which the file becomes `path.1`; nil for never.
    public var maximumSizeBytes: Int64?
    public var maximumFiles: Int
    /// Whether old files are packed with gzip: `path.1.gz`.
    public var packs = false
    public var form = Form.json
    /// Of the json form a JSON object for each line; of the journal, fields, a line each.
    public var attributes = ""

    public enum Form: String, Hashable, Sendable, Codable {
        /// Docker's json-file.
        case json
        /// Our own.
        case compact
        /// No file: each line goes to systemd's journal.
        case journal
    }

    public init(path: String, maximumSizeBytes: Int64? = nil, maximumFiles: Int = 1) {
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

/// A process that a pid alone cannot name: pids are used again.
public struct ProcessIdentity: Hashable, Sendable, Codable {
    public var pid: Int32
    /// Field 22 of /proc/PID/stat, clock ticks since boot.
    public var startTicks: UInt64

    public init(pid: Int32, startTicks: UInt64) {
        self.pid = pid
        self.startTicks = startTicks
    }
}

/// How a process ended.
public struct TaskExit: Hashable, Sendable, Codable {
    /// The program's code, or 128 + signal.
    public var code: Int32
    public var time: Timestamp
    public var oomKilled: Bool

    public init(code: Int32, time: Timestamp, oomKilled: Bool = false) {
        self.code = code
        self.time = time
        self.oomKilled = oomKilled
    }
}

/// What is known of a task: from its shim where that answers, else from the files it left.
public struct TaskFacts: Hashable, Sendable {
    public enum Status: String, Hashable, Sendable, Codable {
        case created, running, paused, stopped
        /// The shim is there and does not answer now, so that nobody knows more than that its container was created: it is
        /// tried further, and what then turns out to have ended is reported.
        case unreachable
        /// The shim is gone and left no exit record, or it has not created anything: there is nothing but to delete.
        case lost
    }

    public var id: String
    public var status: Status
    /// Nil where no shim is.
    public var shim: ProcessIdentity?
    public var initial: ProcessIdentity?
    /// The init process's exit; set where `status` is `stopped`.
    public var exit: TaskExit?
    /// When its first process was made, to a hundredth of a second; nil where that had ended before anybody could see.
    public var startedAt: Timestamp?
    /// When the shim answered first; only in the answer to `create`.
    public var shimStartedAt: Timestamp?
    /// The execs that run.
    public var execs: [String: ProcessIdentity] = [:]

    public init(id: String, status: Status) {
        self.id = id
        self.status = status
    }
}

public enum TaskReport: Hashable, Sendable {
    /// The init process ended; its record was on disk before this report.
    case exited(id: String, TaskExit)
    case execExited(id: String, execID: String, TaskExit)
    case outOfMemory(id: String)
    /// The shim is gone and left no exit: it was killed.
    case shimLost(id: String)
}
