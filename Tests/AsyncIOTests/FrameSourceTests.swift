import Glibc
import Linux
import Testing

@testable import AsyncIO

@Suite(.timeLimit(.minutes(1))) struct FrameSourceTests {
    /// Frames with a head of a kind and two bytes of length.
    private struct Stream {
        let peer: Descriptor
        let frames: FrameSource

        init(after early: [UInt8] = []) throws {
            let (near, far) = try UnixSocket.pair()
            peer = far
            frames = FrameSource(try AsyncSocket(near), headSize: 3, after: early) { head in
                head[0] == 255 ? nil : Int(head[1]) << 8 | Int(head[2])
            }
        }

        static func frame(_ kind: UInt8, _ body: [UInt8]) -> [UInt8] {
            [kind, UInt8(body.count >> 8), UInt8(body.count & 255)] + body
        }

        /// All frames up to the end, whole.
        func all() async throws -> [[UInt8]] {
            var whole: [[UInt8]] = []
            var open: [UInt8]?
            while case .bytes(let bytes, let head, let isLast) = try await frames.next() {
                open = (open ?? head) + bytes
                if isLast, let frame = open {
                    whole.append(frame)
                    open = nil
                }
            }
            #expect(open == nil)
            return whole
        }
    }

    private static let sent = [
        Stream.frame(1, [7]), Stream.frame(2, []), Stream.frame(3, Array(repeating: 9, count: 65535)),
        Stream.frame(4, [1, 2, 3, 4]), Stream.frame(5, []), Stream.frame(6, Array(0..<255)),
    ]

    @Test("Frames are the same in whatever pieces they come", arguments: [1, 2, 3, 4, 5, 1000, 200_000])
    func pieces(size: Int) async throws {
        let bytes = Self.sent.flatMap { $0 }
        let stream = try Stream()
        async let received = stream.all()
        for start in stride(from: 0, to: bytes.count, by: size) {
            try stream.peer.sendAll(Array(bytes[start..<min(start + size, bytes.count)]))
        }
        stream.peer.close()
        #expect(try await received == Self.sent)
    }

    @Test("What came before the frames were read here is the beginning of them", arguments: [1, 3, 4, 7, 70_000])
    func early(count: Int) async throws {
        let bytes = Self.sent.flatMap { $0 }
        let split = min(count, bytes.count)
        let stream = try Stream(after: Array(bytes[..<split]))
        async let received = stream.all()
        try stream.peer.sendAll(Array(bytes[split...]))
        stream.peer.close()
        #expect(try await received == Self.sent)
    }

    @Test("A part of a body is given before the rest has come")
    func parts() async throws {
        let stream = try Stream()
        try stream.peer.sendAll([1, 0, 5, 10, 11])
        guard case .bytes([10, 11], [1, 0, 5], false) = try await stream.frames.next() else {
            Issue.record("no part of the body")
            return
        }
        try stream.peer.sendAll([12, 13, 14, 2])
        guard case .bytes([12, 13, 14], [1, 0, 5], true) = try await stream.frames.next() else {
            Issue.record("not the rest of it")
            return
        }
        stream.peer.close()
    }

    @Test("What is no head is told, with all that came before it")
    func malformed() async throws {
        let stream = try Stream()
        try stream.peer.sendAll(Stream.frame(1, [1]) + [255, 0, 0])
        guard case .bytes([1], _, true) = try await stream.frames.next(),
            case .malformed([255, 0, 0]) = try await stream.frames.next()
        else {
            Issue.record("taken for a frame")
            return
        }
        stream.peer.close()
    }

    @Test("A reader that is cancelled leaves the source as it was")
    func cancelled() async throws {
        let stream = try Stream()
        let reading = Task { try await stream.frames.next() }
        reading.cancel()
        await #expect(throws: KernelError.self) { try await reading.value }
        try stream.peer.sendAll(Stream.frame(1, [5]))
        guard case .bytes([5], _, true) = try await stream.frames.next() else {
            Issue.record("a frame is lost")
            return
        }
        stream.peer.close()
    }

    @Test("A task on the waiting thread leaves it to others where it waits, and where it lets them have their turn")
    func waitingThread() async throws {
        let (near, far) = try UnixSocket.pair()
        let (first, second) = (try AsyncSocket(near), try AsyncSocket(far))
        async let echo: Void = AsyncSocket.onWaitingThread {
            do {
                while case let bytes = try await first.read(), !bytes.isEmpty { try await first.write(bytes) }
            } catch { Issue.record("\(error)") }
            first.close()
        }
        await AsyncSocket.onWaitingThread {
            do {
                for round in 0..<100 {
                    try await second.write([UInt8(round)])
                    if round.isMultiple(of: 7) { await Task.yield() }
                    #expect(try await second.read() == [UInt8(round)])
                }
                second.close()
            } catch { Issue.record("\(error)") }
        }
        await echo
    }
}
