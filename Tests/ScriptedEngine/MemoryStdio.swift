import EngineAPI
import Synchronization

/// A client's end of a `MemoryProcess`.
final class MemoryStdio: AttachedStream {
    private let process: MemoryProcess
    private let state = Mutex((index: 0, isClosed: false))
    private let whenClosed: @Sendable () async -> Void

    init(_ process: MemoryProcess, from index: Int, whenClosed: @escaping @Sendable () async -> Void = {}) {
        self.process = process
        self.whenClosed = whenClosed
        state.withLock { $0.index = index }
    }

    private var isClosed: Bool { state.withLock { $0.isClosed } }

    func read() async throws(EngineError) -> StreamChunk? {
        let index = state.withLock { state in
            defer { state.index += 1 }
            return state.index
        }
        return await process.chunk(index) { [weak self] in self?.isClosed ?? true }
    }

    func write(_ bytes: [UInt8]) async throws(EngineError) { await process.feed(bytes) }

    func closeInput() async throws(EngineError) { await process.closeInput() }

    func close() async {
        let isFirst = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        guard isFirst else { return }
        await process.nudge()
        await whenClosed()
    }
}
