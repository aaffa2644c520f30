import AsyncIO
import EngineAPI
import Glibc
import Linux
import ShimAPI
import Testing

@testable import Tasks

/// Output that a shim writes to a socket which it is lent.
@Suite(
    .serialized, .timeLimit(.minutes(2)),
    .enabled(if: TaskBench.missing == nil, "needs root, busybox-static and gantry-shim beside the tests"))
struct LentOutputTests {
    private static let heads = OutputHeads(stdout: [1], stderr: [2])

    /// A client's connection: its own end, and the engine's, which is lent.
    private struct Connection {
        let client: AsyncSocket
        let own: AsyncSocket

        init() throws {
            let (near, far) = try UnixSocket.pair()
            (client, own) = (try AsyncSocket(near), try AsyncSocket(far))
        }

        /// What an engine does between a process and a client, from the first piece on.
        ///
        /// - Returns: how much did not go by the socket itself.
        func serve(_ stream: any AttachedStream) async throws -> Int {
            var isGiven = false
            var count = 0
            while let chunk = try await stream.read() {
                let head = ShimOutputHeads(stdout: heads.stdout, stderr: heads.stderr)
                switch chunk {
                case .stdout(let bytes):
                    try await own.write(bytes, after: head.head(isStandardError: false, byteCount: bytes.count))
                case .stderr(let bytes):
                    try await own.write(bytes, after: head.head(isStandardError: true, byteCount: bytes.count))
                case .lost: Issue.record("output was lost")
                }
                count += chunk.byteCount
                if !isGiven {
                    isGiven = await stream.giveOutput(to: LentSocket { try? own.duplicate() }, heads)
                    #expect(isGiven)
                }
            }
            return count
        }

        /// What the client gets, by stream: so many bytes, or all to the end.
        func received(_ count: Int = .max) async throws -> (stdout: [UInt8], stderr: [UInt8]) {
            var all: (stdout: [UInt8], stderr: [UInt8]) = ([], [])
            let frames = FrameSource(client, headSize: 5) { head in
                guard head[0] == 1 || head[0] == 2 else { return nil }
                return head[1...].reduce(0) { $0 << 8 | Int($1) }
            }
            while all.stdout.count + all.stderr.count < count,
                case .bytes(let bytes, let head, _) = try await frames.next()
            {
                if head[0] == 1 { all.stdout += bytes } else { all.stderr += bytes }
            }
            return all
        }
    }

    private func attached(_ bench: TaskBench, _ spec: TaskSpec) async throws -> any AttachedStream {
        _ = try await bench.service.create(spec)
        return try await bench.service.attach("a", execID: nil, AttachRequest(holdsBack: true))
    }

    private static func numbers(_ last: Int) -> [UInt8] { Array((1...last).map { "\($0)\n" }.joined().utf8) }

    @Test(
        "It comes behind what was read before, whole and in order, both streams, with a log and without",
        arguments: [true, false])
    func order(hasLog: Bool) async throws {
        try await TaskBench.with { bench in
            var spec = try bench.sh("a", "seq 1 400000; seq 1 300000 >&2; seq 1 10; seq 1 200000 >&2")
            if !hasLog { spec.log = nil }
            let stream = try await attached(bench, spec)
            let connection = try Connection()
            async let received = connection.received()
            async let serving = connection.serve(stream)
            try await bench.service.start("a")
            let count = try await serving
            try connection.own.closeOutput()
            let all = try await received
            #expect(all.stdout == Self.numbers(400_000) + Self.numbers(10))
            #expect(all.stderr == Self.numbers(300_000) + Self.numbers(200_000))
            #expect(count < all.stdout.count)
            #expect(try await bench.exit(of: "a").code == 0)
            // Of so many lines no more than the size is looked at: the readers of logs have tests of their own.
            if hasLog {
                var facts = stat()
                #expect(stat("\(bench.root)/a.log", &facts) == 0 && facts.st_size > all.stdout.count + all.stderr.count)
            }
            await stream.close()
        }
    }

    @Test("A client that does not read holds the process back, and then misses nothing")
    func slow() async throws {
        try await TaskBench.with { bench in
            var spec = try bench.sh("a", "head -c 3000000 /dev/zero; echo done >/tmp/done; sleep 1000")
            spec.log = nil
            let stream = try await attached(bench, spec)
            let connection = try Connection()
            async let serving = connection.serve(stream)
            try await bench.service.start("a")
            // More than has room on its way.
            var waiting = pollfd(fd: -1, events: Int16(POLLOUT), revents: 0)
            var isFull = false
            while !isFull {
                waiting.fd = try connection.own.withDescriptor { $0.rawValue }
                isFull = poll(&waiting, 1, 0) == 0
                await Task.yield()
            }
            #expect(access("\(bench.root)/bundles/a/rootfs/tmp/done", F_OK) != 0)
            async let received = connection.received()
            while access("\(bench.root)/bundles/a/rootfs/tmp/done", F_OK) != 0 { await Task.yield() }
            try await bench.service.kill("a", execID: nil, signal: 9)
            #expect(try await bench.exit(of: "a").code == 137)
            _ = try await serving
            try connection.own.closeOutput()
            #expect(try await received.stdout == [UInt8](repeating: 0, count: 3_000_000))
            await stream.close()
        }
    }

