import EngineAPI
import Synchronization
import Testing
import Transport

@testable import Daemon

/// Who goes away and leaves input behind.
@Suite struct PartingTests {
    /// A client whose going is seen by who sends to it first, and later by who reads what it had sent.
    private final class LeavingClient: ByteLink {
        private let pieces = Mutex<[[UInt8]]>([[1], [2], [3]])
        let sends: AsyncStream<Void>
        private let send: AsyncStream<Void>.Continuation

        init() { (sends, send) = AsyncStream<Void>.makeStream() }

        func read() async throws(TransportError) -> [UInt8]? {
            let piece = pieces.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            guard let piece else { throw .closed }
            return piece
        }

        func send(_ bytes: [UInt8], after head: [UInt8]) async throws(TransportError) {
            send.finish()
            throw .closed
        }

        func onReadingThread(_ body: () async -> Void) async { await body() }
        func closeOutput() async {}
        func close() async {}
        var mustBeRead: Bool { false }
    }

    /// A process that takes input only once a good deal of its output is read.
    private actor TalkativeProcess: AttachedStream {
        private(set) var steps: [String] = []
        private var unread = 100
        private var waiting: CheckedContinuation<Void, Never>?

        func read() async throws(EngineError) -> StreamChunk? {
            if Task.isCancelled { return nil }
            unread -= 1
            guard unread > 0 else {
                waiting?.resume()
                waiting = nil
                return nil
            }
            return .stdout([120])
        }

        func write(_ bytes: [UInt8]) async throws(EngineError) {
            if unread > 0 { await withCheckedContinuation { waiting = $0 } }
            steps.append("\(bytes)")
        }

        func closeInput() async throws(EngineError) { steps.append("end") }

        func close() async {
            steps.append("close")
            waiting?.resume()
            waiting = nil
        }
    }

    @Test("A process that waits until its output is read gets the input of a client that is gone")
    func drained() async throws {
        let (client, process) = (LeavingClient(), TalkativeProcess())
        let session = StdioSession(
            connection: client, stream: process, isFramed: false, detachKeys: nil, hasInput: true, closesInput: true,
            closesInputWhenGone: true)
        let running = Task { await session.run() }
        for await _ in client.sends {}
        running.cancel()
        await running.value
        #expect(await process.steps == ["[1]", "[2]", "[3]", "end", "close", "close"])
    }
}
