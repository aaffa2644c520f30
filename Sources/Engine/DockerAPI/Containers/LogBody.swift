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
    }

    private static func time(_ query: QueryString, _ name: String) throws(EngineError) -> Timestamp? {
        guard let text = query[name], !text.isEmpty, text != "0" else { return nil }
        guard let time = WireTime.parameter(text) else {
            throw EngineError(.invalid, "invalid value for \"\(name)\": \"\(text)\"")
        }
        return time
    }

    /// The query that asks for these lines with their times.
    package var dockerQuery: QueryString {
        var query = QueryString()
        query.add("stdout", stdout)
        query.add("stderr", stderr)
        query.add("follow", follow)
        query.add("timestamps", true)
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

    /// - Parameters:
    ///   - isFramed: false for a container with a terminal.
    ///   - hasTimes: each entry begins with its time.
    ///   - hasDetails: each entry's text comes after the attributes that its log has for it and a space.
    package init(isFramed: Bool, hasTimes: Bool, hasDetails: Bool = false) {
        self.isFramed = isFramed
        self.hasTimes = hasTimes
        self.hasDetails = hasDetails
    }

    package func encode(_ entries: [LogEntry]) -> [UInt8] {
        var output: [UInt8] = []
        // A frame's head, a time and the spaces: then nothing is moved while it is written.
        output.reserveCapacity(entries.reduce(0) { $0 + $1.bytes.count + 48 })
        for entry in entries {
            let time = hasTimes ? entry.time.rfc3339NanoBytes + [32] : []
            let details = hasDetails ? Array(entry.details.utf8) + [32] : []
            if isFramed {
                let count = time.count + details.count + entry.bytes.count
                StreamFrame.appendHead(entry.source == .stdout ? .stdout : .stderr, count, to: &output)
            }
            output.append(contentsOf: time)
            output.append(contentsOf: details)
            output.append(contentsOf: entry.bytes)
        }
        return output
    }
}

extension LogEntry {
    /// The attributes as docker writes them: `k=v,k2=v2`, names and values as in a query, sorted by name.
    package var details: String {
        attributes.sorted { $0.key < $1.key }
            .map { "\(Self.escaped($0.key))=\(Self.escaped($0.value))" }.joined(separator: ",")
    }

    private static func escaped(_ text: String) -> String {
        Percent.encoded(text, alsoPlain: [32]).replacing(" ", with: "+")
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

/// The bytes of a log answer with times, back to entries. A pure value.
package struct LogDecoder: Sendable {
    private var demultiplexer: StreamDemultiplexer?
    private var line: [UInt8] = []
    private var lastTime = Timestamp(nanosecondsSinceEpoch: 0)

    private let hasDetails: Bool

    /// - Parameter hasDetails: whether they were asked for.
    package init(isFramed: Bool, hasDetails: Bool = false) {
        demultiplexer = isFramed ? StreamDemultiplexer() : nil
        self.hasDetails = hasDetails
    }

    package mutating func feed(_ bytes: [UInt8]) throws(StreamDemultiplexer.Failure) -> [LogEntry] {
        guard let frames = try demultiplexer?.feed(bytes) else { return feedLines(bytes) }
        return frames.compactMap { frame in
            switch frame.channel {
            case .stdout: entry(frame.bytes, .stdout)
            case .stderr: entry(frame.bytes, .stderr)
            case .stdin, .system: nil
            }
        }
    }

    /// What is left at the end: a last line without its line end.
    package mutating func finish() -> [LogEntry] {
        defer { line = [] }
        return line.isEmpty ? [] : [entry(line, .stdout)]
    }

    private mutating func feedLines(_ bytes: [UInt8]) -> [LogEntry] {
        var entries: [LogEntry] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 10) {
            line.append(contentsOf: rest[...end])
            entries.append(entry(line, .stdout))
            line = []
            rest = rest[(end + 1)...]
        }
        line.append(contentsOf: rest)
        return entries
    }

    /// `TIME bytes`, or `TIME details bytes`; a line without a time has that of the line before.
    private mutating func entry(_ bytes: [UInt8], _ source: LogEntry.Source) -> LogEntry {
        let head = bytes.prefix(40)
        if let space = head.firstIndex(of: 32),
            let time = Timestamp(rfc3339: String(decoding: head[..<space], as: UTF8.self))
        {
            lastTime = time
            let rest = bytes[(space + 1)...]
            guard hasDetails, let end = rest.firstIndex(of: 32) else {
                return LogEntry(time: time, source: source, bytes: Array(rest))
            }
            let attributes = LogEntry.attributes(String(decoding: rest[..<end], as: UTF8.self))
            return LogEntry(
                time: time, source: source, bytes: Array(rest[(end + 1)...]), attributes: attributes)
        }
        return LogEntry(time: lastTime, source: source, bytes: bytes)
    }
}
