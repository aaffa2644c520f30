import EngineAPI
import Synchronization

/// The stdio of a container's first process, or of an exec, whose user may go before its end: that is told.
///
/// That of an exec does not end before its exit is known: whoever reads to the end may ask for the code then. The end of
/// the output and the exit come from the shim by two ways, in either order.
final class ProcessStream: WrappingStream {
    private struct State {
        var hasEnded = false
        var isClosed = false
    }

    let wrapped: any AttachedStream
    private let container: Container
    private let execID: String?
    private let state = Mutex(State())

    /// - Parameter execID: nil for the first process.
    init(_ stream: any AttachedStream, of container: Container, execID: String? = nil) {
        wrapped = stream
        self.execID = execID
        self.container = container
    }

    func read() async throws(EngineError) -> StreamChunk? {
        if let chunk = try await wrapped.read() { return chunk }
        // Who is cancelled has left, and has not come to the end.
        if !Task.isCancelled { state.withLock { $0.hasEnded = true } }
        if let execID { await container.waitForEnd(ofExec: execID) { [self] in state.withLock { $0.isClosed } } }
        return nil
    }

    func close() async {
        let isLeft = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed && !state.hasEnded
        }
        await wrapped.close()
        // Of who still waits for an exec's end.
        container.changed.notify()
        if isLeft { await container.tellOfDetach(execID) }
    }
}

extension Container {
    /// Somebody has left the stdio of a process that runs on.
    fileprivate func tellOfDetach(_ execID: String?) async {
        guard machine.run != nil else { return }
        if let execID {
            guard case .running = execs[execID]?.phase else { return }
            await tell("exec_detach", ["execID": execID])
        } else {
            forgetGiver()
            await tell("detach")
        }
    }

    /// Returns once an exec has ended, the waiting task is cancelled, or nobody wants to know any more.
    fileprivate func waitForEnd(ofExec execID: String, unless isOver: @Sendable () -> Bool) async {
        while !Task.isCancelled, !isOver() {
            let generation = changed.generation
            switch execs[execID]?.phase {
            case .created, .starting, .running: break
            // A shim that still has its stdio has its end to tell, too.
            case .unseen: if machine.run == nil { return }
            case .exited, nil: return
            }
            await changed.wait(after: generation)
        }
    }
}
