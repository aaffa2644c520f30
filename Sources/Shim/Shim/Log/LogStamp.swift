import Linux

/// What stands beside the text of a log's line: its stream and its time. The lines of one read share all but the last
/// nanoseconds.
///
/// Times rise strictly, by a nanosecond at least from line to line: who goes on behind the time of the last line that he
/// has seen misses none, and sees none twice.
struct LogStamp {
    private let kind: OutputKind
    private(set) var bytes: [UInt8]
    private var time: Timestamp
    /// The nanoseconds that the second has left.
    private var left: Int64
    private let line: LogLine

    /// A clock that was set back by more is believed, though times fall then: the log is not to be wrong for hours.
    private static let heldNanoseconds: Int64 = 1_000_000_000

    /// - Parameter last: the stamp before, which has been `advance`d behind the last line.
    init(_ kind: OutputKind, _ line: LogLine, after last: LogStamp? = nil, now: Timestamp = .now()) {
        self.kind = kind
        self.line = line
        time = now
        if let next = last?.time, next > now,
            next.nanosecondsSinceEpoch - now.nanosecondsSinceEpoch <= Self.heldNanoseconds
        {
            time = next
        }
        left = 999_999_999 - time.nanoseconds
        bytes = line.stamp(kind, time)
    }

    /// Makes it the stamp of the next line.
    mutating func advance() {
        time.nanosecondsSinceEpoch += 1
        left -= 1
        if left >= 0 { return line.advance(&bytes, to: time) }
        left = 999_999_999
        bytes = line.stamp(kind, time)
    }
}
