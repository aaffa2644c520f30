import AsyncIO
import EngineAPI
import Glibc
import Linux
import ShimAPI
import Testing

@testable import Tasks

@Suite(.timeLimit(.minutes(1))) struct AttachedStreamTests {
    /// Whether everything that was sent to `socket` has been read there.
    private func hasReadAll(_ socket: AsyncSocket) throws -> Bool {
        try socket.withDescriptor { descriptor throws(KernelError) in
            var room: UInt8 = 0
            return recv(descriptor.rawValue, &room, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) < 0
        }
    }

    @Test("A reader that is cancelled in the middle of a frame leaves the rest to the next", arguments: 1..<17)
    func cancelledReader(cut: Int) async throws {
        let (near, far) = try UnixSocket.pair()
        let (socket, shim) = (try AsyncSocket(near), try AsyncSocket(far))
        defer { shim.close() }
        let stream = ShimAttachedStream(id: "a", socket: socket, early: [])
        let frame = ShimStreamFrame.lost(byteCount: 0x0102_0304_0506_0708).frame.bytes
        #expect(frame.count == 17)
        let first = Task { try await stream.read() }
        try await shim.write(Array(frame[..<cut]))
        while try !hasReadAll(socket) { await Task.yield() }
        first.cancel()
        #expect(try await first.value == nil)
        try await shim.write(Array(frame[cut...]) + ShimStreamFrame.stdout([65]).frame.bytes)
        #expect(try await stream.read() == .lost(byteCount: 0x0102_0304_0506_0708))
        #expect(try await stream.read() == .stdout([65]))
        await stream.close()
    }
}