    @Test("A client that is gone holds no process up")
    func gone() async throws {
        try await TaskBench.with { bench in
            var spec = try bench.sh("a", "head -c 5000000 /dev/zero; exit 3")
            spec.log = nil
            let stream = try await attached(bench, spec)
            let connection = try Connection()
            // Its failure is that of a client which is gone.
            async let serving: Int? = try? connection.serve(stream)
            try await bench.service.start("a")
            _ = try await connection.client.read()
            connection.client.close()
            // Its end, or the failure of who wrote to the client: the stream is closed then in any case.
            _ = await serving
            await stream.close()
            #expect(try await bench.exit(of: "a").code == 3)
        }
    }

    @Test("A stream that is closed keeps no client connected, and another client gets what comes then")
    func closed() async throws {
        try await TaskBench.with { bench in
            var spec = try bench.sh("a", "seq 1 200000; while ! test -e /tmp/go; do sleep 0.1; done; echo end")
            spec.log = nil
            let stream = try await attached(bench, spec)
            let connection = try Connection()
            let next = try await bench.service.attach("a", execID: nil, AttachRequest(holdsBack: true))
            let numbers = Self.numbers(200_000)
            async let received = connection.received(numbers.count)
            async let serving = connection.serve(stream)
            try await bench.service.start("a")
            #expect(Array(try await bench.read(next, until: "\n200000\n").utf8) == numbers)
            #expect(try await received.stdout == numbers)
            await stream.close()
            _ = try await serving
            connection.own.close()
            #expect(try await connection.client.read() == [])
            try FileContents.replace("\(bench.root)/bundles/a/rootfs/tmp/go", with: [], durable: false)
            #expect(try await bench.read(next, until: "end\n") == "end\n")
            #expect(try await bench.exit(of: "a").code == 0)
            await next.close()
        }
    }

    @Test("Where the socket does not come after all, output comes by the stream again")
    func forsaken() async throws {
        try await TaskBench.with { bench in
            var spec = try bench.sh("a", "seq 1 300000")
            spec.log = nil
            _ = try await bench.service.create(spec)
            let directory = try ShimDirectory(id: "a", runRoot: bench.root + "/run")
            let socket = try await GreetedSocket.open(directory).socket
            var request = ShimAttach(stdin: false, stdout: true, stderr: true, replay: false)
            request.holdsBack = true
            try await socket.write(ShimRequest.attach(request).frame(tag: 1).bytes)
            let frames = FrameSource(socket, headSize: ShimFrame.headerSize) { ShimFrame.bodySize(behind: $0) }
            // The answer: a stream from here on.
            _ = try await frames.next()
            let (door, shimDoor) = try UnixSocket.pair()
            let word = ShimStreamFrame.outputTarget(ShimOutputHeads(stdout: [1], stderr: [2])).frame.bytes
            try await socket.write(word, with: shimDoor)
            shimDoor.close()
            try await bench.service.start("a")
            var output: [UInt8] = []
            var turns = 0
            while case .bytes(let bytes, let head, _) = try await frames.next() {
                if ShimStreamFrame.Channel(head: head) == .stdout { output += bytes }
                if head[4] == ShimStreamFrame.outputTurn.frame.kind {
                    #expect(output.isEmpty)
                    turns += 1
                    door.close()
                }
            }
            #expect(turns == 1)
            #expect(output == Self.numbers(300_000))
            #expect(try await bench.exit(of: "a").code == 0)
            socket.close()
        }
    }

    @Test(
        "An earlier shim, and one that does not wait for this reader, is lent nothing",
        arguments: [(2, true), (3, false)] as [(UInt16, Bool)])
    func refused(version: UInt16, holdsBack: Bool) async throws {
        let (near, far) = try UnixSocket.pair()
        defer { far.close() }
        let stream = ShimAttachedStream(
            id: "a", socket: try AsyncSocket(near), early: [], version: version, holdsBack: holdsBack)
        let socket = LentSocket {
            Issue.record("asked for")
            return nil
        }
        #expect(await !stream.giveOutput(to: socket, Self.heads))
        await stream.close()
    }

    @Test("Nothing is said of it in the middle of a frame of input")
    func betweenFrames() async throws {
        let (near, far) = try UnixSocket.pair()
        // Too little for a frame.
        try UnixSocket.setSendBuffer(near, byteCount: 4096)
        let shim = try AsyncSocket(far)
        let stream = ShimAttachedStream(
            id: "a", socket: try AsyncSocket(near), early: [], version: 3, holdsBack: true)
        let connection = try Connection()
        let lent = LentSocket { try? connection.own.duplicate() }
        let input = [UInt8](repeating: 7, count: 1 << 20)
        let writing = Task { try await stream.write(input) }
        // It has begun, and cannot end before it is read.
        let first = try await shim.read(upTo: 100)
        #expect(await !stream.giveOutput(to: lent, Self.heads))
        let frames = FrameSource(shim, headSize: ShimFrame.headerSize, after: first) { ShimFrame.bodySize(behind: $0) }
        var count = 0
        while count < input.count, case .bytes(let bytes, let head, _) = try await frames.next() {
            #expect(ShimStreamFrame.Channel(head: head) == .stdin)
            count += bytes.count
        }
        try await writing.value
        #expect(await stream.giveOutput(to: lent, Self.heads))
        #expect(await !stream.giveOutput(to: lent, Self.heads))
        await stream.close()
        shim.close()
    }
}
