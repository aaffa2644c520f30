import EngineAPI
import Synchronization

/// An exec's stdio that does not end before its exit is known: whoever reads to the end may ask for the code then.
///
/// The end of the output and the exit come from the shim by two ways, in either order.
final class ExecStream: AttachedStream {
    private let stream: any AttachedStream
    private let container: Container
    private let execID: String
    private let hasClosed = Mutex(false)

    init(_ stream: any AttachedStream, of execID: String, in container: Container) {
        self.stream = stream
        self.execID = execID
        self.container = container
    }

    func read() async throws(EngineError) -> StreamChunk? {
        if let chunk = try await stream.read() { return chunk }
        await container.waitForEnd(ofExec: execID) { [self] in hasClosed.withLock { $0 } }
        return nil
    }

    func write(_ bytes: [UInt8]) async throws(EngineError) { try await stream.write(bytes) }

    func closeInput() async throws(EngineError) { try await stream.closeInput() }

    func close() async {
        hasClosed.withLock { $0 = true }
        await stream.close()
        container.changed.notify()
    }
}

extension Container {
    /// Returns once an exec has ended, the waiting task is cancelled, or nobody wants to know any more.
    fileprivate func waitForEnd(ofExec execID: String, unless isOver: @Sendable () -> Bool) async {
        while !Task.isCancelled, !isOver() {
            let generation = changed.generation
            switch execs[execID]?.phase {
            case .created, .starting, .running: break
            case .exited, nil: return
            }
            await changed.wait(after: generation)
        }
    }
}
