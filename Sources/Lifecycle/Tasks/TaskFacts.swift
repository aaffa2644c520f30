import Linux

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
        /// The shim is there and does not answer now, so that nobody knows more than that its container was created: it
        /// is tried further, and what then turns out to have ended is reported.
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

/// What a caller knows of a task itself. It counts where the run root has lost what it held of the task.
public struct TaskTraces: Hashable, Sendable {
    public var initial: ProcessIdentity?
    /// `linux.cgroupsPath` of the bundle: no other task's.
    public var cgroupsPath: String?
    /// The runtime's program.
    public var runtime: String?

    public init() {}
}
