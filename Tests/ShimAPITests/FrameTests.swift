import Testing

@testable import ShimAPI

@Suite struct FrameTests {
    static let requests: [ShimRequest] = [
        .hello(version: 1), .create, .start, .kill(execID: nil, signal: 9), .kill(execID: "e", signal: 15),
        .pause, .resume,
        .exec(
            ShimExec(
                id: "über", process: Array("{\"cwd\":\"/\"}".utf8), terminal: true, columns: 80, rows: 24, input: .once)
        ),
        .resize(execID: "x", columns: 65535, rows: 0),
        .attach(ShimAttach(execID: nil, stdin: true, stdout: false, stderr: true, replay: false)), .survey,
        .subscribe, .delete, .prepareExec(id: "e", terminal: true, input: .once),
        .prepareProcess(id: "e", process: Array("{}".utf8)),
    ]

    static let answers: [ShimAnswer] = [
        .hello(version: 1, shim: ShimProcess(pid: 17, startTicks: .max)), .done,
        .failed(ShimFailure(.commandNotFound, "exec: \"x\": not found")),
        .process(ShimProcess(pid: 1, startTicks: 0)), .facts(ShimFacts(status: .empty)),
        .facts(
            ShimFacts(
                status: .stopped, initial: ShimProcess(pid: 5, startTicks: 6),
                exit: ShimExit(code: 137, nanosecondsSinceEpoch: -1, oomKilled: true),
                execs: ["a": ShimProcess(pid: 8, startTicks: 9), "b": ShimProcess(pid: 10, startTicks: 11)])),
        .report(.exited(ShimExit(code: 0, nanosecondsSinceEpoch: 7))),
        .report(.execExited(id: "e", ShimExit(code: 3, nanosecondsSinceEpoch: 8))), .report(.outOfMemory),
    ]

    static let streams: [ShimStreamFrame] = [
        .stdin([1, 2]), .inputEnd, .stdout([]), .stderr([255]), .lost(byteCount: .max), .end,
        .inputSource, .sourceEnd, .outputTarget(ShimOutputHeads(stdout: [1, 0], stderr: [2])), .outputTurn,
        .outputTarget(ShimOutputHeads(stdout: [], stderr: [])),
    ]

    @Test("A request is read as it was written", arguments: requests)
    func request(_ request: ShimRequest) throws {
        #expect(try ShimRequest(request.frame(tag: 3)) == request)
    }

    @Test("An answer is read as it was written", arguments: answers)
    func answer(_ answer: ShimAnswer) throws {
        #expect(try ShimAnswer(answer.frame(tag: 3)) == answer)
    }

    @Test("A part of a stream is read as it was written", arguments: streams)
    func stream(_ part: ShimStreamFrame) throws {
        #expect(try ShimStreamFrame(part.frame) == part)
    }

    @Test("Every body that is cut short, or too long, is refused", arguments: requests)
    func truncatedRequest(_ request: ShimRequest) {
        let frame = request.frame(tag: 1)
        for count in 0..<frame.body.count {
            let cut = ShimFrame(kind: frame.kind, tag: 1, body: Array(frame.body.prefix(count)))
            #expect(throws: ShimFrameError.self) { try ShimRequest(cut) }
        }
        #expect(throws: ShimFrameError.self) {
            try ShimRequest(ShimFrame(kind: frame.kind, tag: 1, body: frame.body + [0]))
        }
    }

    @Test("Every answer that is cut short, or too long, is refused", arguments: answers)
    func truncatedAnswer(_ answer: ShimAnswer) {
        let frame = answer.frame(tag: 1)
        for count in 0..<frame.body.count {
            let cut = ShimFrame(kind: frame.kind, tag: 1, body: Array(frame.body.prefix(count)))
            #expect(throws: ShimFrameError.self) { try ShimAnswer(cut) }
        }
        #expect(throws: ShimFrameError.self) {
            try ShimAnswer(ShimFrame(kind: frame.kind, tag: 1, body: frame.body + [0]))
        }
    }

    @Test("Frames are cut the same from pieces of any size", arguments: [1, 2, 3, 7, 64, 100_000])
    func pieces(size: Int) throws {
        let frames =
            Self.requests.enumerated().map { $1.frame(tag: UInt32($0)) } + Self.streams.map(\.frame)
            + [ShimFrame(kind: 130, tag: 0, body: [UInt8](repeating: 7, count: 70000))]
        let bytes = frames.flatMap(\.bytes)
        var decoder = ShimFrameDecoder()
        var found: [ShimFrame] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            decoder.append(Array(bytes[start..<min(start + size, bytes.count)]))
            while let frame = try decoder.next() { found.append(frame) }
        }
        #expect(found == frames)
        #expect(!decoder.isInsideFrame)
    }

    @Test("Of a large frame what has come can be taken; the next begins behind its rest", arguments: [9, 10, 28])
    func begun(held: Int) throws {
        let small = ShimStreamFrame.stdin([1, 2]).frame
        let bytes = ShimStreamFrame.stdin([UInt8](repeating: 7, count: 20)).frame.bytes
        var decoder = ShimFrameDecoder()
        decoder.append(small.bytes + bytes[..<held])
        #expect(try decoder.takeBegun(kind: small.kind, atLeast: 20) == nil)
        #expect(try decoder.next() == small)
        #expect(try decoder.takeBegun(kind: small.kind, atLeast: 21) == nil)
        #expect(try decoder.takeBegun(kind: 130, atLeast: 20) == nil)
        let begun = try #require(try decoder.takeBegun(kind: small.kind, atLeast: 20))
        #expect(begun.bytes == [UInt8](repeating: 7, count: held - ShimFrame.headerSize))
        #expect(begun.missing == 20 - begun.bytes.count)
        #expect(!decoder.isInsideFrame)
        #expect(try decoder.takeBegun(kind: small.kind, atLeast: 0) == nil)
        decoder.append(small.bytes)
        #expect(try decoder.next() == small)
    }

    @Test("A size over the limit is refused before any of the body is held")
    func oversized() {
        var decoder = ShimFrameDecoder()
        decoder.append([0xFF, 0xFF, 0xFF, 0x7F, 1, 0, 0, 0, 0])
        #expect(throws: ShimFrameError.self) { try decoder.next() }
        #expect(ShimFrame.bodySize(behind: [0xFF, 0xFF, 0xFF, 0x7F, 1, 0, 0, 0, 0]) == nil)
        #expect(ShimFrame.bodySize(behind: [0, 0, 0x40, 0, 1, 0, 0, 0, 0]) == ShimFrame.bodyLimit)
        #expect(ShimFrame.bodySize(behind: [1, 0, 0x40, 0, 1, 0, 0, 0, 0]) == nil)
    }

    @Test("No random bytes crash the readers")
    func garbage() {
        var generator = SystemRandomNumberGenerator()
        var refused = 0
        for _ in 0..<5000 {
            let body = (0..<Int.random(in: 0..<40)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let frame = ShimFrame(kind: UInt8.random(in: 0...140), tag: 0, body: body)
            do { _ = try ShimRequest(frame) } catch { refused += 1 }
            do { _ = try ShimAnswer(frame) } catch { refused += 1 }
            do { _ = try ShimStreamFrame(frame) } catch { refused += 1 }
        }
        #expect(refused > 5000)
    }
}
