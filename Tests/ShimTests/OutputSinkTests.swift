import Glibc
import Linux
import ShimAPI
import Testing

@testable import Shim

@Suite struct OutputSinkTests {
    /// A client's connection, with the client's own end.
    private final class Bench {
        let loop: EventLoop
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
            (client, target) = try UnixSocket.pair()
            if let sendBuffer { try UnixSocket.setSendBuffer(target, byteCount: sendBuffer) }
            for end in [client, target] { try end.setNonBlocking() }
        }

        func send(_ bytes: [UInt8], _ kind: OutputKind) { bytes.withUnsafeBytes { sink.send($0, kind) } }

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

    @Test("Output goes on behind its head, whichever stream's")
    func pieces() throws {
        let bench = try Bench()
        defer { bench.sink.close() }
        let bytes = Self.bytes(90_000)
        bench.send(bytes, .stderr)
        bench.send([7, 8, 9], .stdout)
        try bench.receive()
        #expect(!bench.sink.isBehind)
        #expect(bench.received == Self.piece(2, bytes) + Self.piece(1, [7, 8, 9]))
        bench.client.close()
    }

    @Test("Without heads bytes come one behind the other")
    func plain() throws {
        let bench = try Bench(ShimOutputHeads(stdout: [], stderr: []))
        defer { bench.sink.close() }
        let bytes = Self.bytes(20_000)
        bench.send(bytes, .stdout)
        bench.send(Array(bytes[..<10]), .stderr)
        try bench.receive()
        #expect(bench.received == bytes + bytes[..<10])
        bench.client.close()
    }

    @Test("What a client does not read yet is kept for it, and comes whole and in order")
    func slowClient() throws {
        let bench = try Bench(sendBuffer: 32 << 10)
        defer { bench.sink.close() }
        let bytes = Self.bytes(413_216)
        bench.send(bytes, .stdout)
        #expect(bench.sink.isBehind)
        bench.send([5], .stderr)
        let sink = bench.sink
        try bench.receive { if !sink.isBehind { bench.loop.end() } }
        #expect(bench.received == Self.piece(1, bytes) + Self.piece(2, [5]))
        // From here on nothing waits any more.
        bench.send([6], .stdout)
        #expect(!bench.sink.isBehind)
        try bench.receive()
        #expect(bench.received.suffix(7) == Self.piece(1, [6])[...])
        bench.client.close()
    }

    @Test("A client that is gone holds nothing up: what comes is dropped")
    func gone() throws {
        signal(SIGPIPE, SIG_IGN)
        let bench = try Bench(sendBuffer: 32 << 10)
        defer { bench.sink.close() }
        bench.send(Self.bytes(300_000), .stdout)
        #expect(bench.sink.isBehind)
        bench.client.close()
        bench.onRoom = { bench.loop.end() }
        try bench.loop.run()
        #expect(!bench.sink.isBehind)
        bench.send([5], .stderr)
        #expect(!bench.sink.isBehind)
    }
}
