import AsyncIO
import EngineAPI
import Glibc
import Linux
import ShimAPI
import Synchronization

/// A control connection to a shim: any number of requests at once, and the shim's reports.
final class ShimConnection: Sendable {
    /// What the connection tells besides answers.
    enum Notice: Sendable {
        case report(ShimReport)
        /// The connection is over: the shim has ended, or was killed.
        case ended
    }

    private struct State {
        var nextTag: UInt32 = 1
        var waiting: [UInt32: CheckedContinuation<ShimAnswer?, Never>] = [:]
        var hasEnded = false
        var isSilent = false
        /// How many frames have come.
        var heardCount: UInt64 = 0
        var tasks: [Task<Void, Never>] = []
    }

    let id: String
    let shim: ShimProcess
    private let patience: Duration
    private let socket: AsyncSocket
    private let outbox: AsyncStream<[UInt8]>.Continuation
    private let state = Mutex(State())

    /// Connects and greets.
    ///
    /// - Parameters:
    ///   - greeting: what the shim may take to answer the greeting.
    ///   - patience: what it may take for what it answers at once.
    ///   - onNotice: called from the connection's own task, in order; `.ended` is the last.
    init(
        to directory: ShimDirectory, greeting: Duration, patience: Duration,
        onNotice: @escaping @Sendable (ShimConnection, Notice) async -> Void
    ) async throws(EngineError) {
        id = directory.id
        self.patience = patience
        let greeted = try await GreetedSocket.open(directory, patience: greeting)
        socket = greeted.socket
        shim = greeted.shim
        let (outgoing, outbox) = AsyncStream.makeStream(of: [UInt8].self)
        self.outbox = outbox
        let socket = greeted.socket
        let writing = Task {
            for await bytes in outgoing {
                // The reading side sees the end as well, and tells everybody.
                do { try await socket.write(bytes) } catch { return socket.close() }
            }
        }
        let reading = Task { [weak self] in
            var decoder = greeted.decoder
            while let frame = await Self.nextFrame(&decoder, socket) {
                guard let connection = self else { break }
                guard await connection.take(frame, onNotice) else { break }
            }
            guard let connection = self else { return socket.close() }
            connection.end()
            await onNotice(connection, .ended)
        }
        state.withLock { $0.tasks = [writing, reading] }
    }

    deinit { close() }

