import EngineAPI

/// What a line of a log's file says, but for the bytes that the container wrote, which lie where its reader put them.
struct LogLine {
    let byteCount: Int
    let source: LogEntry.Source
    let time: Timestamp
    /// Nil where there are none, or none are wanted.
    var attributes: [String: String]?
}
