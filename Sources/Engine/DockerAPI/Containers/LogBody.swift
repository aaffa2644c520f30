import EngineAPI

extension LogRequest {
    /// Reads the query of `GET /containers/{id}/logs`.
    package init(dockerQuery query: QueryString) throws(EngineError) {
        self.init()
        stdout = query.flag("stdout")
        stderr = query.flag("stderr")
        guard stdout || stderr else {
            throw EngineError(.invalid, "Bad parameters: you must choose at least one stream")
        }
        follow = query.flag("follow")
        // Docker takes anything that is no number for "all".
        tail = query["tail"].flatMap(Int.init).flatMap { $0 >= 0 ? $0 : nil }
        since = try Self.time(query, "since")
        until = try Self.time(query, "until")
        details = query.flag("details")
        times = query.flag("timestamps")
    }

    /// What the log says of a line is told from the line by its place behind the time.
    package var wantsTimes: Bool { times || details }

    private static func time(_ query: QueryString, _ name: String) throws(EngineError) -> Timestamp? {
        guard let text = query[name], !text.isEmpty, text != "0" else { return nil }
        guard let time = WireTime.parameter(text) else {
            throw EngineError(.invalid, "invalid value for \"\(name)\": \"\(text)\"")
        }
        return time
    }

    /// The query that asks for these lines.
    package var dockerQuery: QueryString {
        var query = QueryString()
        query.add("stdout", stdout)
        query.add("stderr", stderr)
        query.add("follow", follow)
        query.add("timestamps", wantsTimes)
        query.add("details", details)
        query.add("tail", tail.map(String.init) ?? "all")
        query.add("since", since.map(WireTime.parameter))
        query.add("until", until.map(WireTime.parameter))
        return query
    }
}

/// Log entries as the bytes of an answer's body.
package struct LogEncoder: Sendable {
    private let isFramed: Bool
    private let hasTimes: Bool
    private let hasDetails: Bool
    private let joinsLines: Bool
    /// As docker's own frames of output, which its client has room for.
    private static let frameLimitBytes = 32 << 10
    /// Of a year with four digits, and a space.
    fileprivate static let timeLength = 31

    /// - Parameters:
    ///   - isFramed: false for a container with a terminal.
    ///   - hasTimes: each entry begins with its time.
    ///   - hasDetails: each entry's text comes after the attributes that its log has for it and a space.
    ///   - joinsLines: entries of one stream in a row share a frame: for who copies what frames hold and looks at no
    ///     frame by itself. Each has a frame of its own else, as dockerd sends them, and docker-py takes each for a line.
    package init(isFramed: Bool, hasTimes: Bool, hasDetails: Bool = false, joinsLines: Bool = false) {
        self.isFramed = isFramed
        self.hasTimes = hasTimes
        self.hasDetails = hasDetails
        self.joinsLines = joinsLines
    }

    package func encode(_ entries: LogBatch) -> [UInt8] {
        guard isFramed || hasTimes || hasDetails else { return entries.bytes }
        let details = hasDetails ? entries.map { Array($0.details.utf8) + [32] } : []
        let length = StreamFrame.headerLength + (hasTimes ? Self.timeLength : 0)
        let room = entries.bytes.count + entries.count * length + details.reduce(0) { $0 + $1.count }
        // Written in place: a log may hold millions of lines, and its reader waits for nothing but this.
        return [UInt8](unsafeUninitializedCapacity: room) { output, count in
            var pieces = PieceWriter(UnsafeMutableRawBufferPointer(output))
            entries.bytes.withUnsafeBytes { write(entries, $0, details, &pieces) }
            count = pieces.count
        }
    }

    private func write(
        _ entries: LogBatch, _ bytes: UnsafeRawBufferPointer, _ details: [[UInt8]], _ pieces: inout PieceWriter
    ) {
        var start = 0
        var frame: PieceWriter.Frame?
        for index in entries.indices {
            let line = entries.lines[index]
            let time = hasTimes ? line.time.rfc3339NanoBytes + [32] : []
            let detail = hasDetails ? details[index] : []
            if isFramed {
                let count = time.count + detail.count + line.end - start
                if let open = frame,
                    !joinsLines || open.source != line.source
                        || pieces.count - open.start - StreamFrame.headerLength + count > Self.frameLimitBytes
                {
                    pieces.endFrame(open)
                    frame = nil
                }
                if frame == nil { frame = pieces.beginFrame(line.source) }
            }
            time.withUnsafeBytes { pieces.put($0) }
            detail.withUnsafeBytes { pieces.put($0) }
            pieces.put(UnsafeRawBufferPointer(rebasing: bytes[start..<line.end]))
            start = line.end
        }
        if let frame { pieces.endFrame(frame) }
    }
}

/// Puts pieces behind one another into memory that has room for all of them.
private struct PieceWriter {
    private let output: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(_ output: UnsafeMutableRawBufferPointer) { self.output = output }

    mutating func put(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        UnsafeMutableRawBufferPointer(rebasing: output[count...]).copyMemory(from: bytes)
        count += bytes.count
    }

