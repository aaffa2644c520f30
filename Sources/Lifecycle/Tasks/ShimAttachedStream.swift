import AsyncIO
import EngineAPI
import Linux
import ShimAPI
import Synchronization

/// A connection to a process's stdio. What is not read waits in the shim's ring for this client.
final class ShimAttachedStream: AttachedStream {
    private struct State {
        var decoder: ShimFrameDecoder
        var hasEnded = false
    }

    private let id: String
    private let socket: AsyncSocket
    private let state: Mutex<State>

    /// Asks a shim for a process's stdio on a connection of its own.
    static func open(_ directory: ShimDirectory, _ request: ShimAttach) async throws(EngineError) -> ShimAttachedStream
    {
        let greeted = try await GreetedSocket.open(directory)
        var decoder = greeted.decoder
        do {
            try await greeted.socket.write(ShimRequest.attach(request).frame(tag: 1).bytes)
            while true {
                if let frame = try decoder.next() {
                    if case .failed(let failure) = try ShimAnswer(frame) { throw failure }
                    return ShimAttachedStream(id: directory.id, socket: greeted.socket, decoder: decoder)
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

    private init(id: String, socket: AsyncSocket, decoder: ShimFrameDecoder) {
        self.id = id
        self.socket = socket
        state = Mutex(State(decoder: decoder))
    }

    func read() async throws(EngineError) -> StreamChunk? {
        while true {
            switch try nextFrame() {
            case .stdout(let bytes): return .stdout(bytes)
            case .stderr(let bytes): return .stderr(bytes)
            case .lost(let byteCount): return .lost(byteCount: byteCount)
            case .end:
                finish()
                return nil
            case .stdin, .inputEnd:
                throw EngineError(.internal, "the shim of \(id) sent what only a client sends", object: id)
            case nil:
                if state.withLock({ $0.hasEnded }) { return nil }
                guard let bytes = await receive() else { return nil }
                state.withLock { $0.decoder.append(bytes) }
            }
        }
    }

    func write(_ bytes: [UInt8]) async throws(EngineError) {
        for start in stride(from: 0, to: bytes.count, by: ShimFrame.streamLimit) {
            let end = min(start + ShimFrame.streamLimit, bytes.count)
            try await send(.stdin(Array(bytes[start..<end])))
        }
    }

    func closeInput() async throws(EngineError) { try await send(.inputEnd) }

    func close() async { finish() }

    private func nextFrame() throws(EngineError) -> ShimStreamFrame? {
        do {
            let frame = try state.withLock { state throws(ShimFrameError) in try state.decoder.next() }
            return try frame.map { frame throws(ShimFrameError) in try ShimStreamFrame(frame) }
        } catch {
            finish()
            throw EngineError(.internal, "read the stdio of \(id): \(error)", object: id)
        }
    }

    /// The next bytes; nil at the end, however it came: a killed shim's stream is over as any other.
    private func receive() async -> [UInt8]? {
        do {
            let bytes = try await socket.read()
            if !bytes.isEmpty { return bytes }
        } catch  where error.errno.rawValue == 125 {
            // ECANCELED: the reading task was cancelled, the stream is still good.
            return nil
        } catch {}
        finish()
        return nil
    }

    private func send(_ frame: ShimStreamFrame) async throws(EngineError) {
        do {
            try await socket.write(frame.frame.bytes)
        } catch {
            throw EngineError(.conflict, "the input of \(id) is closed: \(error.errno)", object: id)
        }
    }

    private func finish() {
        state.withLock { $0.hasEnded = true }
        socket.close()
    }
}
