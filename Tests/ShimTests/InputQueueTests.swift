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
}
