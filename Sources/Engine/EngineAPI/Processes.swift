/// A table as ps(1) prints it.
public struct ProcessTable: Hashable, Sendable {
    public var titles: [String]
    public var rows: [[String]]

    public init(titles: [String], rows: [[String]]) {
        self.titles = titles
        self.rows = rows
    }
}

/// A process between the engine and the leaves of a container's process tree.
public struct ProcessNode: Hashable, Sendable, Codable {
    public enum Role: String, Hashable, Sendable, Codable {
        case engine, shim, initial, process
    }

    public var role: Role
    public var pid: Int32
    /// 0 for the first of the chain.
    public var parentPID: Int32
    /// The pid in the container's own namespace; nil outside of it.
    public var containerPID: Int32?
    /// One letter of proc(5): R, S, D, Z, T, …
    public var state: String
    public var residentBytes: UInt64
    public var startedAt: Timestamp
    /// The command line, arguments parted by spaces; `[name]` where there is none.
    public var command: String
    public var threadCount: Int
    /// CPU time used, user and system.
    public var cpuNanoseconds: UInt64

    public init(
        role: Role, pid: Int32, parentPID: Int32, containerPID: Int32?, state: String, residentBytes: UInt64,
        startedAt: Timestamp, command: String, threadCount: Int, cpuNanoseconds: UInt64
    ) {
        self.role = role
        self.pid = pid
        self.parentPID = parentPID
        self.containerPID = containerPID
        self.state = state
        self.residentBytes = residentBytes
        self.startedAt = startedAt
        self.command = command
        self.threadCount = threadCount
        self.cpuNanoseconds = cpuNanoseconds
    }
}
