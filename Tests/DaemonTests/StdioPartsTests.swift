import DockerAPI
import EngineAPI
import Linux
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
        func lend() -> Descriptor? { nil }
        func lendForOutput() -> Descriptor? { nil }
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
            closesInputWhenGone: { true })
        let running = Task { await session.run() }
        for await _ in client.sends {}
        running.cancel()
        await running.value
        #expect(await process.steps == ["[1]", "[2]", "[3]", "end", "close", "close"])
    }

    /// A process that takes input only when it is told to.
    private actor LateProcess: AttachedStream {
        private(set) var steps: [String] = []
        private var isReading = false
        private var hasWritten = false
        private var waiting: CheckedContinuation<Void, Never>?

        func read() async throws(EngineError) -> StreamChunk? {
            defer { hasWritten = true }
            return hasWritten ? nil : .stdout([120])
        }

        func write(_ bytes: [UInt8]) async throws(EngineError) {
            if !isReading { await withCheckedContinuation { waiting = $0 } }
            steps.append("\(bytes)")
        }

        func goOn() {
            isReading = true
            waiting?.resume()
            waiting = nil
        }

        func closeInput() async throws(EngineError) { steps.append("end") }

        func close() async {
            steps.append("close")
            goOn()
        }
    }

    @Test("A process gets the input of a client that is gone whenever it takes it; who parts waits for a while only")
    func late() async throws {
        let (client, process, work) = (LeavingClient(), LateProcess(), PendingWork())
        var session = StdioSession(
            connection: client, stream: process, isFramed: false, detachKeys: nil, hasInput: true, closesInput: true,
            closesInputWhenGone: { true })
        (session.pending, session.delivery) = (work.begin(), .zero)
        let running = Task { [session] in await session.run() }
        for await _ in client.sends {}
        running.cancel()
        #expect(work.count <= 1)
        await work.waitUntilNone()
        #expect(await process.steps == [])
        await process.goOn()
        await running.value
        #expect(await process.steps == ["[1]", "[2]", "[3]", "end", "close", "close"])
        #expect(work.count == 0)
    }
}

/// Who gives input in quantity.
@Suite struct LendingTests {
    /// A client that gives pieces, and then nothing more.
    private final class Giver: ByteLink {
        private let pieces: Mutex<[[UInt8]]>
        let lentCount = Mutex(0)

        init(_ sizes: [Int]) { pieces = Mutex(sizes.map { [UInt8](repeating: 1, count: $0) }) }

        func read() async throws(TransportError) -> [UInt8]? {
            pieces.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        }

        func lend() -> Descriptor? {
            lentCount.withLock { $0 += 1 }
            return nil
        }

        func lendForOutput() -> Descriptor? { nil }
        func send(_ bytes: [UInt8], after head: [UInt8]) async throws(TransportError) {}
        func onReadingThread(_ body: () async -> Void) async { await body() }
        func closeOutput() async {}
        func close() async {}
        var mustBeRead: Bool { false }
    }

    /// A process's stdio that says what was given to it, and ends with its input.
    private actor Taker: AttachedStream {
        private let takesSockets: Bool
        private(set) var steps: [String] = []
        private var hasEnded = false
        private var waiting: CheckedContinuation<Void, Never>?

        init(takesSockets: Bool) { self.takesSockets = takesSockets }

        func read() async throws(EngineError) -> StreamChunk? {
            if !hasEnded { await withCheckedContinuation { waiting = $0 } }
            return nil
        }

        private func end() {
            hasEnded = true
            waiting?.resume()
            waiting = nil
        }

        func write(_ bytes: [UInt8]) async throws(EngineError) { steps.append("\(bytes.count)") }

        func takeInput(from socket: LentSocket) async throws(EngineError) -> Bool {
            guard takesSockets else { return false }
            steps.append("lent, \(socket.duplicate() != nil)")
            end()
            return true
        }

        func closeInput() async throws(EngineError) {
            steps.append("end")
            end()
        }

        func close() async { end() }
    }

