import EngineAPI
import Synchronization

/// A connection to the stdio of a process that is yet to be made: it connects before that runs, so no byte is lost.
///
/// Whatever is asked of it waits until then; `close` may come at any time.
final class DeferredStream: WrappingStream {
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

    func close() async {
        let connected: (any AttachedStream)? = state.withLock { state in
            defer { state = .ended(nil) }
            if case .connected(let stream) = state { return stream }
            return nil
        }
        signal.notify()
        await connected?.close()
    }

    var wrapped: any AttachedStream {
        get async throws(EngineError) {
            while true {
                let generation = signal.generation
                switch state.withLock({ $0 }) {
                case .connected(let stream): return stream
                case .ended(let error):
                    if let error { throw error }
                    return EndedStream()
                case .waiting: await signal.wait(after: generation)
                }
                if Task.isCancelled { throw EngineError(.cancelled, "attach: cancelled") }
            }
        }
    }
}
