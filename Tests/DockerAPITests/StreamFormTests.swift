import EngineAPI
import Testing

@testable import DockerAPI

@Suite struct StreamFormTests {
    @Test("Frames come out whole, whatever pieces they arrive in", arguments: [1, 2, 3, 7, 8, 9, 1000])
    func pieces(length: Int) throws {
        let bytes =
            StreamFrame.encode(.stdout, [1, 2, 3]) + StreamFrame.encode(.stderr, [])
            + StreamFrame.encode(.stderr, [UInt8](repeating: 9, count: 300))
        var demultiplexer = StreamDemultiplexer()
        var frames: [StreamDemultiplexer.Frame] = []
        for start in stride(from: 0, to: bytes.count, by: length) {
            frames += try demultiplexer.feed(Array(bytes[start..<min(start + length, bytes.count)]))
        }
        #expect(frames.map(\.channel) == [.stdout, .stderr, .stderr])
        #expect(frames.map(\.bytes.count) == [3, 0, 300])
        #expect(!demultiplexer.isInsideFrame)
    }

    @Test(
        "What is no frame is refused",
        arguments: [[9, 0, 0, 0, 0, 0, 0, 1], [1, 0, 0, 0, 255, 255, 255, 255]] as [[UInt8]])
    func garbage(bytes: [UInt8]) {
        var demultiplexer = StreamDemultiplexer()
        #expect(throws: StreamDemultiplexer.Failure.self) { try demultiplexer.feed(bytes) }
    }

