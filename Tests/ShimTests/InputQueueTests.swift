import Glibc
import Linux
import Testing

@testable import Shim

@Suite struct InputQueueTests {
    @Test("A process that reads slower than a client gives costs no more memory than the limit, and gets every byte")
    func slowReader() throws {
        let loop = try EventLoop()
        let queue = InputQueue(loop)
        let (reading, writing) = try Descriptor.pipe()
        defer { reading.close() }
        try writing.setNonBlocking()
        queue.open(writing, isTerminal: false)
        let piece = 16 << 10
        var given = 0
        func give() {
            queue.write((0..<piece).map { UInt8(truncatingIfNeeded: (given + $0) / 251) })
            given += piece
        }
        while !queue.isFull { give() }
        var taken = 0
        var largest = 0
        var buffer = [UInt8](repeating: 0, count: piece)
        while given < 40 * InputQueue.limitBytes {
            // Never all that waits, so that the queue is never empty.
            let count = try reading.read(into: &buffer)
            let isRight = buffer[..<count].indices.allSatisfy {
                buffer[$0] == UInt8(truncatingIfNeeded: (taken + $0) / 251)
            }
            try #require(isRight)
            taken += count
            if !queue.isFull { give() } else { queue.write([]) }
            largest = max(largest, queue.bytes.count)
        }
        #expect(largest <= 3 * InputQueue.limitBytes)
        queue.close()
    }

    /// A queue that is open, where what it passes on comes out, and a socket with its other end.
    private struct Bench {
        let loop: EventLoop
        let queue: InputQueue
        let reading: Descriptor
        let giver: Descriptor
        let source: Descriptor

        init(isTerminal: Bool = false) throws {
            loop = try EventLoop()
            queue = InputQueue(loop)
            let (reading, writing) = try Descriptor.pipe()
            try writing.setNonBlocking()
            self.reading = reading
            (giver, source) = try UnixSocket.pair()
            try source.setNonBlocking()
            queue.open(writing, isTerminal: isTerminal)
        }

        func taken() throws -> [UInt8] {
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            let count = try reading.read(into: &buffer)
            return Array(buffer[..<count])
        }

        func close() {
            queue.close()
            for descriptor in [reading, source] { descriptor.close() }
        }
    }

    @Test("What lies in a socket goes to the process as it lies, up to a number of bytes, and the socket's end is seen")
    func passing() throws {
        let bench = try Bench()
        defer { bench.close() }
        #expect(try bench.queue.pass(from: bench.source, upTo: 10) == .nothingThere)
        try bench.giver.writeAll([1, 2, 3, 4, 5])
        #expect(try bench.queue.pass(from: bench.source, upTo: 3) == .moved(3))
        #expect(try bench.queue.pass(from: bench.source, upTo: 10) == .moved(2))
        #expect(try bench.taken() == [1, 2, 3, 4, 5])
        bench.giver.close()
        #expect(try bench.queue.pass(from: bench.source, upTo: 10) == .moved(0))
    }

    @Test("Nothing is passed on before what was given earlier, nor to a full pipe; who waits is told of room")
    func passingInTurn() throws {
        let bench = try Bench()
        defer { bench.close() }
        let early = [UInt8](repeating: 1, count: 1 << 20)
        bench.queue.write(early)
        try bench.giver.writeAll([2])
        #expect(try bench.queue.pass(from: bench.source, upTo: 1) == .noRoom)
        var isReady = false
        bench.queue.whenReady { isReady = true }
        var taken = 0
        #expect(!isReady)
        while taken < early.count {
            let bytes = try bench.taken()
            taken += bytes.count
            #expect(bytes.allSatisfy { $0 == 1 })
            bench.queue.write([])
        }
        #expect(isReady)
        // Until the pipe is full of pieces, of which nothing waits here.
        var moved = 0
        while case .moved(let count) = try bench.queue.pass(from: bench.source, upTo: 1) {
            moved += count
            try bench.giver.writeAll([2])
        }
        #expect(bench.queue.bytes.isEmpty)
        isReady = false
        bench.queue.whenReady {
            isReady = true
            bench.loop.end()
        }
        #expect(!isReady)
        #expect(try bench.taken() == [UInt8](repeating: 2, count: moved))
        try bench.loop.run()
        #expect(isReady)
        #expect(try bench.queue.pass(from: bench.source, upTo: 1) == .moved(1))
        bench.giver.close()
    }

    @Test("Where nobody reads any more, and to a terminal, input is not passed on but given")
    func notPassing() throws {
        signal(SIGPIPE, SIG_IGN)
        let bench = try Bench()
        bench.reading.close()
        try bench.giver.writeAll([1])
        #expect(bench.queue.isPassable)
        #expect(try bench.queue.pass(from: bench.source, upTo: 1) == .notByThis)
        #expect(!bench.queue.isPassable)
        var isReady = false
        bench.queue.whenReady { isReady = true }
        #expect(isReady)
        bench.giver.close()
        bench.source.close()
        let terminal = try Bench(isTerminal: true)
        defer { terminal.close() }
        try terminal.giver.writeAll([1])
        #expect(!terminal.queue.isPassable)
        #expect(try terminal.queue.pass(from: terminal.source, upTo: 1) == .notByThis)
        terminal.giver.close()
    }
}
