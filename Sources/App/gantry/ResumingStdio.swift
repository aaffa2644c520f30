import EngineAPI
import Linux
import RemoteEngine

/// A process's stdio that outlives the process which hosts the engine: when that one goes, the next host is asked for
/// the same container or exec, and reading and writing go on there.
///
/// What a container writes between two hosts is in its log, not here. What an exec writes then waits for some seconds, also
/// where it ends. What they read may be given twice, if the host went before it said that it had taken it.
final class ResumingStdio: AttachedStream {
    private let link: StdioLink

    /// Attaches to a container.
    static func attach(
        _ engine: FailoverEngine, _ reference: String, _ request: AttachRequest
    ) async throws(EngineError) -> any AttachedStream {
        let open: StdioLink.Opening = { host throws(EngineError) in
            var request = request
            request.isOfHost = !(host is DockerEngine)
            return try await host.attach(reference, request)
        }
        return try await connect(
            engine, first: open, next: open,
            isOver: { () throws(EngineError) in
                let state = try await engine.inspect(reference).state
                // Not started yet is what `run` attaches to.
                return !state.isAlive && state.status != .created
            })
    }

    /// Starts an exec.
    static func startExec(
        _ engine: FailoverEngine, _ id: String, _ size: TerminalSize?
    ) async throws(EngineError) -> any AttachedStream {
        try await connect(
            engine,
            first: { host throws(EngineError) in try await host.startExec(id, size: size) },
            next: { host throws(EngineError) in
                do throws(EngineError) { return try await host.attachExec(id) } catch {
                    // It is over, and nothing is kept of it.
                    throw error.kind == .conflict ? EngineError(.notFound, error.message, object: id) : error
                }
            },
            // That it has ended does not say that all it wrote has come.
            isOver: { false })
    }

    /// Plain where this process is the host, for then nothing is left when it goes.
    private static func connect(
        _ engine: FailoverEngine, first: StdioLink.Opening, next: @escaping StdioLink.Opening,
        isOver: @escaping StdioLink.Question
    ) async throws(EngineError) -> any AttachedStream {
        let opened = try await engine.open(first)
        guard let host = opened.host else { return opened.stream }
        return ResumingStdio(
            StdioLink(engine: engine, open: next, isOver: isOver, stream: opened.stream, host: host))
    }

    private init(_ link: StdioLink) { self.link = link }

    func read() async throws(EngineError) -> StreamChunk? {
        while true {
            let (stream, round) = await link.current
            do throws(EngineError) {
                if let chunk = try await stream.read() { return chunk }
                guard await link.isCut(in: round) else { return nil }
            } catch {
                guard error.kind == .unavailable, await !link.isClosed else { throw error }
            }
            // A reader that is given up finds each stream cut: it would connect anew for ever.
            guard !Task.isCancelled else { return nil }
            guard try await link.reopened(after: round) else { return nil }
        }
    }

    func write(_ bytes: [UInt8]) async throws(EngineError) {
        try await resuming { stream throws(EngineError) in try await stream.write(bytes) }
    }

    func passInput(from pipe: Descriptor) async throws(EngineError) -> PassedInput {
        try await resuming { stream throws(EngineError) in try await stream.passInput(from: pipe) }
    }

    /// Gives input, once more where the host went meanwhile.
    private func resuming<Value: Sendable>(
        _ give: (any AttachedStream) async throws(EngineError) -> Value
    ) async throws(EngineError) -> Value {
        let (stream, round) = await link.current
        do throws(EngineError) { return try await give(stream) } catch {
            guard error.kind == .unavailable, await link.isCut(in: round), try await link.reopened(after: round) else {
                throw error
            }
        }
        return try await give(link.current.stream)
    }

    func closeInput() async throws(EngineError) { try await link.closeInput() }

    func close() async { await link.close() }
}

/// The connection that a `ResumingStdio` has now.
private actor StdioLink {
    typealias Opening = @Sendable (any Engine) async throws(EngineError) -> any AttachedStream
    typealias Question = @Sendable () async throws(EngineError) -> Bool

    private let engine: FailoverEngine
    private let open: Opening
    /// Whether the process has ended.
    private let isOver: Question
    private var stream: any AttachedStream
    /// The process that hosts the engine; nil where it is this one.
    private var host: Int32?
    private var round = 0
    private var hasEndedInput = false
    private(set) var isClosed = false
    private var reopening: Task<Result<Bool, EngineError>, Never>?

    init(
        engine: FailoverEngine, open: @escaping Opening, isOver: @escaping Question, stream: any AttachedStream,
        host: Int32
    ) {
        self.engine = engine
        self.open = open
        self.isOver = isOver
        self.stream = stream
        self.host = host
    }

    var current: (stream: any AttachedStream, round: Int) { (stream, round) }

    /// Whether the end of a round's stream is that of its host, not of the container's output. Where another caller has
    /// connected anew meanwhile, it was.
    func isCut(in ended: Int) async -> Bool {
        guard !isClosed else { return false }
        guard ended == round, let host else { return ended != round }
        let isServed = await engine.seat.socket.isServed(by: host)
        return !isClosed && (!isServed || ended != round)
    }

    /// Connects anew, once for all who found the connection of that round cut; false where the process is over.
    func reopened(after lost: Int) async throws(EngineError) -> Bool {
        if round != lost { return true }
        let running = reopening ?? Task { await reopen() }
        reopening = running
        let result = await running.value
        // Whoever goes on late must not forget one that was begun after it.
        if reopening == running { reopening = nil }
        return try result.get()
    }

    private func reopen() async -> Result<Bool, EngineError> {
        do throws(EngineError) {
            await stream.close()
            guard try await !isOver() else { return .success(false) }
            let next = try await engine.open(open, isFurther: true)
            if hasEndedInput { try await next.stream.closeInput() }
            (stream, host) = next
            round += 1
            if isClosed { await next.stream.close() }
            return .success(!isClosed)
        } catch {
            // Removed as soon as it was over.
            return error.kind == .notFound ? .success(false) : .failure(error)
        }
    }

    func closeInput() async throws(EngineError) {
        hasEndedInput = true
        try await stream.closeInput()
    }

    func close() async {
        isClosed = true
        reopening?.cancel()
        await stream.close()
    }
}

extension FailoverEngine {
    /// Connects at the host of now; `host` is its process, nil for this one.
    ///
    /// - Parameter isFurther: it is to what runs already, and may be asked again of the next host.
    fileprivate func open(
        _ opening: StdioLink.Opening, isFurther: Bool = false
    ) async throws(EngineError) -> (stream: any AttachedStream, host: Int32?) {
        let connect = {
            (engine: any Engine) async throws(EngineError) -> (stream: any AttachedStream, host: Int32?) in
            // Asked before: the host that answers here is not newer than the one that attaches.
            let host = engine is DockerEngine ? seat.socket.listener : nil
            return (try await opening(engine), host)
        }
        return try await isFurther ? ask(connect) : act(connect)
    }
}
