import EngineAPI
import Glibc
import Linux

/// Reads a log's entries in order, from the oldest file to the current one, as far as they are written.
///
/// Blocking; one user at a time. A line that is not yet whole is left until its rest is there. Zeros before a line, as a
/// crash or a cut leaves them in a file, are passed over; what is longer than any line is dropped up to its end.
final class LogReader {
    /// No line is longer: 16 KiB of content, escaped, and labels and variables.
    private static let lineLimitBytes = 16 << 20

    /// Lines this much before the time asked for are looked at as well: a clock that was set back stamps later lines with
    /// earlier times.
    private static let clockSlackNanoseconds: Int64 = 300 * 1_000_000_000

    private let path: String
    private let request: LogRequest
    private let isCompact: Bool
    private var files: LogFiles
    /// While where the last lines begin is still to be found.
    private var tail: TailSearch?
    /// Where the last file ended when it was opened: a log that is not followed ends there, however fast its container
    /// writes. Nil for one that is.
    private let end: off_t?
    private var parser: LogLineParser
    private(set) var buffer = [UInt8](repeating: 0, count: 1 << 17)
    /// What of `buffer` is read and not yet parsed.
    private var pending = 0..<0
    /// The rest of a line that is dropped comes first.
    private var isInsideDropped = false
    /// Nothing after here is wanted.
    private(set) var isPastUntil = false

    init(path: String, request: LogRequest, isCompact: Bool = false) throws(KernelError) {
        self.path = path
        self.isCompact = isCompact
        self.request = request
        parser = LogLineParser(keepsAttributes: request.details)
        files = try LogFiles(path: path)
        let lastSize = try files.lastSizeBytes
        end = request.follow ? nil : lastSize
        if let count = request.tail, count >= 0 {
            tail = TailSearch(count, fileCount: files.count, lastSizeBytes: lastSize)
        } else if let since = request.since {
            try skip(before: since)
        }
    }

    /// The next entries, about a buffer's worth; nil where no more is written now. None, where what was looked at has none
    /// that is wanted: then there may be more, and who reads a large log is free to give up, or let others go first.
    func next() throws(KernelError) -> LogBatch? {
        if tail != nil {
            try seekTail()
            return LogBatch()
        }
        if isPastUntil { return nil }
        let entries = parsePending()
        if !entries.isEmpty { return entries }
        if isPastUntil { return nil }
        if try fill() { return parsePending() }
        return try nextFile() ? LogBatch() : nil
    }

    private func seekTail() throws(KernelError) {
        guard let start = try tail?.step(files) else { return }
        tail = nil
        files.dropFiles(before: min(start.file, max(0, files.count - 1)))
        if let file = try files.first { lseek(file.rawValue, start.offset, SEEK_SET) }
    }

    /// Goes past what was written before a time: files by when they were written last, and in the first that is left the
    /// half that is too old, and again.
    private func skip(before since: Timestamp) throws(KernelError) {
        let time = since.before(by: Self.clockSlackNanoseconds)
        try files.dropFiles(lastWrittenBefore: time)
        guard let file = try files.first else { return }
        var (low, high) = (off_t(0), try file.size())
        while high - low > off_t(buffer.count) {
            let middle = low + (high - low) / 2
            if let line = try firstLine(in: file, from: middle), line.time < time {
                low = line.start
            } else {
                high = middle
            }
        }
        lseek(file.rawValue, low, SEEK_SET)
    }

    private typealias PlacedTime = (start: off_t, time: Timestamp)

