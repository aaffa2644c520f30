import EngineAPI
import Terminal

/// A line of a log, as it was written.
struct LogLine: Hashable, Sendable {
    /// What a line costs beside its bytes, about.
    static let overhead = 64
    /// Of a line that is longer the rest is a line of its own, and is known to go on with it.
    static let byteLimit = 1 << 16

    let time: Timestamp
    let source: LogEntry.Source
    /// Whose it is, as the screen numbers its containers.
    let container: Int
    private(set) var bytes: [UInt8]
    /// It goes on with the line before it, in the colours in which that ends.
    private(set) var isContinuation = false
    private(set) var firstStyle = Style.plain

    init(_ entry: LogEntry, of container: Int = 0) {
        time = entry.time
        source = entry.source
        self.container = container
        bytes = entry.bytes
    }

    /// Its engine has told when it was written.
    var isTimed: Bool { time.nanosecondsSinceEpoch != 0 }

    var isPartial: Bool { bytes.last != 0x0A }

    var cost: Int { bytes.count + Self.overhead }

    mutating func append(_ more: [UInt8]) { bytes += more }

    /// It was left open, and takes what comes next of it.
    var hasRoom: Bool { isPartial && bytes.count < Self.byteLimit }

    func isOfSameStream(as other: LogLine) -> Bool { container == other.container && source == other.source }

    /// The longest escape sequence that is kept whole: one that is longer is a picture, and no colour.
    private static let sequenceLimit = 4096

    /// The piece that goes on with this one. What the cut would part, a character or an escape sequence, goes there whole.
    mutating func next(_ entry: LogEntry) -> LogLine {
        let parts = EscapeText(bytes, from: firstStyle)
        var piece = LogLine(entry, of: container)
        (piece.isContinuation, piece.firstStyle) = (true, parts.lastStyle)
        let moved = parts.unfinishedCount <= Self.sequenceLimit ? parts.unfinishedCount : 0
        piece.bytes = bytes.suffix(moved) + entry.bytes
        bytes.removeLast(moved)
        return piece
    }

    /// Whether another line is the same as it is being read again, and perhaps not whole.
    func isBegun(by line: LogLine) -> Bool {
        line.time == time && line.isOfSameStream(as: self) && bytes.starts(with: line.bytes)
    }

    /// Without escape sequences and line ends.
    var text: String {
        // Nearly all lines are plain, and filters look at thousands of them.
        let end = bytes.last == 0x0A ? bytes.count - 1 : bytes.count
        let isPlain = bytes[..<end].allSatisfy { $0 >= 0x20 && $0 != 0x7F }
        return String(decoding: isPlain ? Array(bytes[..<end]) : EscapeText(bytes).plain, as: UTF8.self)
    }
}
