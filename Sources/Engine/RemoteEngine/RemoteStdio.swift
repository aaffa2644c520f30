import AsyncIO
import DockerAPI
import EngineAPI
import JSON
import Linux
import Synchronization
import Transport

extension DockerEngine {
    package func attach(
        _ reference: String, _ request: AttachRequest
    ) async throws(EngineError) -> any AttachedStream {
        var query = QueryString()
        query.add("stream", request.stream)
        query.add("stdin", request.stdin)
        query.add("stdout", request.stdout)
        query.add("stderr", request.stderr)
        query.add("logs", request.logs)
        if !request.holdsBack { query.add(AttachRequest.mayLoseQuery, true) }
        query.add(ExecStartRequest.resumesQuery, resumesSessions)
        // Servers before 1.42 do not say whether there will be frames.
        let isFramed: Bool? = try await saysFraming() ? nil : try await !inspect(reference).spec.tty
        let answer = try await client.hijack(containerPath(reference, "attach"), query, object: reference)
        return RemoteStdio(answer.connection, client, isFramed: isFramed ?? Self.isFramed(answer.fields))
    }

    package func resize(_ reference: String, to size: TerminalSize) async throws(EngineError) {
        try await client.perform("POST", containerPath(reference, "resize"), size.dockerQuery, object: reference)
    }

    package func createExec(_ reference: String, _ spec: ExecSpec) async throws(EngineError) -> String {
        let body = try await client.json(
            "POST", containerPath(reference, "exec"), body: spec.dockerBody, object: reference)
        guard let id = body.filledText("Id") else { throw Self.unreadable("exec", reference) }
        return id
    }

    package func startExec(_ id: String, size: TerminalSize?) async throws(EngineError) -> any AttachedStream {
        let isTerminal = try await inspectExec(id).spec.tty
        let request = ExecStartRequest(detach: false, tty: isTerminal, size: isTerminal ? size : nil)
        let answer = try await startExec(id, request, goesOn: false)
        // Servers before 1.42 do not look at the size in the request. One that cannot be set is no reason to fail.
        if let size = request.size, try await !saysFraming() { try? await resizeExec(id, to: size) }
        return RemoteStdio(answer.connection, client, isFramed: !isTerminal)
    }

    package func attachExec(_ id: String) async throws(EngineError) -> any AttachedStream {
        // An engine that is none of ours takes it for a second start, and refuses that in its words.
        let isTerminal = try await inspectExec(id).spec.tty
        let request = ExecStartRequest(detach: false, tty: isTerminal, size: nil)
        let answer = try await startExec(id, request, goesOn: true)
        return RemoteStdio(answer.connection, client, isFramed: !isTerminal)
    }

    private func startExec(
        _ id: String, _ request: ExecStartRequest, goesOn: Bool
    ) async throws(EngineError) -> (fields: HTTPFields, connection: HijackedConnection) {
        var query = QueryString()
        query.add(ExecStartRequest.goesOnQuery, goesOn)
        query.add(ExecStartRequest.resumesQuery, resumesSessions)
        return try await client.hijack(
            execPath(id, "start"), query, body: .bytes(request.dockerBody.compactBytes), object: id)
    }

    package func startExecDetached(_ id: String) async throws(EngineError) {
        let request = ExecStartRequest(detach: true, tty: false, size: nil)
        try await client.perform("POST", execPath(id, "start"), body: request.dockerBody, object: id)
    }

    package func resizeExec(_ id: String, to size: TerminalSize) async throws(EngineError) {
        try await client.perform("POST", execPath(id, "resize"), size.dockerQuery, object: id)
    }

    package func inspectExec(_ id: String) async throws(EngineError) -> ExecDetails {
        guard let details = ExecDetails(dockerBody: try await client.json("GET", execPath(id, "json"), object: id))
        else { throw Self.unreadable("exec", id) }
        return details
    }

    private func execPath(_ id: String, _ action: String) -> String { "/exec/\(Percent.encoded(id))/\(action)" }

    /// Whether the server's content types tell framed output from raw.
    func saysFraming() async throws(EngineError) -> Bool { try await client.server().version >= APIVersion(1, 42) }

