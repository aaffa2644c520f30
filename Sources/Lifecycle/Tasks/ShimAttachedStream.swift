import AsyncIO
import EngineAPI
import Linux
import ShimAPI
import Synchronization

/// A connection to a process's stdio. What is not read waits in the shim's ring for this client.
final class ShimAttachedStream: AttachedStream {
    private let id: String
    private let socket: AsyncSocket
    private let frames: FrameSource
    /// What has come of a frame that is no output: a reader may be cancelled in the middle of it, the next goes on.
    private let begun = Mutex<[UInt8]>([])
    /// What the shim speaks.
    private let version: UInt16
    /// The process waits for this reader.
    private let holdsBack: Bool
    private let source = Mutex(Source.none)
    /// A socket for output that the shim has been told of.
    private let promise = Mutex<OutputPromise?>(nil)
    /// A frame of input is being written, or was cut off: nothing goes between its parts.
    private let isWriting = Mutex(false)

    /// What has become of a socket that the shim was lent.
    private enum Source {
        case none
        case awaited(CheckedContinuation<Void, Never>)
        /// It is read to its end, or the stream is over.
        case ended
    }

    /// Asks a shim for a process's stdio on a connection of its own.
    ///
    /// - Parameter first: asked for before it, in one piece with it; what is answered is of no interest.
    static func open(
        _ directory: ShimDirectory, _ request: ShimAttach, after first: [ShimRequest] = []
    ) async throws(EngineError) -> ShimAttachedStream {
        // With the greeting: a shim that is attached to has nothing to tell that the request depends on.
        let frames = first.flatMap { $0.frame(tag: 0).bytes } + ShimRequest.attach(request).frame(tag: attachTag).bytes
        let greeted = try await GreetedSocket.open(directory, followedBy: frames)
        var decoder = greeted.decoder
        do {
            while true {
                if let frame = try decoder.next() {
                    guard frame.tag == Self.attachTag else { continue }
                    if case .failed(let failure) = try ShimAnswer(frame) { throw failure }
                    if request.stdin { makeRoom(greeted.socket) }
                    return ShimAttachedStream(
                        id: directory.id, socket: greeted.socket, early: decoder.unread,
                        version: greeted.version, holdsBack: request.holdsBack)
                }
                let bytes = try await greeted.socket.read()
                if bytes.isEmpty { throw ShimFailure(.unavailable, "the shim of \(directory.id) is gone") }
                decoder.append(bytes)
            }
        } catch {
            greeted.socket.close()
            if let failure = error as? ShimFailure { throw EngineError(failure, task: directory.id) }
            throw EngineError(.unavailable, "attach to \(directory.id): \(error)", object: directory.id)
        }
    }

    private static let attachTag: UInt32 = 1

    /// Ends the stream after that time, unless that is lifted before: by the number that this gives, of
    /// `SocketDeadlines.shared`.
    func end(in time: Duration) -> UInt64 { SocketDeadlines.shared.close(socket, in: time) }

    /// Lets much input be on its way, as the shim does for output.
    private static func makeRoom(_ socket: AsyncSocket) {
        // It is as large as it was then.
        try? socket.withDescriptor { descriptor throws(KernelError) in
            try UnixSocket.setSendBuffer(descriptor, byteCount: inputBufferBytes)
        }
    }

    private static let inputBufferBytes: Int32 = 256 << 10

    /// - Parameters:
    ///   - socket: a connection that the shim has made a stream.
    ///   - early: what came with the shim's answer.
    ///   - version: what the shim speaks.
    ///   - holdsBack: as of `ShimAttach`.
    init(id: String, socket: AsyncSocket, early: [UInt8], version: UInt16 = 1, holdsBack: Bool = false) {
        self.id = id
        self.socket = socket
        self.version = version
        self.holdsBack = holdsBack
        frames = FrameSource(socket, headSize: ShimFrame.headerSize, after: early) { ShimFrame.bodySize(behind: $0) }
    }

    func read() async throws(EngineError) -> StreamChunk? {
        while true {
            switch await nextPart() {
            case .end: return nil
            case .malformed(let head): throw unreadable("\(head) begins no frame")
            case .bytes(let bytes, let head, let isLast):
                switch ShimStreamFrame.Channel(head: head) {
                case .stdout: if !bytes.isEmpty { return .stdout(bytes) }
                case .stderr: if !bytes.isEmpty { return .stderr(bytes) }
                case .stdin: throw unreadable("the shim sent what only a client sends")
                case nil:
                    guard let body = begun.withLock({ Self.whole(&$0, bytes, isLast: isLast) }) else { continue }
                    switch try frame(head, body) {
                    case .lost(let byteCount): return .lost(byteCount: byteCount)
                    case .sourceEnd: endSource()
                    case .outputTurn: keepPromise()
                    case .end:
                        end()
                        return nil
                    default: throw unreadable("the shim sent what only a client sends")
                    }
                }
            }
        }
    }

