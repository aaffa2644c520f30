import Glibc
import Linux
import Synchronization

/// Takes what a socket brings apart into frames: a head of a fixed size, which says how long the body behind it is.
///
/// A body is read to where it stays, and the head behind it by the same readv(2): nothing is copied, and a frame of a
/// stream costs one system call. Bytes stay in the kernel until asked for. One task reads.
package final class FrameSource: Sendable {
    package enum Part: Sendable {
        /// What has come of a frame's body; the last of it where nothing more of that frame is to come.
        case bytes([UInt8], head: [UInt8], isLast: Bool)
        /// Bytes that cannot be a head.
        case malformed(head: [UInt8])
        /// The other side has ended, or the socket is closed here.
        case end
    }

    private struct State {
        /// What came before the frames were read here.
        var early: [UInt8]
        /// Of the frame that is being read, as far as it has come.
        var head: [UInt8] = []
        /// How much of its body is still to come; nil while its head is not whole.
        var left: Int?
    }

    /// A part holds no more than this, for a sender may announce more than anybody will ever send.
    static let partLimitBytes = 64 << 10
    /// The largest head that fits beside a body.
    private static let headLimit = MemoryLayout<(UInt64, UInt64)>.size

    private let socket: AsyncSocket
    private let headSize: Int
    private let bodySize: @Sendable ([UInt8]) -> Int?
    private let state: Mutex<State>

    /// - Parameters:
    ///   - headSize: 16 bytes at most.
    ///   - early: bytes that came before those that are still in the socket.
    ///   - bodySize: how many bytes follow a head; nil where it is none.
    package init(
        _ socket: AsyncSocket, headSize: Int, after early: [UInt8] = [],
        bodySize: @escaping @Sendable (_ head: [UInt8]) -> Int?
    ) {
        precondition(headSize > 0 && headSize <= Self.headLimit, "a head of \(headSize) bytes")
        self.socket = socket
        self.headSize = headSize
        self.bodySize = bodySize
        state = Mutex(State(early: early))
    }

    /// What comes next. ECANCELED when the calling task is cancelled: the source is still good then.
    package func next() async throws(KernelError) -> Part {
        while true {
            if let part = try take() { return part }
            try await socket.readable()
        }
    }

    /// Nil where nothing is here now.
    private func take() throws(KernelError) -> Part? {
        try state.withLock { state throws(KernelError) -> Part? in
            if state.left == nil, state.head.count < headSize {
                guard let count = try readHead(&state) else { return nil }
                if count == 0 { return .end }
                if state.head.count < headSize { return nil }
            }
            if state.left == nil {
                guard let size = bodySize(state.head) else { return .malformed(head: state.head) }
                state.left = size
            }
            return try readBody(&state)
        }
    }

    private func readHead(_ state: inout State) throws(KernelError) -> Int? {
        let missing = headSize - state.head.count
        var room: (UInt64, UInt64) = (0, 0)
        let outcome = withUnsafeMutableBytes(of: &room) { room in
            let room = UnsafeMutableRawBufferPointer(rebasing: room[..<missing])
            let outcome = received(&state, room, UnsafeMutableRawBufferPointer(start: nil, count: 0))
            if case .success(let count?) = outcome { state.head.append(contentsOf: room[..<count]) }
            return outcome
        }
        return try outcome.get()
    }

    private func readBody(_ state: inout State) throws(KernelError) -> Part? {
        guard let left = state.left, left > 0 else { return part([], &state, next: []) }
        let size = min(left, Self.partLimitBytes)
        var outcome = Result<Int?, KernelError>.success(nil)
        var next: [UInt8] = []
        let body = [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
            var room: (UInt64, UInt64) = (0, 0)
            withUnsafeMutableBytes(of: &room) { room in
                let body = UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: size)
                let behind = UnsafeMutableRawBufferPointer(rebasing: room[..<(left == size ? headSize : 0)])
                outcome = received(&state, body, behind)
                guard case .success(let count?) = outcome else { return }
                filled = min(count, size)
                if count > size { next.append(contentsOf: behind[..<(count - size)]) }
            }
        }
        guard let count = try outcome.get() else { return nil }
        return count == 0 ? .end : part(body, &state, next: next)
    }

    private func part(_ bytes: [UInt8], _ state: inout State, next: [UInt8]) -> Part {
        let left = (state.left ?? 0) - bytes.count
        defer {
            state.left = left > 0 ? left : nil
            if left == 0 { state.head = next }
        }
        return .bytes(bytes, head: state.head, isLast: left == 0)
    }

    /// Places what came early, or what the socket has; nil where it has nothing now, 0 at the end.
    private func received(
        _ state: inout State, _ first: UnsafeMutableRawBufferPointer, _ second: UnsafeMutableRawBufferPointer
    ) -> Result<Int?, KernelError> {
        guard state.early.isEmpty else {
            let count = min(first.count, state.early.count)
            first.copyBytes(from: state.early[..<count])
            state.early.removeFirst(count)
            return .success(count)
        }
        do throws(KernelError) {
            return .success(
                try socket.attempt { descriptor throws(KernelError) in try descriptor.read(into: first, then: second) })
        } catch {
            // Closed here, or by one who did not wait for what was sent to it.
            let isEnd = error.errno.rawValue == EBADF || error.errno.rawValue == ECONNRESET
            return isEnd ? .success(0) : .failure(error)
        }
    }
}
