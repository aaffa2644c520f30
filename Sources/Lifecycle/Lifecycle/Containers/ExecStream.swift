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
    private let hasEnded = Mutex(false)

    init(_ stream: any AttachedStream, of execID: String, in container: Container) {
        self.stream = stream
        self.execID = execID
        self.container = container
    }

    func read() async throws(EngineError) -> StreamChunk? {
        if let chunk = try await stream.read() { return chunk }
        // Who is cancelled has left, and has not come to the end.
        if !Task.isCancelled { hasEnded.withLock { $0 = true } }
        await container.waitForEnd(ofExec: execID) { [self] in hasClosed.withLock { $0 } }
        return nil
    }

    func write(_ bytes: [UInt8]) async throws(EngineError) { try await stream.write(bytes) }

    func takeInput(from socket: LentSocket) async throws(EngineError) -> Bool {
        try await stream.takeInput(from: socket)
    }

    func giveOutput(to socket: LentSocket, _ heads: OutputHeads) async -> Bool {
        await stream.giveOutput(to: socket, heads)
    }

    func closeInput() async throws(EngineError) { try await stream.closeInput() }

    func close() async {
        let isFirst = hasClosed.withLock { hasClosed in
            defer { hasClosed = true }
            return !hasClosed
        }
        await stream.close()
        container.changed.notify()
        if isFirst, !hasEnded.withLock({ $0 }) { await container.tellOfDetach(execID) }
    }
}

/// A container's stdio whose user may go before its end, which is told.
final class ContainerStream: AttachedStream {
    private let stream: any AttachedStream
    private let container: Container
    private let isOver = Mutex(false)

    init(_ stream: any AttachedStream, of container: Container) {
        self.stream = stream
        self.container = container
    }

    func read() async throws(EngineError) -> StreamChunk? {
        if let chunk = try await stream.read() { return chunk }
        if !Task.isCancelled { isOver.withLock { $0 = true } }
        return nil
    }

    func write(_ bytes: [UInt8]) async throws(EngineError) { try await stream.write(bytes) }

    func takeInput(from socket: LentSocket) async throws(EngineError) -> Bool {
        try await stream.takeInput(from: socket)
    }

    func giveOutput(to socket: LentSocket, _ heads: OutputHeads) async -> Bool {
        await stream.giveOutput(to: socket, heads)
    }

    func closeInput() async throws(EngineError) { try await stream.closeInput() }

    func close() async {
        let wasOver = isOver.withLock { isOver in
            defer { isOver = true }
            return isOver
        }
        await stream.close()
        if !wasOver { await container.tellOfDetach(nil) }
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
            await tell("detach")
        }
    }

    /// Returns once an exec has ended, the waiting task is cancelled, or nobody wants to know any more.
    fileprivate func waitForEnd(ofExec execID: String, unless isOver: @Sendable () -> Bool) async {
        while !Task.isCancelled, !isOver() {
            let generation = changed.generation
            switch execs[execID]?.phase {
            case .created, .starting, .running: break
            case .exited, .unseen, nil: return
            }
            await changed.wait(after: generation)
        }
    }
}