    /// Adds to what has come of a body; gives it once it is all there.
    private static func whole(_ begun: inout [UInt8], _ bytes: [UInt8], isLast: Bool) -> [UInt8]? {
        begun += bytes
        guard isLast else { return nil }
        defer { begun = [] }
        return begun
    }

    /// One that is no output.
    private func frame(_ head: [UInt8], _ body: [UInt8]) throws(EngineError) -> ShimStreamFrame {
        do throws(ShimFrameError) { return try ShimStreamFrame(head: head, body: body) } catch {
            throw unreadable("\(error)")
        }
    }

    private func unreadable(_ reason: String) -> EngineError {
        end()
        return EngineError(.internal, "read the stdio of \(id): \(reason)", object: id)
    }

    /// The end, however it came: a killed shim's stream is over as any other.
    private func nextPart() async -> FrameSource.Part {
        do {
            let part = try await frames.next()
            if case .end = part { end() }
            return part
        } catch  where error.errno.rawValue == 125 {
            // ECANCELED: the reading task was cancelled, the stream is still good.
            return .end
        } catch {
            end()
            return .end
        }
    }

    func write(_ bytes: [UInt8]) async throws(EngineError) {
        if bytes.count <= ShimFrame.streamLimit { return try await send(bytes) }
        for start in stride(from: 0, to: bytes.count, by: ShimFrame.streamLimit) {
            let end = min(start + ShimFrame.streamLimit, bytes.count)
            try await send(Array(bytes[start..<end]))
        }
    }

    func takeInput(from lent: LentSocket) async throws(EngineError) -> Bool {
        guard version >= 2, let descriptor = lent.duplicate() else { return false }
        try await give(descriptor, .inputSource)
        await withCheckedContinuation { continuation in
            let isOver = source.withLock { source in
                if case .ended = source { return true }
                source = .awaited(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
        return true
    }

    /// Takes the descriptor over: the shim has a duplicate of it then.
    private func give(_ descriptor: Descriptor, _ frame: ShimStreamFrame) async throws(EngineError) {
        defer { descriptor.close() }
        do throws(KernelError) { try await socket.write(frame.frame.bytes, with: descriptor) } catch {
            throw inputClosed(error)
        }
    }

    func giveOutput(to lent: LentSocket, _ heads: OutputHeads) async -> Bool {
        // Who may lose output is never waited for, as a socket would be.
        guard version >= 3, holdsBack, promise.withLock({ $0 == nil }), let descriptor = lent.duplicate() else {
            return false
        }
        let frame = ShimStreamFrame.outputTarget(ShimOutputHeads(stdout: heads.stdout, stderr: heads.stderr)).frame
        do throws(KernelError) {
            let made = try OutputPromise(of: descriptor)
            guard try tell(made, frame.bytes) else { return false }
            promise.withLock { $0 = made }
            return true
        } catch {
            // No room for it now, or the stream is over, which its reader sees.
            return false
        }
    }

    /// Never waits: who gives input may be about to write as well. False where that is in the middle of a frame.
    private func tell(_ promise: OutputPromise, _ frame: [UInt8]) throws(KernelError) -> Bool {
        try isWriting.withLock { isWriting throws(KernelError) -> Bool in
            guard !isWriting else { return false }
            try promise.tell { door throws(KernelError) in
                try socket.withDescriptor { socket throws(KernelError) in
                    try UnixSocket.send(socket, descriptor: door, with: frame)
                }
            }
            return true
        }
    }

    /// All that came before has been read here, and written by who reads.
    private func keepPromise() {
        let kept = promise.withLock { promise in
            defer { promise = nil }
            return promise
        }
        // A shim that is gone has no use for it: the stream's end tells of that.
        try? kept?.keep()
    }

    private func endSource() {
        let awaited = source.withLock { source in
            defer { source = .ended }
            return source
        }
        if case .awaited(let continuation) = awaited { continuation.resume() }
    }

    /// The stream is over.
    private func end() {
        socket.close()
        endSource()
    }

    func closeInput() async throws(EngineError) { try await send(ShimStreamFrame.inputEnd.frame.bytes, after: []) }

    func close() async { end() }

    private func send(_ input: [UInt8]) async throws(EngineError) {
        try await send(input, after: ShimStreamFrame.Channel.stdin.head(byteCount: input.count))
    }

    private func send(_ bytes: [UInt8], after head: [UInt8]) async throws(EngineError) {
        isWriting.withLock { $0 = true }
        do {
            try await socket.write(bytes, after: head)
        } catch {
            throw inputClosed(error)
        }
        isWriting.withLock { $0 = false }
    }

    private func inputClosed(_ error: KernelError) -> EngineError {
        EngineError(.conflict, "the input of \(id) is closed: \(error.errno)", object: id)
    }
}