    /// One that has begun.
    struct Frame {
        let start: Int
        let source: LogEntry.Source
    }

    /// Leaves room for the head, which is written at the frame's end.
    mutating func beginFrame(_ source: LogEntry.Source) -> Frame {
        defer { count += StreamFrame.headerLength }
        return Frame(start: count, source: source)
    }

    func endFrame(_ frame: Frame) {
        let head = StreamFrame.head(
            frame.source == .stdout ? .stdout : .stderr, count - frame.start - StreamFrame.headerLength)
        output.storeBytes(of: head, toByteOffset: frame.start, as: UInt64.self)
    }
}

extension LogEntry {
    /// The attributes as docker writes them: `k=v,k2=v2`, names and values as in a query, sorted by name.
    package var details: String {
        attributes.sorted { $0.key < $1.key }
            .map { "\(Percent.form($0.key))=\(Percent.form($0.value))" }.joined(separator: ",")
    }

    /// Undoes `details`.
    fileprivate static func attributes(_ details: String) -> [String: String] {
        var attributes: [String: String] = [:]
        for pair in details.split(separator: ",") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2 else { continue }
            attributes[Percent.decoded(sides[0], plusIsSpace: true)] = Percent.decoded(sides[1], plusIsSpace: true)
        }
        return attributes
    }
}

/// The bytes of a log answer back to entries. A pure value.
package struct LogDecoder: Sendable {
    private var demultiplexer: StreamDemultiplexer?
    private var line: [UInt8] = []
    private var lastTime = Timestamp(nanosecondsSinceEpoch: 0)

    private let hasTimes: Bool
    private let hasDetails: Bool

    /// - Parameters:
    ///   - hasTimes: whether they were asked for. An entry is as much as came at once else, and has the time 0.
    ///   - hasDetails: whether they were asked for, which are found behind the time alone.
    package init(isFramed: Bool, hasTimes: Bool = true, hasDetails: Bool = false) {
        demultiplexer = isFramed ? StreamDemultiplexer() : nil
        self.hasTimes = hasTimes
        self.hasDetails = hasDetails
    }

    package mutating func feed(_ bytes: [UInt8]) throws(StreamDemultiplexer.Failure) -> LogBatch {
        var entries = LogBatch()
        guard let frames = try demultiplexer?.feed(bytes) else {
            if hasTimes { feedLines(bytes, &entries) } else { entries.append(bytes, .stdout, at: lastTime) }
            return entries
        }
        for frame in frames {
            switch frame.channel {
            case .stdout: add(frame.bytes, .stdout, &entries)
            case .stderr: add(frame.bytes, .stderr, &entries)
            case .stdin, .system: break
            }
        }
        return entries
    }

    /// What is left at the end: a last line without its line end.
    package mutating func finish() -> LogBatch {
        var entries = LogBatch()
        if !line.isEmpty { add(line, .stdout, &entries) }
        line = []
        return entries
    }

    private mutating func feedLines(_ bytes: [UInt8], _ entries: inout LogBatch) {
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 10) {
            line.append(contentsOf: rest[...end])
            add(line, .stdout, &entries)
            line = []
            rest = rest[(end + 1)...]
        }
        line.append(contentsOf: rest)
    }

    /// `TIME bytes`, or `TIME details bytes`; a line without a time has that of the line before.
    private mutating func add(_ bytes: [UInt8], _ source: LogEntry.Source, _ entries: inout LogBatch) {
        let head = bytes.prefix(40)
        guard hasTimes, let space = head.firstIndex(of: 32),
            let time = Timestamp(rfc3339: String(decoding: head[..<space], as: UTF8.self))
        else { return entries.append(bytes, source, at: lastTime) }
        lastTime = time
        let rest = bytes[(space + 1)...]
        if demultiplexer == nil, let next = timeInside(rest) {
            // Without frames nothing else tells where a piece of a long line ends.
            add(Array(bytes[..<next]), source, &entries)
            return add(Array(bytes[next...]), source, &entries)
        }
        guard hasDetails, let end = rest.firstIndex(of: 32) else {
            return entries.append(Array(rest), source, at: time)
        }
        let attributes = LogEntry.attributes(String(decoding: rest[..<end], as: UTF8.self))
        entries.append(
            LogEntry(time: time, source: source, bytes: Array(rest[(end + 1)...]), attributes: attributes))
    }

    /// Where the time of a line's next piece stands, after some text: as docker's engine writes times, with nine digits of
    /// the second, and none that lies before what has come. A container's own are hardly ever like that.
    private func timeInside(_ text: ArraySlice<UInt8>) -> Int? {
        let length = LogEncoder.timeLength - 1
        var start = text.startIndex + 1
        while start + length < text.endIndex {
            // The last sign first: nearly no text passes it.
            if text[start + length] == 32, text[start + length - 1] == UInt8(ascii: "Z"),
                text[start + 19] == UInt8(ascii: "."), text[start + 10] == UInt8(ascii: "T"),
                let time = Timestamp(rfc3339: String(decoding: text[start..<start + length], as: UTF8.self)),
                time >= lastTime
            {
                return start
            }
            start += 1
        }
        return nil
    }
}
