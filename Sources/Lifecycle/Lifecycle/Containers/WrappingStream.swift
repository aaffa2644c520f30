import EngineAPI
import Linux

/// A stream that adds something to another one: it says what, and has the rest done by that.
protocol WrappingStream: AttachedStream {
    /// The other one; waited for where it is yet to come.
    var wrapped: any AttachedStream { get async throws(EngineError) }
}

extension WrappingStream {
    func read() async throws(EngineError) -> StreamChunk? { try await wrapped.read() }

    func write(_ bytes: [UInt8]) async throws(EngineError) { try await wrapped.write(bytes) }

    func passInput(from pipe: Descriptor) async throws(EngineError) -> PassedInput {
        try await wrapped.passInput(from: pipe)
    }

    func takeInput(from socket: LentSocket) async throws(EngineError) -> Bool {
        try await wrapped.takeInput(from: socket)
    }

    func giveOutput(to socket: LentSocket, _ heads: OutputHeads) async -> Bool {
        // Of one that never came `read` tells.
        guard let stream = try? await wrapped else { return false }
        return await stream.giveOutput(to: socket, heads)
    }

    func closeInput() async throws(EngineError) { try await wrapped.closeInput() }

    func close() async {
        // As above.
        guard let stream = try? await wrapped else { return }
        await stream.close()
    }
}

/// A stream that is over before it began.
struct EndedStream: AttachedStream {
    func read() async throws(EngineError) -> StreamChunk? { nil }
    func write(_ bytes: [UInt8]) async throws(EngineError) {
        throw EngineError(.conflict, "the stream is closed")
    }
    func closeInput() async throws(EngineError) {}
    func close() async {}
}
