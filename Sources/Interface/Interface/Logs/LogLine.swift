import EngineAPI

/// A line of a log, as it was written.
struct LogLine: Hashable, Sendable {
    /// What a line costs beside its bytes, about.
    static let overhead = 64

    let time: Timestamp
    let source: LogEntry.Source
    /// Whose it is, as the screen numbers its containers.
    let container: Int
    private(set) var bytes: [UInt8]

    init(_ entry: LogEntry, of container: Int = 0) {
        time = entry.time
        source = entry.source
        self.container = container
        bytes = entry.bytes
    }

    var isPartial: Bool { bytes.last != 0x0A }

    var cost: Int { bytes.count + Self.overhead }

    mutating func append(_ more: [UInt8]) { bytes += more }

    /// Without escape sequences and line ends.
    var text: String {
        // Nearly all lines are plain, and filters look at thousands of them.
        let end = bytes.last == 0x0A ? bytes.count - 1 : bytes.count
        let isPlain = bytes[..<end].allSatisfy { $0 >= 0x20 && $0 != 0x7F }
        return String(decoding: isPlain ? Array(bytes[..<end]) : EscapeText(bytes).plain, as: UTF8.self)
    }

    /// `2026-01-02 03:04:05.678`, in UTC.
    var timeText: String {
        let full = time.rfc3339Nano
        return full.prefix(10) + " " + full.dropFirst(11).prefix(12)
    }
}
