/// Which lines of a container's log are wanted.
public struct LogRequest: Hashable, Sendable {
    public var stdout = true
    public var stderr = true
    /// Stay for new lines until the container ends.
    public var follow = false
    /// Only the last so many lines; nil for all.
    public var tail: Int?
    public var since: Timestamp?
    public var until: Timestamp?
    /// With what the log says of each line.
    public var details = false

    public init() {}
}

/// A line, or a part of one longer than 16 KiB, as the container wrote it.
public struct LogEntry: Hashable, Sendable {
    public enum Source: String, Hashable, Sendable {
        case stdout, stderr
    }

    public var time: Timestamp
    public var source: Source
    /// With its line end where the container wrote one.
    public var bytes: [UInt8]
    /// What the log says of the line: labels and variables that were asked for, and its tag. Empty unless they are wanted.
    public var attributes: [String: String]

    public init(time: Timestamp, source: Source, bytes: [UInt8], attributes: [String: String] = [:]) {
        self.time = time
        self.source = source
        self.bytes = bytes
        self.attributes = attributes
    }
}
