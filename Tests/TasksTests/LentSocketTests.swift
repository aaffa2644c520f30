import AsyncIO
import EngineAPI
import Glibc
import Linux
import Testing

@testable import Tasks

/// Input that a shim reads from a socket which it is lent.
@Suite(
    .serialized, .timeLimit(.minutes(2)),
    .enabled(if: TaskBench.missing == nil, "needs root, busybox-static and gantry-shim beside the tests"))
struct LentSocketTests {
    /// A client's connection: its own end, and the engine's, which is lent.
    private struct Connection {
        let client: AsyncSocket
        let own: AsyncSocket

        init() throws {
            let (near, far) = try UnixSocket.pair()
            (client, own) = (try AsyncSocket(near), try AsyncSocket(far))
        }

        var lent: LentSocket {
            let own = own
            return LentSocket { try? own.duplicate() }
        }
    }

    private func started(_ bench: TaskBench, _ spec: TaskSpec) async throws -> any AttachedStream {
        var spec = spec
        spec.input = .open
        _ = try await bench.service.create(spec)
        let stream = try await bench.service.attach("a", execID: nil, AttachRequest(stdin: true))
        try await bench.service.start("a")
        return stream
    }

    private static func bytes(_ count: Int, _ factor: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* factor) }
    }

    @Test("It comes behind what was written before, whole and in order, and its end is the input's")
    func order() async throws {
        try await TaskBench.with { bench in
            let stream = try await started(bench, try bench.spec("a", ["/bin/cat"]))
            let connection = try Connection()
            let (first, second) = (Self.bytes(150_000, 7), Self.bytes(3_000_000, 11))
            async let received = bench.all(stream)
            try await stream.write(first)
            async let taking = stream.takeInput(from: connection.lent)
            for start in stride(from: 0, to: second.count, by: 70_001) {
                try await connection.client.write(Array(second[start..<min(start + 70_001, second.count)]))
            }
            try connection.client.closeOutput()
            let isTaken = try await taking
            #expect(isTaken)
            let all = try await received
            #expect(all.stdout == first + second)
            #expect(try await bench.exit(of: "a").code == 0)
        }
    }

    @Test("Who is gone without having ended it has given all the same, and does not end the input")
    func gone() async throws {
        try await TaskBench.with { bench in
            let stream = try await started(bench, try bench.spec("a", ["/bin/cat"]))
            let connection = try Connection()
            async let received = bench.all(stream)
            async let taking = stream.takeInput(from: connection.lent)
            try await connection.client.write(Self.bytes(200_000, 3))
            connection.client.close()
            let isTaken = try await taking
            #expect(isTaken)
            try await stream.write([1, 2, 3])
            try await stream.closeInput()
            let all = try await received
            #expect(all.stdout == Self.bytes(200_000, 3) + [1, 2, 3])
            #expect(try await bench.exit(of: "a").code == 0)
        }
    }

    @Test("A stream that is closed keeps no client connected, and the process's input stays open")
    func closed() async throws {
        try await TaskBench.with { bench in
            let stream = try await started(bench, try bench.spec("a", ["/bin/cat"]))
            let connection = try Connection()
            async let taking = stream.takeInput(from: connection.lent)
            try await connection.client.write([65, 10])
            #expect(try await bench.read(stream, until: "A\n") == "A\n")
            await stream.close()
            let isTaken = try await taking
            #expect(isTaken)
            connection.own.close()
            #expect(try await connection.client.read() == [])
            let next = try await bench.service.attach("a", execID: nil, AttachRequest(stdin: true))
            try await next.write([66, 10])
            try await next.closeInput()
            #expect(try await bench.exit(of: "a").code == 0)
            #expect(try bench.text("a") == "A\nB\n")
            await next.close()
        }
    }

    @Test("What a client has sent that is gone reaches a process that is late, though nobody is attached any more")
    func late() async throws {
        try await TaskBench.with { bench in
            let script = "while ! test -e /tmp/go; do sleep 0.1; done; exec head -c 60000"
            let stream = try await started(bench, try bench.sh("a", script))
            let connection = try Connection()
            let (lent, tellLent) = AsyncStream.makeStream(of: Void.self)
            let socket = LentSocket {
                defer { tellLent.finish() }
                return connection.lent.duplicate()
            }
            async let taking = stream.takeInput(from: socket)
            // Closed before, there would be nothing to lend.
            for await _ in lent {}
            // More pieces than a pipe has places for, and fewer than a socket holds.
            for number in 0..<60 { try await connection.client.write([UInt8](repeating: UInt8(number), count: 1000)) }
            connection.client.close()
            connection.own.close()
            await stream.close()
            let isTaken = try await taking
            #expect(isTaken)
            try FileContents.replace("\(bench.root)/bundles/a/rootfs/tmp/go", with: [], durable: false)
            #expect(try await bench.exit(of: "a").code == 0)
            #expect(Array(try bench.text("a").utf8) == (0..<60).flatMap { [UInt8](repeating: $0, count: 1000) })
        }
    }

    @Test(
        "A process that closes its input, or ends, holds no client up", arguments: ["exec 0</dev/null; sleep 1000", ""])
    func unwanted(rest: String) async throws {
        try await TaskBench.with { bench in
            let stream = try await started(bench, try bench.sh("a", "head -c 100000 >/dev/null; \(rest)"))
            let connection = try Connection()
            async let taking = stream.takeInput(from: connection.lent)
            async let received = bench.all(stream)
            if rest.isEmpty {
                // Held up until the engine, which is told of the end, lets go of the connection.
                async let writing: Void? = try? connection.client.write([UInt8](repeating: 1, count: 3_000_000))
                #expect(try await bench.exit(of: "a").code == 0)
                _ = try await received
                let isTaken = try await taking
                #expect(isTaken)
                connection.own.close()
                _ = await writing
            } else {
                try await connection.client.write([UInt8](repeating: 1, count: 3_000_000))
                try connection.client.closeOutput()
                let isTaken = try await taking
                #expect(isTaken)
                try await bench.service.kill("a", execID: nil, signal: 9)
                #expect(try await bench.exit(of: "a").code == 137)
                _ = try await received
            }
            await stream.close()
        }
    }

    @Test("A shim of an earlier version is lent nothing")
    func earlier() async throws {
        let (near, far) = try UnixSocket.pair()
        defer { far.close() }
        let stream = ShimAttachedStream(id: "a", socket: try AsyncSocket(near), early: [])
        let socket = LentSocket {
            Issue.record("asked for")
            return nil
        }
        #expect(try await !stream.takeInput(from: socket))
        await stream.close()
    }
}