    @Test(
        "Once a piece is large the process is lent the connection, and is given nothing more by pieces",
        arguments: [
            (true, true, nil, ["10", "40000", "lent, false"]),
            (false, true, nil, ["10", "40000", "50000", "20", "end"]),
            (true, false, nil, ["10", "40000", "50000", "20"]),
            (true, true, DetachKeys.standard, ["10", "40000", "50000", "20", "end"]),
        ] as [(Bool, Bool, DetachKeys?, [String])])
    func lending(takesSockets: Bool, closesInput: Bool, keys: DetachKeys?, steps: [String]) async throws {
        let (giver, taker) = (Giver([10, 40_000, 50_000, 20]), Taker(takesSockets: takesSockets))
        await StdioSession(
            connection: giver, stream: taker, isFramed: false, detachKeys: keys, hasInput: true,
            closesInput: closesInput, closesInputWhenGone: { true }
        ).run()
        #expect(await taker.steps == steps)
        #expect(giver.lentCount.withLock { $0 } == (steps.count == 3 ? 1 : 0))
    }
}

/// Who is given output in quantity.
@Suite struct OutputLendingTests {
    /// A client that takes whatever comes.
    private final class Reader: ByteLink {
        let received = Mutex<[Int]>([])

        func read() async throws(TransportError) -> [UInt8]? { nil }
        func lend() -> Descriptor? { nil }
        func lendForOutput() -> Descriptor? { Descriptor(rawValue: 1_000_000) }

        func send(_ bytes: [UInt8], after head: [UInt8]) async throws(TransportError) {
            received.withLock { $0.append(bytes.count) }
        }

        func onReadingThread(_ body: () async -> Void) async { await body() }
        func closeOutput() async {}
        func close() async {}
        var mustBeRead: Bool { false }
    }

    /// A process that writes pieces, and says what it is offered, which it takes at some time.
    private actor Writer: AttachedStream {
        private var sizes: [Int]
        private var refusals: Int
        private(set) var steps: [String] = []

        init(_ sizes: [Int], refusals: Int) { (self.sizes, self.refusals) = (sizes, refusals) }

        func read() async throws(EngineError) -> StreamChunk? {
            guard !sizes.isEmpty else { return nil }
            let size = sizes.removeFirst()
            steps.append("\(size)")
            return .stdout([UInt8](repeating: 1, count: size))
        }

        func giveOutput(to socket: LentSocket, _ heads: OutputHeads) async -> Bool {
            steps.append("offered \(socket.duplicate()?.rawValue ?? -1), \(heads.stdout), \(heads.stderr)")
            refusals -= 1
            return refusals < 0
        }

        func write(_ bytes: [UInt8]) async throws(EngineError) {}
        func closeInput() async throws(EngineError) {}
        func close() async {}
    }

    @Test(
        "Once a piece is large the process is offered the connection, with each until it takes it",
        arguments: [
            (true, 0, ["10", "40000", "offered 1000000, [1, 0, 0, 0], [2, 0, 0, 0]", "20", "50000"]),
            (false, 0, ["10", "40000", "offered 1000000, [], []", "20", "50000"]),
            (
                false, 1,
                ["10", "40000", "offered 1000000, [], []", "20", "50000", "offered 1000000, [], []"]
            ),
        ] as [(Bool, Int, [String])])
    func lending(isFramed: Bool, refusals: Int, steps: [String]) async throws {
        let (reader, writer) = (Reader(), Writer([10, 40_000, 20, 50_000], refusals: refusals))
        await StdioSession(
            connection: reader, stream: writer, isFramed: isFramed, detachKeys: nil, hasInput: false,
            closesInput: false
        ).run()
        #expect(await writer.steps == steps)
        // What comes before is written by who has it, and so it is all written when more is asked for.
        #expect(reader.received.withLock { $0 } == [10, 40_000, 20, 50_000])
    }
}
