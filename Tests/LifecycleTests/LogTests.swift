import EngineAPI
import Glibc
import Linux
import Synchronization
import Testing

@testable import Lifecycle

@Suite(.timeLimit(.minutes(5))) struct LogTests {
    static func parse(_ text: String, keepsAttributes: Bool = false) -> LogEntry? {
        var parser = LogLineParser(keepsAttributes: keepsAttributes)
        let line = Array(text.utf8)
        var found: LogLine?
        let bytes = [UInt8](unsafeUninitializedCapacity: max(1, line.count)) { output, count in
            guard let room = output.baseAddress else { return }
            found = line.withUnsafeBufferPointer { parser.parse($0, into: room) }
            count = found?.byteCount ?? 0
        }
        return found.map { LogEntry(time: $0.time, source: $0.source, bytes: bytes, attributes: $0.attributes ?? [:]) }
    }

    static func line(_ text: String, stream: String = "stdout", second: Int = 0) -> String {
        let padded = second < 10 ? "0\(second)" : "\(second)"
        return "{\"log\":\"\(text)\\n\",\"stream\":\"\(stream)\",\"time\":\"2026-01-02T03:04:\(padded).5Z\"}\n"
    }

    static let time = Timestamp(rfc3339: "2026-01-02T03:04:05.000000006Z")

    @Test(
        "A line says what was written, in any order of members and with any escape",
        arguments: [
            (#"{"log":"a\n","stream":"stdout","time":"T"}"#, "a\n"),
            (#"{"log":"","stream":"stdout","time":"T"}"#, ""),
            (#"{ "time" : "T" , "stream" : "stdout", "log" : "x" }"#, "x"),
            (#"{"log":"q\"\\","stream":"stdout","attrs":{"a":["}",1,null]},"time":"T"}"#, "q\"\\"),
            (
                #"{"log":"\u00e9\u20ac\ud83d\ude00\ud800\t\r\b\f\/","stream":"stdout","time":"T"}"#,
                "é€😀\u{FFFD}\t\r\u{8}\u{C}/"
            ),
            (#"{"log":"a\"b\\","stream":"stderr","time":"T"}"#, "a\"b\\"),
            (#"{"log":"a\u000a","stream":"stdout","time":"T","more":1}"#, "a\n"),
            (#"{"log":"","stream":"stdout","stream":"stdout","time":"T"}"#, ""),
            (#"{"log":"cut sho{"log":"whole\n","stream":"stdout","time":"T"}"#, "whole\n"),
        ])
    func lines(text: String, expected: String) {
        let entry = Self.parse(text.replacing("\"T\"", with: "\"2026-01-02T03:04:05.000000006Z\""))
        #expect(entry.map { String(decoding: $0.bytes, as: UTF8.self) } == expected)
        #expect(entry?.time == Self.time)
    }

    @Test("What a line says of itself is kept where it is wanted")
    func attributes() {
        let text = #"{"log":"a\n","stream":"stdout","attrs":{"k":"v","E":"1","n":2},"time":"2026-01-02T03:04:05Z"}"#
        #expect(Self.parse(text, keepsAttributes: true)?.attributes == ["k": "v", "E": "1"])
        #expect(Self.parse(text)?.attributes == [:])
    }

    @Test(
        "What is no line is passed over",
        arguments: [
            "", "{", "{}", "{\"log\":\"x", "{\"log\":\"x\"}", "text", "{\"log\":\"x\",\"time\":\"yesterday\"}",
            #"{"log":"x\n","stream":"stdout","time":"}"#, #"{"log":"x\n","stream":"stdout","time":""}"#,
            #"{"log":"x\n","stream":"stdout","time":"2026-01-02T03:04:05Z}"#, #"{"log":"x\"#,
            #"{"log":"x\n","stream":"stdout","time":"2262-04-11T23:59:59Z"}"#,
        ])
    func noLines(text: String) { #expect(Self.parse(text) == nil) }

    @Test("Every form of time that RFC 3339 has is understood")
    func times() {
        for text in ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.1Z", "2026-01-02T05:04:05.25+02:00"] {
            let entry = Self.parse("{\"log\":\"x\",\"stream\":\"stderr\",\"time\":\"\(text)\"}")
            #expect(entry?.time == Timestamp(rfc3339: text))
            #expect(entry?.source == .stderr)
        }
    }

    @Test("The tail counts lines backwards over rotated files", arguments: 0...13)
    func tail(count: Int) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/log"
        try directory.write("log.2", (0..<4).map { Self.line("\($0)") }.joined())
        try directory.write("log.1", (4..<9).map { Self.line("\($0)") }.joined())
        try directory.write("log", (9..<12).map { Self.line("\($0)") }.joined())
        var request = LogRequest()
        request.tail = count
        #expect(try Self.read(path, request) == (max(0, 12 - count)..<12).map { "\($0)\n" })
    }

    @Test("Packed files count as the plain ones that they were, and a plain one beside its packed form counts once")
    func packed() throws {
        for packed in [["log.2"], ["log.1"], ["log.1", "log.2"]] {
            for keepsPlain in [false, true] {
                let directory = try TemporaryDirectory()
                let path = directory.path + "/log"
                try directory.write("log.2", (0..<4).map { Self.line("\($0)") }.joined())
                try directory.write("log.1", (4..<9).map { Self.line("\($0)") }.joined())
                try directory.write("log", (9..<12).map { Self.line("\($0)") }.joined())
                for name in packed { try directory.pack(name, keepingPlain: keepsPlain) }
                for count in 0...13 {
                    var request = LogRequest()
                    request.tail = count
                    #expect(try Self.read(path, request) == (max(0, 12 - count)..<12).map { "\($0)\n" })
                }
                #expect(try Self.read(path, LogRequest()).count == 12)
            }
        }
    }

    @Test("A log takes what all of its files take, packed or not")
    func total() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/log"
        #expect(LogFiles.totalBytes(path: path) == 0)
        for (name, count) in [("log", 7), ("log.1", 20), ("log.2", 300), ("log.3.gz", 4000), ("log.5", 50_000)] {
            try directory.write(name, String(repeating: "-", count: count))
        }
        try directory.write("log.9", "of a log whose files 6 to 8 are gone")
        #expect(LogFiles.totalBytes(path: path) == 54_327)
    }

    @Test("A packed file that is cut off is an error, but none for who wants later lines alone")
    func damaged() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/log"
        try directory.write("log.1", (0..<500).map { Self.line("\($0 &* 7919 % 1009)") }.joined())
        try directory.pack("log.1")
        try directory.write("log", Self.line("new"))
        truncate(path + ".1.gz", 200)
        #expect(throws: KernelError.self) { try Self.read(path, LogRequest()) }
        var request = LogRequest()
        request.tail = 1
        #expect(try Self.read(path, request) == ["new\n"])
    }

    @Test("A number that is missing hides nothing that is older")
    func gap() throws {
        let directory = try TemporaryDirectory()
        try directory.write("log.2", Self.line("old"))
        try directory.write("log", Self.line("new"))
        #expect(try Self.read(directory.path + "/log", LogRequest()) == ["old\n", "new\n"])
    }

    @Test("A line that a crash cut short is dropped, also where the file goes on after it")
    func truncated() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/log"
        try directory.write("log.1", Self.line("first") + "{\"log\":\"half")
        try directory.write("log", "{\"log\":\"torn" + Self.line("second") + "{\"log\":\"not yet")
        #expect(try Self.read(path, LogRequest()) == ["first\n", "second\n"])
        var request = LogRequest()
        request.tail = 2
        #expect(try Self.read(path, request) == ["second\n"])
    }

    @Test("Streams and times select lines")
    func selection() throws {
        let directory = try TemporaryDirectory()
        let text = (0..<6).map { Self.line("\($0)", stream: $0 % 2 == 0 ? "stdout" : "stderr", second: $0) }.joined()
        try directory.write("log", text)
        var request = LogRequest()
        request.stderr = false
        #expect(try Self.read(directory.path + "/log", request) == ["0\n", "2\n", "4\n"])
        request.stderr = true
        request.since = Timestamp(rfc3339: "2026-01-02T03:04:02.5Z")
        request.until = Timestamp(rfc3339: "2026-01-02T03:04:04.5Z")
        #expect(try Self.read(directory.path + "/log", request) == ["2\n", "3\n", "4\n"])
        #expect(try Self.read(directory.path + "/absent", LogRequest()) == [])
    }

    @Test(
        "A follower sees every line over rotations, then the end, also when the files are removed",
        arguments: [false, true])
    func follow(packing: Bool) async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/log"
        try directory.write("log", Self.line("0"))
        let (ends, ending) = AsyncStream.makeStream(of: Void.self)
        let over = EndOnce(ends)
        var request = LogRequest()
        request.follow = true
        let stream = try await LogStream.open(path: path, request: request) { await over.wait() }
        var seen: [String] = []
        var next = 1
        for try await entries in stream {
            seen += entries.map { String(decoding: $0.bytes.dropLast(), as: UTF8.self) }
            // Each time something was seen, more is written; every third time the file is rotated, twice at once.
            guard next <= 30, seen.count == next else { continue }
            if next % 3 == 0, next < 28 {
                try directory.rotate("log")
                try directory.write("log", Self.line("\(next)"))
                next += 1
                try directory.rotate("log")
                // The one that the follower has open, and the one that it has not seen.
                if packing { for name in ["log.1", "log.2"] { try directory.pack(name) } }
            }
            try directory.append("log", Self.line("\(next)"))
            next += 1
            if next > 30 {
                for name in ["log", "log.1", "log.2", "log.1.gz", "log.2.gz"] { unlink("\(directory.path)/\(name)") }
                ending.finish()
            }
        }
        #expect(seen == (0..<next).map(String.init))
    }

    @Test("A log that was replaced by a new file is read on from the new one's beginning")
    func replaced() throws {
        let directory = try TemporaryDirectory()
        try directory.write("log", Self.line("1") + Self.line("2"))
        var request = LogRequest()
        request.follow = true
        let reader = try LogReader(path: directory.path + "/log", request: request)
        func next() throws -> [String] {
            try reader.entries().map { String(decoding: $0.bytes.dropLast(), as: UTF8.self) }
        }
        #expect(try next() == ["1", "2"])
        try directory.append("log", Self.line("3"))
        try directory.remove(["log"])
        #expect(try next() == ["3"])
        #expect(try next() == [])
        try directory.write("log", Self.line("4"))
        #expect(try next() == ["4"])
    }

    @Test("A log that is not followed ends where it ended when it was asked for", arguments: [nil, 2])
    func unfollowed(tail: Int?) throws {
        let directory = try TemporaryDirectory()
        try directory.write("log.1", Self.line("1"))
        try directory.write("log", Self.line("2") + Self.line("3"))
        var request = LogRequest()
        request.tail = tail
        let reader = try LogReader(path: directory.path + "/log", request: request)
        try directory.append("log", Self.line("4"))
        var texts: [String] = []
        while case let entries = try reader.entries(), !entries.isEmpty {
            texts += entries.map { String(decoding: $0.bytes.dropLast(), as: UTF8.self) }
            try directory.append("log", Self.line("5"))
        }
        #expect(texts == (tail == nil ? ["1", "2", "3"] : ["2", "3"]))
    }

    @Test("A follower that nobody waits for any more ends with its task")
    func cancelled() async throws {
        let directory = try TemporaryDirectory()
        try directory.write("log", "")
        var request = LogRequest()
        request.follow = true
        let stream = try await LogStream.open(path: directory.path + "/log", request: request) {
            try? await ContinuousClock().sleep(for: .seconds(3600))  // Ends only when cancelled.
        }
        let task = Task { for try await _ in stream {} }
        task.cancel()
        await #expect(throws: (any Error).self) { try await task.value }
    }

    @Test("A hole before a line, and what is longer than any line, cost neither memory nor the lines around them")
    func holes() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/log"
        let file = OwnedDescriptor(try Descriptor.open(path, O_RDWR | O_CREAT, mode: 0o600))
        try file.descriptor.writeAll(Array(Self.line("first").utf8))
        try #require(
            ftruncate(file.descriptor.rawValue, 4 << 20) == 0 && lseek(file.descriptor.rawValue, 0, SEEK_END) > 0)
        try file.descriptor.writeAll(Array(Self.line("second").utf8))
        var request = LogRequest()
        request.follow = true
        let reader = try LogReader(path: path, request: request)
        func rest() throws -> [String] {
            var texts: [String] = []
            while case let entries = try reader.entries(), !entries.isEmpty {
                texts += entries.map { String(decoding: $0.bytes, as: UTF8.self) }
            }
            return texts
        }
        #expect(try rest() == ["first\n", "second\n"])
        #expect(reader.buffer.count < 1 << 20)
        try file.descriptor.writeAll([UInt8](repeating: 120, count: 40 << 20) + [10])
        try file.descriptor.writeAll(Array(Self.line("third").utf8))
        #expect(try rest() == ["third\n"])
        #expect(reader.buffer.count <= 16 << 20)
    }

    private static func read(_ path: String, _ request: LogRequest) throws -> [String] {
        let reader = try LogReader(path: path, request: request)
        var lines: [String] = []
        while case let entries = try reader.entries(), !entries.isEmpty {
            lines += entries.map { String(decoding: $0.bytes, as: UTF8.self) }
        }
        return lines
    }

    @Test("A follower of a log that somebody empties goes on with what is written then")
    func emptied() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/log"
        try directory.write("log", (1...3).map { Self.line("\($0)") }.joined())
        var request = LogRequest()
        request.follow = true
        let reader = try LogReader(path: path, request: request)
        func next() throws -> [String] {
            try reader.entries().map { String(decoding: $0.bytes.dropLast(), as: UTF8.self) }
        }
        #expect(try next() == ["1", "2", "3"])
        truncate(path, 0)
        #expect(try next() == [])
        try directory.append("log", Self.line("4") + "{\"log\":\"half")
        #expect(try next() == ["4"])
        truncate(path, 0)
        try directory.append("log", Self.line("5"))
        #expect(try next() == ["5"], "the half of a line that is gone comes before no other")
        #expect(try next() == [])
    }
}

/// Lets any number wait for the end of a stream, which itself has one consumer.
private final class EndOnce: Sendable {
    private let task: Task<Void, Never>

    init(_ stream: AsyncStream<Void>) { task = Task { for await _ in stream {} } }

    func wait() async {
        let (cancelled, cancel) = AsyncStream.makeStream(of: Void.self)
        let waiter = Task {
            await task.value
            cancel.finish()
        }
        await withTaskCancellationHandler {
            for await _ in cancelled {}
        } onCancel: {
            cancel.finish()
        }
        waiter.cancel()
    }
}

extension LogReader {
    /// The next entries that are wanted; none where no more is written now.
    fileprivate func entries() throws -> LogBatch {
        while let batch = try next() {
            if !batch.isEmpty { return batch }
        }
        return LogBatch()
    }
}
