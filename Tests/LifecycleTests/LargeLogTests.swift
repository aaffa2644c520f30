import EngineAPI
import Glibc
import Linux
import Testing

@testable import Lifecycle

/// Logs of which little is wanted.
@Suite(.timeLimit(.minutes(5))) struct LargeLogTests {
    private let directory: TemporaryDirectory
    private var path: String { directory.path + "/log" }

    init() throws { directory = try TemporaryDirectory() }

    private static let start = Timestamp(nanosecondsSinceEpoch: 1_800_000_000_000_000_000)

    private static func time(_ second: Int) -> Timestamp { start.before(by: -Int64(second) * 1_000_000_000) }

    /// Lines of a second each, of some 250 bytes.
    private static func lines(_ seconds: Range<Int>) -> String {
        let filling = String(repeating: "x", count: 160)
        return seconds.map { second in
            "{\"log\":\"\(second) \(filling)\\n\",\"stream\":\"stdout\",\"time\":\"\(time(second).rfc3339Nano)\"}\n"
        }.joined()
    }

    private func numbers(_ reader: LogReader) throws -> [Int] {
        var found: [Int] = []
        while let batch = try reader.next() {
            found += batch.compactMap { Int(String(decoding: $0.bytes.prefix { $0 != 32 }, as: UTF8.self)) }
        }
        return found
    }

    @Test(
        "What was written before the time asked for is not read", arguments: [0, 1, 299, 5000, 19_000, 19_999, 20_000])
    func since(second: Int) throws {
        try directory.write("log", Self.lines(0..<20_000))
        var request = LogRequest()
        request.since = Self.time(second)
        let reader = try LogReader(path: path, request: request)
        var turns = 0
        var found: [Int] = []
        while let batch = try reader.next() {
            turns += 1
            found += batch.compactMap { Int(String(decoding: $0.bytes.prefix { $0 != 32 }, as: UTF8.self)) }
        }
        #expect(found == Array(second..<20_000))
        // Some 250 bytes a line and 128 KiB a turn: of more than five minutes before nothing is looked at.
        #expect(turns <= (20_000 - second + 300) * 300 / (1 << 17) + 4)
    }

    @Test("A file of long ago is not even unpacked for later lines; the one in which the time lies is")
    func oldFiles() throws {
        try directory.write("log.2", Self.lines(0..<1000))
        try directory.pack("log.2")
        truncate(path + ".2.gz", 200)
        try directory.write("log.1", Self.lines(1000..<2000))
        try directory.write("log", Self.lines(2000..<3000))
        for (name, second) in [("log.2.gz", 1000), ("log.1", 2000)] {
            let time = timespec(tv_sec: Int(Self.time(second).secondsSinceEpoch), tv_nsec: 0)
            try kernelCall("utimensat") { utimensat(AT_FDCWD, "\(directory.path)/\(name)", [time, time], 0) }
        }
        var request = LogRequest()
        request.since = Self.time(1500)
        #expect(try numbers(try LogReader(path: path, request: request)) == Array(1500..<3000))
        request.since = Self.time(500)
        #expect(throws: KernelError.self) { try numbers(try LogReader(path: path, request: request)) }
    }

    @Test("A clock that was set back by a minute hides no line")
    func clockSetBack() throws {
        try directory.write("log", Self.lines(0..<5000) + Self.lines(4940..<6000))
        var request = LogRequest()
        request.since = Self.time(4990)
        let found = try numbers(try LogReader(path: path, request: request))
        #expect(found == Array(4990..<5000) + Array(4990..<6000))
    }

    @Test("Of a log without a wanted line a reader gives its thread back after each piece")
    func pieces() throws {
        try directory.write("log", Self.lines(0..<20_000))
        var request = LogRequest()
        request.stdout = false
        let reader = try LogReader(path: path, request: request)
        var turns = 0
        while let batch = try reader.next() {
            #expect(batch.isEmpty)
            turns += 1
        }
        #expect(turns >= 20)
    }

    @Test("Lines are counted backwards piece by piece, too, also where there are fewer than are wanted")
    func tailInPieces() throws {
        try directory.write("log.1", Self.lines(0..<9000))
        for count in [5, 12_000, 1_000_000] {
            try directory.write("log", Self.lines(9000..<20_000))
            var request = LogRequest()
            request.tail = count
            let reader = try LogReader(path: path, request: request)
            // What is written from here on is none of the last lines.
            try directory.append("log", Self.lines(20_000..<20_001))
            var (searching, found) = (0, [Int]())
            while let batch = try reader.next() {
                if found.isEmpty, batch.isEmpty { searching += 1 }
                found += batch.compactMap { Int(String(decoding: $0.bytes.prefix { $0 != 32 }, as: UTF8.self)) }
            }
            #expect(found == Array(max(0, 20_000 - count)..<20_000))
            #expect(searching >= (count == 5 ? 1 : 10))
        }
    }

    @Test("Who has left while nothing wanted was found is not read for any longer")
    func cancelled() async throws {
        try directory.write("log", Self.lines(0..<20_000))
        var request = LogRequest()
        request.stdout = false
        let stream = try await LogStream.open(path: path, request: request) {
            try? await ContinuousClock().sleep(for: .seconds(3600))  // Ends only when cancelled.
        }
        let task = Task { try await stream.next() }
        task.cancel()
        await #expect(throws: (any Error).self) { try await task.value }
    }

    @Test("All followers share one instance of inotify, and see what is written to their own log")
    func followers() async throws {
        let count = 24
        var streams: [EngineStream<LogBatch>] = []
        var directories: [TemporaryDirectory] = []
        for _ in 0..<count {
            let one = try TemporaryDirectory()
            try one.write("log", "")
            var request = LogRequest()
            request.follow = true
            directories.append(one)
            streams.append(
                try await LogStream.open(path: one.path + "/log", request: request) {
                    try? await ContinuousClock().sleep(for: .seconds(3600))  // Ends only when cancelled.
                })
        }
        let instances = try Directory.list("/proc/self/fd").filter { number in
            var target = [CChar](repeating: 0, count: 256)
            guard readlink("/proc/self/fd/\(number)", &target, 255) > 0 else { return false }
            return String(decoding: target.map { UInt8(bitPattern: $0) }, as: UTF8.self).contains("inotify")
        }
        // One for all, and one of a test beside this.
        #expect((1...2).contains(instances.count))
        let waiting = streams.map { stream in Task { try await stream.next() } }
        for (number, one) in directories.enumerated() { try one.append("log", Self.lines(number..<number + 1)) }
        for (number, task) in waiting.enumerated() {
            let batch = try #require(try await task.value)
            #expect(batch.map(\.time) == [Self.time(number)])
        }
        streams = []
    }

    @Test(
        "Changes are told while somebody looks, of a directory that is gone as well"
    )
    func directoryChanges() async throws {
        let changes = DirectoryChanges()
        var first: DirectoryChanges.Watch? = try changes.watch(directory.path)
        let second = try changes.watch(directory.path)
        var generation = second.signal.generation
        first = nil
        try directory.append("log", "a")
        await second.signal.wait(after: generation)
        let place = directory.path + "/below"
        try Directory.create(place)
        let below = try changes.watch(place)
        generation = below.signal.generation
        rmdir(place)
        await below.signal.wait(after: generation)
        _ = first
        #expect(throws: KernelError.self) { try changes.watch(place) }
    }
}