    /// Sends a request and waits for its answer. A refusal is thrown with its kind; a lost connection as `unavailable`.
    ///
    /// A request may take its time, but a shim's loop waits for nothing: where nothing comes from it any more, though it is
    /// asked how it is meanwhile, it was stopped or hangs in the kernel, and the connection ends.
    ///
    /// - Parameter isAnsweredAtOnce: the answer is due within the patience; else a sign of life within twice that.
    func request(_ request: ShimRequest, isAnsweredAtOnce: Bool = false) async throws(EngineError) -> ShimAnswer {
        let tag = state.withLock { state in
            defer { state.nextTag &+= 1 }
            return state.nextTag
        }
        let watching = Task { await self.watch(silentRounds: isAnsweredAtOnce ? 2 : 4) }
        defer { watching.cancel() }
        let answer: ShimAnswer? = await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.hasEnded { state.waiting[tag] = continuation }
                return !state.hasEnded
            }
            guard isOpen else { return continuation.resume(returning: nil) }
            outbox.yield(request.frame(tag: tag).bytes)
        }
        switch answer {
        case .failed(let failure): throw EngineError(failure, task: id)
        case .some(let answer): return answer
        case nil:
            let fate = state.withLock { $0.isSilent } ? "does not answer" : "is gone"
            throw EngineError(.unavailable, "the shim of \(id) \(fate)", object: id)
        }
    }

    /// Ends the connection after so many halves of the patience in which nothing has come. By halves, since this process
    /// may have been stopped itself: then one is over at once, and what has come is yet to be read.
    private func watch(silentRounds limit: Int) async {
        var silentRounds = 0
        var heard = state.withLock { $0.heardCount }
        while silentRounds < limit {
            // Cancelled: the answer is there.
            do { try await Task.sleep(for: patience / 2) } catch { return }
            let now = state.withLock { $0.heardCount }
            silentRounds = now == heard ? silentRounds + 1 : 0
            heard = now
            outbox.yield(ShimRequest.survey.frame(tag: Self.unheededTag).bytes)
        }
        state.withLock { $0.isSilent = true }
        end()
    }

    /// Nobody waits for an answer with it.
    private static let unheededTag: UInt32 = 0

    /// Ends the connection; the shim goes on.
    func close() {
        end()
        let tasks = state.withLock { state in
            defer { state.tasks = [] }
            return state.tasks
        }
        for task in tasks { task.cancel() }
    }

    private func end() {
        let waiting = state.withLock { state in
            state.hasEnded = true
            defer { state.waiting = [:] }
            return state.waiting
        }
        for continuation in waiting.values { continuation.resume(returning: nil) }
        outbox.finish()
        socket.close()
    }

    /// False where the frame is none of this protocol: the connection is of no use any more.
    private func take(
        _ frame: ShimFrame, _ onNotice: @Sendable (ShimConnection, Notice) async -> Void
    ) async -> Bool {
        do {
            let answer = try ShimAnswer(frame)
            state.withLock { $0.heardCount += 1 }
            if case .report(let report) = answer {
                await onNotice(self, .report(report))
                return true
            }
            state.withLock { $0.waiting.removeValue(forKey: frame.tag) }?.resume(returning: answer)
            return true
        } catch { return false }
    }

    /// Nil at the end, for whatever reason.
    private static func nextFrame(_ decoder: inout ShimFrameDecoder, _ socket: AsyncSocket) async -> ShimFrame? {
        do {
            while true {
                if let frame = try decoder.next() { return frame }
                let bytes = try await socket.read()
                if bytes.isEmpty { return nil }
                decoder.append(bytes)
            }
        } catch { return nil }
    }
}

/// A connection on which both sides have said hello.
struct GreetedSocket: Sendable {
    let socket: AsyncSocket
    let shim: ShimProcess
    /// What came behind the hello.
    var decoder: ShimFrameDecoder

    /// `notFound` where nobody listens there; `unavailable` where the shim does not answer in time.
    static func open(
        _ directory: ShimDirectory, patience: Duration = ShimTaskService.patience
    ) async throws(EngineError) -> GreetedSocket {
        let socket = try connect(directory)
        let limit = SocketDeadlines.shared.close(socket, in: patience)
        defer { SocketDeadlines.shared.lift(limit) }
        do {
            try await socket.write(ShimRequest.hello(version: ShimFrame.version).frame(tag: 0).bytes)
            var decoder = ShimFrameDecoder()
            while true {
                if let frame = try decoder.next() {
                    guard case .hello(_, let shim) = try ShimAnswer(frame) else { break }
                    return GreetedSocket(socket: socket, shim: shim, decoder: decoder)
                }
                let bytes = try await socket.read()
                if bytes.isEmpty { break }
                decoder.append(bytes)
            }
        } catch {
            socket.close()
            let reason = SocketDeadlines.shared.lift(limit) ? "\(error)" : "it does not answer"
            throw EngineError(.unavailable, "greet the shim of \(directory.id): \(reason)", object: directory.id)
        }
        socket.close()
        throw EngineError(.unavailable, "greet the shim of \(directory.id): it hung up", object: directory.id)
    }

    private static func connect(_ directory: ShimDirectory) throws(EngineError) -> AsyncSocket {
        do {
            let place = OwnedDescriptor(try Descriptor.open(directory.path, O_RDONLY | O_DIRECTORY))
            return try AsyncSocket.connect(in: place.descriptor, name: ShimDirectory.socketName)
        } catch {
            switch error.errno {
            case .noSuchFile, .connectionRefused, .notDirectory: throw .noSuchTask(directory.id)
            default: throw EngineError(error, task: directory.id)
            }
        }
    }
}
