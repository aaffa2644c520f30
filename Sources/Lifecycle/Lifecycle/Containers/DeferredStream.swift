import EngineAPI
import Synchronization

/// A connection to the stdio of a process that is yet to be made: it connects before that runs, so no byte is lost.
///
/// Reading and writing wait until then. `close` may come at any time.
final class DeferredStream: AttachedStream {
    private enum State {
        case waiting
        case connected(any AttachedStream)
        case ended(EngineError?)
    }

    let request: AttachRequest
    private let state = Mutex(State.waiting)
    private let signal = ChangeSignal()

    init(_ request: AttachRequest) { self.request = request }

    /// Nobody reads it any more, or ever will.
    var isClosed: Bool {
        state.withLock { state in
            if case .ended = state { return true }
            return false
        }
    }

    /// Connects; false where the caller has closed it meanwhile: the stream is then the giver's to close.
    func connect(_ stream: any AttachedStream) -> Bool {
        let isTaken = state.withLock { state in
            guard case .waiting = state else { return false }
            state = .connected(stream)
            return true
        }
        signal.notify()
        return isTaken
    }

    /// Nothing will be there to connect to.
    func end(_ error: EngineError? = nil) {
        state.withLock { state in
            if case .waiting = state { state = .ended(error) }
        }
        signal.notify()
    }

    func read() async throws(EngineError) -> StreamChunk? { try await stream()?.read() }

    func write(_ bytes: [UInt8]) async throws(EngineError) {
        guard let stream = try await stream() else {
            throw EngineError(.conflict, "the stream is closed")
        }
        try await stream.write(bytes)
    }

    func takeInput(from socket: LentSocket) async throws(EngineError) -> Bool {
        try await stream()?.takeInput(from: socket) ?? false
    }

    func giveOutput(to socket: LentSocket, _ heads: OutputHeads) async -> Bool {
        // Of one that has failed, `read` tells.
        guard let stream = try? await stream() else { return false }
        return await stream.giveOutput(to: socket, heads)
    }

    func closeInput() async throws(EngineError) { try await stream()?.closeInput() }

    func close() async {
        let connected: (any AttachedStream)? = state.withLock { state in
            defer { state = .ended(nil) }
            if case .connected(let stream) = state { return stream }
            return nil
        }
        signal.notify()
        await connected?.close()
    }

    /// What it is connected to; nil where it is closed, or never will be.
    private func stream() async throws(EngineError) -> (any AttachedStream)? {
        while true {
            let generation = signal.generation
            switch state.withLock({ $0 }) {
            case .connected(let stream): return stream
            case .ended(let error):
                if let error { throw error }
                return nil
            case .waiting: await signal.wait(after: generation)
            }
            if Task.isCancelled { throw EngineError(.cancelled, "attach: cancelled") }
        }
    }
}
