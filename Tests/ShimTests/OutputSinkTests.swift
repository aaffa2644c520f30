import Glibc
import Linux
import ShimAPI
import Testing

@testable import Shim

@Suite struct OutputSinkTests {
    /// A process's pipe, and a client's connection with the client's own end.
    private final class Bench {
        let loop: EventLoop
        let writing: Descriptor
        let pipe: Descriptor
        let client: Descriptor
        private let target: Descriptor
        /// What the client has read.
        private(set) var received: [UInt8] = []
        var onRoom: () -> Void = {}
        private(set) lazy var sink = OutputSink(loop, target, heads) { [unowned self] in onRoom() }
        private let heads: ShimOutputHeads

        init(
            _ heads: ShimOutputHeads = ShimOutputHeads(stdout: [1, 0], stderr: [2, 0]), sendBuffer: Int32? = nil
        ) throws {
            self.heads = heads
            loop = try EventLoop()
            (pipe, writing) = try Descriptor.pipe()
            try pipe.setPipeSize(byteCount: 512 << 10)
            try pipe.setNonBlocking()
            (client, target) = try UnixSocket.pair()
            if let sendBuffer { try UnixSocket.setSendBuffer(target, byteCount: sendBuffer) }
            for end in [client, target] { try end.setNonBlocking() }
        }

        func close() {
            sink.close()
            for descriptor in [pipe, writing] { descriptor.close() }
        }

        /// Takes what lies in the client's socket.
        func receive() throws {
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            do throws(KernelError) {
                while case let count = try client.read(into: &buffer), count > 0 { received += buffer[..<count] }
            } catch { guard error.errno == .wouldBlock else { throw error } }
        }

        /// Lets the client read on until `body`, which is called whenever the sink has room, ends the loop.
        func receive(_ body: @escaping () -> Void) throws {
            onRoom = body
            readOn()
            try loop.run()
            try receive()
        }

        private func readOn() {
            loop.after(milliseconds: 1) { [self] in
                // Its failure shows in what has not come.
                try? receive()
                readOn()
            }
        }
    }

    private static func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 / 253) } }

    private static func piece(_ kind: UInt8, _ bytes: some Collection<UInt8>) -> [UInt8] {
        [kind, 0, 0, UInt8(bytes.count >> 16), UInt8(bytes.count >> 8 & 255), UInt8(bytes.count & 255)] + bytes
    }

    @Test("Much output goes on in pieces behind their heads, little is to be read")
    func pieces() throws {
        let bench = try Bench()
        defer { bench.close() }
        let bytes = Self.bytes(90_000)
        try bench.writing.writeAll(bytes)
        #expect(bench.sink.pass(from: bench.pipe, .stderr) == .moved)
        try bench.receive()
        #expect(bench.received == Self.piece(2, bytes[..<65536]) + Self.piece(2, bytes[65536...]))
        try bench.writing.writeAll([7, 8, 9])
        #expect(bench.sink.pass(from: bench.pipe, .stdout) == .notByThis)
        [UInt8]([7, 8, 9]).withUnsafeBytes { bench.sink.send($0, .stdout) }
        try bench.receive()
        #expect(bench.received.suffix(9) == Self.piece(1, [7, 8, 9])[...])
        bench.client.close()
    }

    @Test("Without heads bytes come one behind the other")
    func plain() throws {
        let bench = try Bench(ShimOutputHeads(stdout: [], stderr: []))
        defer { bench.close() }
        let bytes = Self.bytes(20_000)
        try bench.writing.writeAll(bytes)
        #expect(bench.sink.pass(from: bench.pipe, .stdout) == .moved)
        bytes[..<10].withUnsafeBytes { bench.sink.send($0, .stderr) }
        try bench.receive()
        #expect(bench.received == bytes + bytes[..<10])
        bench.client.close()
    }

    @Test("A client that does not read is waited for, and gets a piece to its end before anything else")
    func slowClient() throws {
        let bench = try Bench(sendBuffer: 32 << 10)
        defer { bench.close() }
        let bytes = Self.bytes(413_216)
        try bench.writing.writeAll(bytes)
        #expect(bench.sink.pass(from: bench.pipe, .stdout) == .noRoom)
        #expect(bench.sink.isBehind)
        #expect(bench.sink.pass(from: bench.pipe, .stdout) == .noRoom)
        var expected: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 65536) {
            expected += Self.piece(1, bytes[start..<min(start + 65536, bytes.count)])
        }
        let (sink, pipe) = (bench.sink, bench.pipe)
        try bench.receive {
            while sink.pass(from: pipe, .stdout) == .moved {}
            if !sink.isBehind { bench.loop.end() }
        }
        #expect(bench.received == expected)
        bench.client.close()
    }

    @Test("What is on its way is taken out of a pipe that is to be read: nothing is lost, or comes twice")
    func completed() throws {
        let bench = try Bench(sendBuffer: 32 << 10)
        defer { bench.close() }
        let bytes = Self.bytes(300_000)
        try bench.writing.writeAll(bytes)
        #expect(bench.sink.pass(from: bench.pipe, .stdout) == .noRoom)
        bench.sink.complete()
        var rest = [UInt8](repeating: 0, count: 1 << 20)
        let count = try bench.pipe.read(into: &rest)
        rest[..<count].withUnsafeBytes { bench.sink.send($0, .stdout) }
        [UInt8]([5]).withUnsafeBytes { bench.sink.send($0, .stderr) }
        try bench.receive { bench.loop.end() }
        let direct = bytes.count - count
        var expected: [UInt8] = []
        for start in stride(from: 0, to: direct, by: 65536) {
            expected += Self.piece(1, bytes[start..<min(start + 65536, direct)])
        }
        #expect(direct.isMultiple(of: 65536) && direct > 0)
        #expect(bench.received == expected + Self.piece(1, bytes[direct...]) + Self.piece(2, [5]))
        bench.client.close()
    }

    @Test("A client that is gone holds nothing up: what comes is to be read, and is dropped")
    func gone() throws {
        signal(SIGPIPE, SIG_IGN)
        let bench = try Bench(sendBuffer: 32 << 10)
        defer { bench.close() }
        try bench.writing.writeAll(Self.bytes(300_000))
        #expect(bench.sink.pass(from: bench.pipe, .stdout) == .noRoom)
        bench.client.close()
        bench.onRoom = { bench.loop.end() }
        try bench.loop.run()
        #expect(!bench.sink.isBehind)
        #expect(bench.sink.pass(from: bench.pipe, .stdout) == .notByThis)
        [UInt8]([5]).withUnsafeBytes { bench.sink.send($0, .stderr) }
        #expect(!bench.sink.isBehind)
    }
}