    @Test(
        "Detach keys are read in docker's grammar",
        arguments: [
            ("", [16, 17]), ("ctrl-p,ctrl-q", [16, 17]), ("a,b", [97, 98]), ("ctrl-@,ctrl-[", [0, 27]),
            ("ctrl-_", [31]),
        ] as [(String, [UInt8])])
    func detachGrammar(text: String, bytes: [UInt8]) throws { #expect(try DetachKeys(parsing: text).bytes == bytes) }

    @Test("Wrong detach keys are refused", arguments: ["ctrl-", "ab", "ctrl-1", "a,,b", "ctrl-A"])
    func wrongDetachKeys(text: String) {
        #expect(throws: EngineError.self) { try DetachKeys(parsing: text) }
    }

    @Test("The detach keys end the input; what only looks like them is passed on")
    func detaching() throws {
        let keys = try DetachKeys(parsing: nil)
        func run(_ pieces: [[UInt8]]) -> ([UInt8], Bool) {
            var scanner = DetachScanner(keys)
            var passed: [UInt8] = []
            for piece in pieces {
                let (forward, isDetached) = scanner.feed(piece)
                passed += forward
                if isDetached { return (passed, true) }
            }
            return (passed + scanner.finish(), false)
        }
        #expect(run([[97, 16, 17, 98]]) == ([97], true))
        #expect(run([[97, 16], [17]]) == ([97], true))
        #expect(run([[16], [98]]) == ([16, 98], false))
        #expect(run([[16, 16, 17]]) == ([16], true))
        #expect(run([[16]]) == ([16], false))
        #expect(run([[17, 16, 97, 17]]) == ([17, 16, 97, 17], false))
    }

    @Test("Log entries come back as they were", arguments: [true, false])
    func logs(isFramed: Bool) throws {
        let entries = (0..<5).map { index in
            LogEntry(
                time: Timestamp(nanosecondsSinceEpoch: 1_700_000_000_000_000_000 + Int64(index)),
                source: isFramed && index % 2 == 1 ? .stderr : .stdout,
                bytes: Array("line \(index)\n".utf8))
        }
        let bytes = LogEncoder(isFramed: isFramed, hasTimes: true).encode(LogBatch(entries))
        for length in [1, 5, 1000] {
            var decoder = LogDecoder(isFramed: isFramed)
            var back: [LogEntry] = []
            for start in stride(from: 0, to: bytes.count, by: length) {
                back += try decoder.feed(Array(bytes[start..<min(start + length, bytes.count)]))
            }
            #expect(back + decoder.finish() == entries)
        }
    }

    /// Two of one stream, three of the other, and so on, the last of them longer than a frame may be.
    private static let mixed = LogBatch(
        ["o a", "o b", "e c", "e d", "e e", "o " + String(repeating: "f", count: 40_000), "o g"].enumerated().map {
            LogEntry(
                time: Timestamp(nanosecondsSinceEpoch: 1_700_000_000_000_000_000 + Int64($0)),
                source: $1.first == "o" ? .stdout : .stderr, bytes: Array(($1 + "\n").utf8))
        })

    @Test(
        "Lines of one stream in a row share a frame where frames are only copied, in their order",
        arguments: [false, true])
    func joinedLines(hasTimes: Bool) throws {
        func frames(joinsLines: Bool) throws -> [StreamDemultiplexer.Frame] {
            var demultiplexer = StreamDemultiplexer()
            let encoder = LogEncoder(isFramed: true, hasTimes: hasTimes, joinsLines: joinsLines)
            return try demultiplexer.feed(encoder.encode(Self.mixed))
        }
        let (joined, apart) = (try frames(joinsLines: true), try frames(joinsLines: false))
        #expect(joined.map(\.channel) == [.stdout, .stderr, .stdout, .stdout])
        #expect(joined.map { $0.bytes.count { $0 == 10 } } == [2, 3, 1, 1])
        #expect(apart.map(\.channel) == Self.mixed.map { $0.source == .stdout ? .stdout : .stderr })
        #expect(joined.flatMap(\.bytes) == apart.flatMap(\.bytes))
    }

    @Test("Without times a line that begins with one keeps it, and frames of many lines are taken as they are")
    func withoutTimes() throws {
        let text = Array("2026-01-02T03:04:05Z said\nmore\n".utf8)
        let entries = LogBatch([LogEntry(time: Timestamp(nanosecondsSinceEpoch: 0), source: .stdout, bytes: text)])
        for isFramed in [true, false] {
            var decoder = LogDecoder(isFramed: isFramed, hasTimes: false)
            let bytes = LogEncoder(isFramed: isFramed, hasTimes: false, joinsLines: true).encode(entries)
            #expect(try decoder.feed(bytes) == entries)
            #expect(decoder.finish().isEmpty)
        }
    }

    @Test("Pieces of a terminal's line, each with docker's time before it, come back apart; a program's own times stay")
    func pieces() throws {
        func time(_ second: Int) -> String { "2026-01-02T03:04:0\(second).000000000Z" }
        let own = "at 2026-01-02T03:04:05Z and 2026-01-02T03:04:01.123456789Z "
        let text = "\(time(2)) / # \(time(3)) ls\r\n\(time(4)) \(time(5)) \(own)\n\(time(6)) $ "
        for length in [1, 7, 1000] {
            var decoder = LogDecoder(isFramed: false)
            var entries: [LogEntry] = []
            let bytes = Array(text.utf8)
            for start in stride(from: 0, to: bytes.count, by: length) {
                entries += try decoder.feed(Array(bytes[start..<min(start + length, bytes.count)]))
            }
            entries += decoder.finish()
            let texts = entries.map { String(decoding: $0.bytes, as: UTF8.self) }
            #expect(texts == ["/ # ", "ls\r\n", "\(time(5)) \(own)\n", "$ "])
            #expect(entries.map { $0.time.secondsSinceEpoch % 60 } == [2, 3, 4, 6])
        }
    }

    @Test("What a log says of a line stands before it, in docker's form, and comes back", arguments: [true, false])
    func logDetails(isFramed: Bool) throws {
        let entries = [
            LogEntry(
                time: Timestamp(nanosecondsSinceEpoch: 1_700_000_000_000_000_000), source: .stdout,
                bytes: Array("hi\n".utf8), attributes: ["k": "v", "E": "a b,c=d"]),
            LogEntry(
                time: Timestamp(nanosecondsSinceEpoch: 1_700_000_000_000_000_001), source: .stdout,
                bytes: Array("plain text\n".utf8)),
        ]
        let text = String(
            decoding: LogEncoder(isFramed: false, hasTimes: false, hasDetails: true).encode(LogBatch(entries)),
            as: UTF8.self)
        #expect(text == "E=a+b%2Cc%3Dd,k=v hi\n plain text\n")
        let bytes = LogEncoder(isFramed: isFramed, hasTimes: true, hasDetails: true).encode(LogBatch(entries))
        var decoder = LogDecoder(isFramed: isFramed, hasDetails: true)
        #expect(Array(try decoder.feed(bytes)) + decoder.finish() == entries)
    }

    @Test("Lines are cut out of pieces, empty ones left out")
    func lines() {
        var splitter = LineSplitter()
        var lines: [[UInt8]] = []
        for byte in "ab\r\n\n\ncd\ne".utf8 { lines += splitter.feed([byte]) }
        #expect(lines.map { String(decoding: $0, as: UTF8.self) } == ["ab", "cd"])
        #expect(splitter.finish() == [101])
    }
}