    static func isFramed(_ fields: HTTPFields) -> Bool {
        fields["Content-Type"]?.contains("multiplexed-stream") ?? false
    }
}

/// A hijacked connection as a process's stdio.
final class RemoteStdio: AttachedStream {
    fileprivate struct State {
        var demultiplexer: StreamDemultiplexer?
        var ready: [StreamChunk] = []
        var isClosed = false
    }

    private let connection: HijackedConnection
    private let client: EngineClient
    /// Those of a local server; nil where the output is one stream, or comes by another way.
    private let frames: FrameSource?
    private let state: Mutex<State>

    init(_ connection: HijackedConnection, _ client: EngineClient, isFramed: Bool) {
        self.connection = connection
        self.client = client
        frames =
            isFramed
            ? connection.frames(headSize: StreamFrame.headerLength) { head in
                // Why it is none is asked where that is told.
                try? StreamFrame.parse(head: head[...]).byteCount
            } : nil
        state = Mutex(State(demultiplexer: isFramed ? StreamDemultiplexer() : nil))
    }

    func read() async throws(EngineError) -> StreamChunk? {
        if let frames { return try await readFrame(frames) }
        while true {
            let (next, isClosed) = state.withLock { state in
                (state.ready.isEmpty ? nil : state.ready.removeFirst(), state.isClosed)
            }
            if let next { return next }
            if isClosed { return nil }
            guard let bytes = try await receive() else { return nil }
            let failure = state.withLock { $0.take(bytes) }
            if let failure { throw Self.unreadable("\(failure)") }
        }
    }

    private func readFrame(_ frames: FrameSource) async throws(EngineError) -> StreamChunk? {
        while true {
            let part: FrameSource.Part
            do throws(KernelError) { part = try await frames.next() } catch {
                // A connection whose reader is cancelled is of no further use.
                let isClosed = state.withLock { $0.isClosed }
                await connection.close()
                if isClosed { return nil }
                throw client.engineError(.closed, "read output")
            }
            switch part {
            case .end: return nil
            case .malformed(let head), .bytes(_, let head, _):
                let channel: StreamFrame.Channel
                do throws(StreamDemultiplexer.Failure) {
                    channel = try StreamFrame.parse(head: head[...]).channel
                } catch { throw Self.unreadable("\(error)") }
                guard case .bytes(let bytes, _, _) = part, !bytes.isEmpty else { continue }
                return channel == .stdout ? .stdout(bytes) : .stderr(bytes)
            }
        }
    }

    private static func unreadable(_ reason: String) -> EngineError {
        EngineError(.internal, "the stream of output cannot be read: \(reason)")
    }

    private func receive() async throws(EngineError) -> [UInt8]? {
        do throws(TransportError) {
            return try await connection.readUntilCancelled()
        } catch {
            if state.withLock({ $0.isClosed }) { return nil }
            throw client.engineError(error, "read output")
        }
    }

    func write(_ bytes: [UInt8]) async throws(EngineError) {
        let connection = connection
        try await client.perform("write input") { _ throws(TransportError) in try await connection.send(bytes) }
    }

    func passInput(from pipe: Descriptor) async throws(EngineError) -> PassedInput {
        let connection = connection
        guard connection.isPlain else { return .notByThisWay }
        let count = try await client.perform("write input") { _ throws(TransportError) in
            try await connection.send(from: pipe)
        }
        return switch count {
        case nil: .nothingThere
        case 0: .ended
        case let count?: .passed(byteCount: count)
        }
    }

    func closeInput() async throws(EngineError) { await connection.closeOutput() }

    func close() async {
        state.withLock { $0.isClosed = true }
        await connection.close()
    }
}

extension RemoteStdio.State {
    /// Takes received bytes in; gives the reason where they are no frames.
    fileprivate mutating func take(_ bytes: [UInt8]) -> StreamDemultiplexer.Failure? {
        do throws(StreamDemultiplexer.Failure) {
            guard let frames = try demultiplexer?.feed(bytes) else {
                ready.append(.stdout(bytes))
                return nil
            }
            for frame in frames {
                ready.append(frame.channel == .stdout ? .stdout(frame.bytes) : .stderr(frame.bytes))
            }
            return nil
        } catch {
            return error
        }
    }
}