    /// The first whole line behind a place; nil where none is near.
    private func firstLine(
        in file: Descriptor, from place: off_t
    ) throws(KernelError) -> PlacedTime? {
        let count = try kernelCall("read the log", path) {
            buffer.withUnsafeMutableBytes { pread(file.rawValue, $0.baseAddress, $0.count, place) }
        }
        var position = 0
        var parser = parser
        return buffer.withUnsafeBufferPointer { buffer in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count + 1) { room -> PlacedTime? in
                var isWhole = false
                while let output = room.baseAddress, let end = buffer[position..<count].firstIndex(of: 10) {
                    let line = UnsafeBufferPointer(rebasing: buffer[position..<end])
                    let found = isCompact ? CompactLogLine.parse(line, into: output) : parser.parse(line, into: output)
                    // The first is the end of one that began before.
                    if let found, isWhole { return (place + off_t(position), found.time) }
                    isWhole = true
                    position = end + 1
                }
                return nil
            }
        }
    }

    private func nextFile() throws(KernelError) -> Bool {
        if files.count == 0 {
            files = try LogFiles(path: path)
            return files.count > 0
        }
        if files.count == 1 {
            if end != nil { return false }
            guard try files.followRotation() else { return false }
            // What was written between our last read and the rotation.
            if try fill() { return true }
        }
        // The rest of a line that a crash cut short: nobody will complete it.
        pending = 0..<0
        isInsideDropped = false
        return files.advance()
    }

    /// Reads more behind what is pending; false at the end of the file.
    private func fill() throws(KernelError) -> Bool {
        guard let file = try files.first else { return false }
        if pending.lowerBound > 0 {
            buffer.replaceSubrange(0..<pending.count, with: buffer[pending])
            pending = 0..<pending.count
        }
        if pending.upperBound == buffer.count { dropUseless() }
        if pending.upperBound == buffer.count { buffer += [UInt8](repeating: 0, count: buffer.count) }
        let start = pending.upperBound
        var room = buffer.count - start
        if let end, files.count == 1 { room = min(room, max(0, Int(end - lseek(file.rawValue, 0, SEEK_CUR)))) }
        let count = try kernelCall("read the log", path) {
            buffer.withUnsafeMutableBytes { Glibc.read(file.rawValue, $0.baseAddress.map { $0 + start }, room) }
        }
        pending = pending.lowerBound..<start + count
        if count == 0, end == nil, try wasCut(file) { return try fill() }
        return count > 0
    }

    /// Whether the file has become shorter than what was read of it, as where somebody has emptied it: then its beginning
    /// is what comes next.
    private func wasCut(_ file: Descriptor) throws(KernelError) -> Bool {
        guard try file.status().st_size < lseek(file.rawValue, 0, SEEK_CUR) else { return false }
        lseek(file.rawValue, 0, SEEK_SET)
        pending = 0..<0
        isInsideDropped = false
        return true
    }

    /// A buffer full of one line: what of it can never be an entry goes.
    private func dropUseless() {
        let start = buffer[pending].firstIndex { $0 != 0 } ?? pending.upperBound
        if isInsideDropped || pending.count >= Self.lineLimitBytes {
            isInsideDropped = true
            pending = 0..<0
        } else if start > pending.lowerBound {
            buffer.replaceSubrange(0..<pending.upperBound - start, with: buffer[start..<pending.upperBound])
            pending = 0..<pending.upperBound - start
        }
    }

    private func parsePending() -> LogBatch {
        guard !pending.isEmpty else { return LogBatch() }
        var lines: [LogBatch.Line] = []
        var attributes: [Int: [String: String]] = [:]
        // Of its own: the object's would be asked for with each line.
        var parser = parser
        let (request, isCompact) = (request, isCompact)
        // No line is longer than the bytes that it is written with.
        let bytes = [UInt8](unsafeUninitializedCapacity: pending.count) { output, count in
            guard let room = output.baseAddress else { return }
            passPending { line in
                let place = room + count
                guard let found = isCompact ? CompactLogLine.parse(line, into: place) : parser.parse(line, into: place)
                else { return true }
                if let until = request.until, found.time > until { return false }
                guard request.accepts(found) else { return true }
                count += found.byteCount
                if let some = found.attributes { attributes[lines.count] = some }
                lines.append(LogBatch.Line(end: count, time: found.time, source: found.source))
                return true
            }
        }
        self.parser = parser
        return LogBatch(bytes: bytes, lines: lines, attributes: attributes)
    }

    /// Hands on the lines that are whole, without their ends, until one comes after which nothing is wanted.
    private func passPending(_ take: (UnsafeBufferPointer<UInt8>) -> Bool) {
        var position = pending.lowerBound
        let end = pending.upperBound
        var isPast = false
        buffer.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            while position < end, !isPast, let found = memchr(base + position, 10, end - position) {
                let length = (base + position).distance(to: found.assumingMemoryBound(to: UInt8.self))
                let whole = UnsafeBufferPointer(start: base + position, count: length)
                position += length + 1
                if isInsideDropped {
                    isInsideDropped = false
                    continue
                }
                let line = whole.first == 0 ? UnsafeBufferPointer(rebasing: whole.drop { $0 == 0 }) : whole
                isPast = !take(line)
            }
        }
        pending = position..<end
        if isPast { isPastUntil = true }
    }
}

extension LogRequest {
    fileprivate func accepts(_ line: LogLine) -> Bool {
        if let since, line.time < since { return false }
        return line.source == .stdout ? stdout : stderr
    }
}
