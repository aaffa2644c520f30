import AsyncIO
import Glibc
import Linux
import Testing

@Suite(.timeLimit(.minutes(1))) struct ByteBridgeTests {
    @Test("A transfer goes on, however many others wait for their peers")
    func idlePeers() async throws {
        // More than a pair of sockets holds: each stays in its thread until its source goes.
        let idle = try (0..<100).map { _ in
            try ByteBridge.produced { try $0.sendAll([UInt8](repeating: 1, count: 4 << 20)) }
        }
        for source in idle { _ = try await source.next() }
        let source = try ByteBridge.produced { try $0.sendAll([1, 2, 3]) }
        #expect(try await source.next() == [1, 2, 3])
        let pieces = Pieces()
        try await ByteBridge.consumed({ await pieces.next() }) { far in
            let bytes = try far.readAll()
            #expect(bytes == [4, 5, 6])
        }
        withExtendedLifetime(idle) {}
    }

    private actor Pieces {
        private var left: [[UInt8]] = [[4], [5, 6]]
        func next() -> [UInt8]? { left.isEmpty ? nil : left.removeFirst() }
    }
}
