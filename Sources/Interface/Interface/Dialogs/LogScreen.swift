import EngineAPI
import Terminal

/// The log of one container, full screen. Keeps a bounded number of bytes, the newest.
struct LogScreen: Hashable, Sendable {
    static let byteLimit = 4 << 20
    /// How much is asked for at first.
    static let firstTail = 2000

    let name: String
    private(set) var subscription: LogSubscription
    private(set) var lines: [LogLine] = []
    private var byteCount = 0
    /// How many were let go for want of room.
    private(set) var droppedLines = 0
    var follows = true
    var showsTimes = false
    var wraps = false
    /// The first column shown while lines are not wrapped.
    var column = 0
    var cursor = 0
    var scroll = 0
    var search = Search()
    private(set) var end: String?

    init(container: ContainerSummary, serial: Int) {
        name = container.name
        subscription = LogSubscription(containerID: container.id, tail: Self.firstTail, serial: serial)
    }

    mutating func add(_ news: LogNews) {
        switch news {
        case .entries(let entries): add(entries)
        case .ended(let reason): end = reason ?? "end of log"
        }
    }

    /// Reads all of it anew.
    mutating func readWhole(serial: Int) {
        subscription = LogSubscription(containerID: subscription.containerID, tail: nil, serial: serial)
        (lines, byteCount, droppedLines, end, cursor, scroll) = ([], 0, 0, nil, 0, 0)
    }

    mutating func move(_ movement: Movement, page: Int) {
        cursor = movement.applied(to: cursor, count: lines.count, page: page)
        follows = movement == .bottom || (follows && cursor == lines.count - 1)
        scroll = scrollToShow(cursor, from: scroll, count: lines.count, page: page)
    }

    mutating func find(backwards: Bool, page: Int) -> Bool {
        let found = search.next(from: cursor, count: lines.count, backwards: backwards) { lines[$0].text }
        guard let found else { return false }
        cursor = found
        follows = false
        scroll = scrollToShow(cursor, from: scroll, count: lines.count, page: page)
        return true
    }

    /// What the title says of what is shown.
    var summary: String {
        var parts = ["\(lines.count) lines"]
        if subscription.tail != nil, lines.count >= Self.firstTail, droppedLines == 0 {
            parts.append("older ones left out, 0 reads all")
        }
        if droppedLines > 0 { parts.append("\(droppedLines) older ones dropped") }
        parts.append(end ?? (follows ? "following" : "F follows"))
        return parts.joined(separator: " · ")
    }

    private mutating func add(_ entries: [LogEntry]) {
        for entry in entries {
            if let last = lines.last, last.isPartial, last.source == entry.source, last.bytes.count < 1 << 16 {
                lines[lines.count - 1].append(entry.bytes)
            } else {
                lines.append(LogLine(entry))
            }
            byteCount += entry.bytes.count + LogLine.overhead
        }
        shrink()
        if follows { cursor = max(0, lines.count - 1) }
    }

    private mutating func shrink() {
        guard byteCount > Self.byteLimit else { return }
        // Somewhat more than needed, so that not each line moves all the others.
        var excess = byteCount - Self.byteLimit + Self.byteLimit / 8
        var count = 0
        while excess > 0, count < lines.count {
            excess -= lines[count].bytes.count + LogLine.overhead
            byteCount -= lines[count].bytes.count + LogLine.overhead
            count += 1
        }
        lines.removeFirst(count)
        droppedLines += count
        cursor = max(0, cursor - count)
        scroll = max(0, scroll - count)
    }
}

/// A line of a log, as it was written.
struct LogLine: Hashable, Sendable {
    /// What a line costs beside its bytes, about.
    static let overhead = 64

    let time: Timestamp
    let source: LogEntry.Source
    private(set) var bytes: [UInt8]

    init(_ entry: LogEntry) {
        time = entry.time
        source = entry.source
        bytes = entry.bytes
    }

    var isPartial: Bool { bytes.last != 0x0A }

    mutating func append(_ more: [UInt8]) { bytes += more }

    /// Without escape sequences and line ends.
    var text: String { String(decoding: EscapeText(bytes).plain, as: UTF8.self) }

    /// `2026-01-02 03:04:05.678`, in UTC.
    var timeText: String {
        let full = time.rfc3339Nano
        return full.prefix(10) + " " + full.dropFirst(11).prefix(12)
    }
}
