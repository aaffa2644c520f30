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
    /// With the time of each entry. Where it is not asked for an engine may tell none, and put many lines into one entry.
    public var times = true
    /// Rather no times, which are 0 then, than such as cannot be told from what the container wrote.
    public var certainTimesOnly = false

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

/// Entries of a log, one after the other, with their bytes in one piece: a log may have millions of lines, and memory of
/// its own for each would cost more than all else that is done to read it.
public struct LogBatch: RandomAccessCollection, Hashable, Sendable {
    /// An entry but for its bytes.
    public struct Line: Hashable, Sendable {
        /// Where its bytes end, which begin where those of the entry before end.
        public var end: Int
        public var time: Timestamp
        public var source: LogEntry.Source

        public init(end: Int, time: Timestamp, source: LogEntry.Source) {
            self.end = end
            self.time = time
            self.source = source
        }
    }

    /// What the container wrote, of all entries.
    public private(set) var bytes: [UInt8]
    public private(set) var lines: [Line]
    /// By the entry's place, of those that have some.
    private var attributes: [Int: [String: String]]

    public init() { self.init(bytes: [], lines: []) }

    /// - Parameter lines: whose ends ascend to that of `bytes`.
    public init(bytes: [UInt8], lines: [Line], attributes: [Int: [String: String]] = [:]) {
        self.bytes = bytes
        self.lines = lines
        self.attributes = attributes
    }

    public init(_ entries: some Sequence<LogEntry>) {
        self.init()
        for entry in entries { append(entry) }
    }

    public mutating func append(_ entry: LogEntry) {
        if !entry.attributes.isEmpty { attributes[lines.count] = entry.attributes }
        append(entry.bytes, entry.source, at: entry.time)
    }

    /// An entry without attributes.
    public mutating func append(_ bytes: [UInt8], _ source: LogEntry.Source, at time: Timestamp) {
        self.bytes.append(contentsOf: bytes)
        lines.append(Line(end: self.bytes.count, time: time, source: source))
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { lines.count }

    public subscript(index: Int) -> LogEntry {
        let line = lines[index]
        return LogEntry(
            time: line.time, source: line.source, bytes: Array(bytes[places(of: index..<index + 1)]),
            attributes: attributes[index] ?? [:])
    }

    /// Where in `bytes` those of a run of entries lie.
    public func places(of entries: Range<Int>) -> Range<Int> {
        guard !entries.isEmpty else { return 0..<0 }
        return (entries.lowerBound == 0 ? 0 : lines[entries.lowerBound - 1].end)..<lines[entries.upperBound - 1].end
    }
}
