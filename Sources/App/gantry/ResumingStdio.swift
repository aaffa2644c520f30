import EngineAPI
import RemoteEngine

/// A container's stdio that outlives the process which hosts the engine: when that one goes, the next host is asked for
/// the same container, and reading and writing go on there.
///
/// What the container writes between two hosts is in its log, not here; what it reads may be given twice, if the host
/// went before it said that it had taken it.
final class ResumingStdio: AttachedStream {
    private let link: StdioLink

    /// Attaches; plain where this process is the host, for then nothing is left when it goes.
    static func attach(
        _ engine: FailoverEngine, _ reference: String, _ request: AttachRequest
    ) async throws(EngineError) -> any AttachedStream {
        let first = try await engine.attachOnce(reference, request)
        guard let host = first.host else { return first.stream }
        return ResumingStdio(
            StdioLink(engine: engine, reference: reference, request: request, stream: first.stream, host: host))
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
        let (stream, round) = await link.current
        do throws(EngineError) { return try await stream.write(bytes) } catch {
            guard error.kind == .unavailable, await link.isCut(in: round), try await link.reopened(after: round) else {
                throw error
            }
        }
        try await link.current.stream.write(bytes)
    }

    func closeInput() async throws(EngineError) { try await link.closeInput() }

    func close() async { await link.close() }
}

/// The connection that a `ResumingStdio` has now.
private actor StdioLink {
    private let engine: FailoverEngine
    private let reference: String
    private let request: AttachRequest
    private var stream: any AttachedStream
    /// The process that hosts the engine; nil where it is this one.
    private var host: Int32?
    private var round = 0
    private var hasEndedInput = false
    private(set) var isClosed = false
    private var reopening: Task<Result<Bool, EngineError>, Never>?

    init(
        engine: FailoverEngine, reference: String, request: AttachRequest, stream: any AttachedStream, host: Int32
    ) {
        self.engine = engine
        self.reference = reference
        self.request = request
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

    /// Connects anew, once for all who found the connection of that round cut; false where the container is over.
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
            let state = try await engine.inspect(reference).state
            // Not started yet is what `run` attaches to.
            guard state.isAlive || state.status == .created else { return .success(false) }
            let next = try await engine.attachOnce(reference, request)
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
    /// Attaches at the host of now; `host` is its process, nil for this one.
    fileprivate func attachOnce(
        _ reference: String, _ request: AttachRequest
    ) async throws(EngineError) -> (stream: any AttachedStream, host: Int32?) {
        try await act { engine throws(EngineError) in
            // Asked before: the host that answers here is not newer than the one that attaches.
            let host = engine is DockerEngine ? seat.socket.listener : nil
            return (try await engine.attach(reference, request), host)
        }
    }
}
