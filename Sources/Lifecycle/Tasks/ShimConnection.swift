import AsyncIO
import EngineAPI
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

    /// A request that was sent.
    private struct Waiting {
        /// Nil until somebody asks for the answer.
        var continuation: CheckedContinuation<ShimAnswer?, Never>?
        /// What came before it was asked for.
        var answer: ShimAnswer?
        /// After how many rounds in which nothing came the connection is given up.
        var limit: Int
        var silentRounds = 0
        /// How many frames had come at the last round.
        var heard: UInt64
    }

    private struct State {
        var nextTag: UInt32 = 1
        var waiting: [UInt32: Waiting] = [:]
        var hasEnded = false
        var isSilent = false
        /// How many frames have come.
        var heardCount: UInt64 = 0
        var tasks: [Task<Void, Never>] = []
        var watcher: Task<Void, Never>?
    }

    let id: String
    let shim: ShimProcess
    /// What the shim speaks.
    let version: UInt16
    private let patience: Duration
    private let socket: AsyncSocket
    private let outbox: AsyncStream<[UInt8]>.Continuation
    private let state: Mutex<State>

    /// Connects and greets.
    ///
    /// - Parameters:
    ///   - greeting: what the shim may take to answer the greeting.
    ///   - patience: what it may take for what it answers at once.
    ///   - first: sent together with the greeting, so that nothing waits for its answer; `answer(toFirst:)` gives theirs.
    ///   - onNotice: called from the connection's own task, in order; `.ended` is the last.
    init(
        to directory: ShimDirectory, greeting: Duration, patience: Duration, first: [ShimRequest] = [],
        onNotice: @escaping @Sendable (ShimConnection, Notice) async -> Void
    ) async throws(EngineError) {
        id = directory.id
        self.patience = patience
        var opening = State()
        var frames: [UInt8] = []
        for request in first {
            frames += request.frame(tag: opening.nextTag).bytes
            opening.waiting[opening.nextTag] = Waiting(limit: Self.longLimit, heard: 0)
            opening.nextTag += 1
        }
        state = Mutex(opening)
        let greeted = try await GreetedSocket.open(directory, patience: greeting, followedBy: frames)
        socket = greeted.socket
        shim = greeted.shim
        version = greeted.version
        let (outgoing, outbox) = AsyncStream.makeStream(of: [UInt8].self)
        self.outbox = outbox
        let socket = greeted.socket
        let writing = AsyncSocket.taskOnWaitingThread {
            for await bytes in outgoing {
                // The reading side sees the end as well, and tells everybody.
                do { try await socket.write(bytes) } catch { return socket.close() }
            }
        }
        // What a shim answers, and tells, is decided on at once: it is mostly that somebody may go on.
        let reading = AsyncSocket.taskOnWaitingThread { [weak self] in
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
        if !first.isEmpty { watch() }
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
            let tag = state.nextTag
            state.nextTag &+= 1
            let limit = isAnsweredAtOnce ? Self.shortLimit : Self.longLimit
            guard !state.hasEnded else { return tag }
            state.waiting[tag] = Waiting(limit: limit, heard: state.heardCount)
            // The round that is under way is none of its own.
            if state.watcher != nil { state.waiting[tag]?.silentRounds = -1 }
            return tag
        }
        outbox.yield(request.frame(tag: tag).bytes)
        watch()
        return try await answer(to: tag)
    }

    /// Sends a request whose answer nobody needs.
    func tell(_ request: ShimRequest) { outbox.yield(request.frame(tag: Self.unheededTag).bytes) }

    /// The answer to a request that went out with the greeting, by its place among them. Once for each.
    func answer(toFirst index: Int) async throws(EngineError) -> ShimAnswer {
        try await answer(to: UInt32(index) + 1)
    }

    private func answer(to tag: UInt32) async throws(EngineError) -> ShimAnswer {
        let answer: ShimAnswer? = await withCheckedContinuation { continuation in
            let (isHere, answer) = state.withLock { state -> (Bool, ShimAnswer?) in
                guard let waiting = state.waiting[tag], waiting.answer == nil else {
                    return (true, state.waiting.removeValue(forKey: tag)?.answer)
                }
                state.waiting[tag]?.continuation = continuation
                return (false, nil)
            }
            if isHere { continuation.resume(returning: answer) }
        }
        switch answer {
        case .failed(let failure): throw EngineError(failure, task: id)
        case .some(let answer): return answer
        case nil:
            let fate = state.withLock { $0.isSilent } ? "does not answer" : "is gone"
            throw EngineError(.unavailable, "the shim of \(id) \(fate)", object: id)
        }
    }

    /// By halves of the patience, since this process may have been stopped itself: then one is over at once, and what has
    /// come is yet to be read.
    private static let shortLimit = 2
    private static let longLimit = 4

    /// Has one task look at the requests that wait, for as long as there are any; it serves those that come meanwhile, too:
    /// nearly all are answered long before the first round is over.
    private func watch() {
        state.withLock { state in
            guard state.watcher == nil, !state.hasEnded else { return }
            let pause = patience / 2
            state.watcher = Task { [weak self] in
                repeat {
                    // Cancelled: the connection has ended.
                    do { try await Task.sleep(for: pause) } catch { return }
                } while self?.goesOn() == true
            }
        }
    }

    /// A round is over. False, and the task is forgotten, where nothing waits any more.
    private func goesOn() -> Bool {
        let (isWaiting, isSilent) = state.withLock { state in
            for (tag, request) in state.waiting where request.answer == nil {
                let isNews = request.heard != state.heardCount
                state.waiting[tag]?.silentRounds = isNews ? 0 : request.silentRounds + 1
                state.waiting[tag]?.heard = state.heardCount
            }
            let waiting = state.waiting.values.filter { $0.answer == nil }
            state.isSilent = waiting.contains { $0.silentRounds >= $0.limit }
            if waiting.isEmpty { state.watcher = nil }
            return (!waiting.isEmpty, state.isSilent)
        }
        if isSilent { end() } else if isWaiting { tell(.survey) }
        return isWaiting && !isSilent
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
        let (waiting, watcher) = state.withLock { state in
            state.hasEnded = true
            defer {
                // An answer that is here already is still to be asked for.
                state.waiting = state.waiting.filter { $0.value.answer != nil }
                state.watcher = nil
            }
            return (state.waiting.values.compactMap(\.continuation), state.watcher)
        }
        watcher?.cancel()
        for continuation in waiting { continuation.resume(returning: nil) }
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
            let continuation = state.withLock { state -> CheckedContinuation<ShimAnswer?, Never>? in
                guard let waiting = state.waiting[frame.tag] else { return nil }
                if waiting.continuation == nil {
                    state.waiting[frame.tag]?.answer = answer
                } else {
                    state.waiting[frame.tag] = nil
                }
                return waiting.continuation
            }
            continuation?.resume(returning: answer)
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
