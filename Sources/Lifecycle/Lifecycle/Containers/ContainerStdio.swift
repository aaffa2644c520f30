import EngineAPI
import Linux

/// A container's own stdio and its log.
extension Container {
    /// Connects now, or, where the process is not made yet, right before it runs.
    package func attach(
        _ reference: String, _ request: AttachRequest
    ) async throws(EngineError) -> any AttachedStream {
        switch machine.phase {
        case .removing, .dead, .removed:
            throw EngineError(
                .conflict, "container \(reference) is marked for removal and cannot be attached to", object: reference)
        case .paused, .resuming, .pausing:
            throw EngineError(
                .conflict, "container \(reference) is paused, unpause the container before attach", object: reference)
        default: break
        }
        if isBetweenRuns {
            throw EngineError(
                .conflict, "container \(reference) is restarting, wait until the container is running",
                object: reference)
        }
        let live: any AttachedStream
        var direct = request
        // The log is replayed here, not by the shim, which keeps only the last of it.
        if defined({ $0.spec.log.keepsFiles }) { direct.logs = false }
        if hasTask, request.stream {
            live = try await context.tasks.attach(id, execID: nil, direct)
            noteGiver(direct)
        } else {
            let deferred = DeferredStream(direct)
            waitingStreams.removeAll(where: \.isClosed)
            if request.stream { waitingStreams.append(deferred) } else { deferred.end() }
            live = deferred
        }
        tellAtOnce("attach")
        guard request.logs, !direct.logs else { return ProcessStream(live, of: self) }
        var wanted = LogRequest()
        (wanted.stdout, wanted.stderr) = (request.stdout, request.stderr)
        return ProcessStream(ReplayedStream(log: try await logs(reference, wanted), then: live), of: self)
    }

    /// Connects who came before the process was made; called between its creation and its start.
    func connectStreams() async {
        let waiting = waitingStreams
        waitingStreams = []
        for deferred in waiting {
            do throws(EngineError) {
                let stream = try await context.tasks.attach(id, execID: nil, deferred.request)
                noteGiver(deferred.request)
                if !deferred.connect(stream) { await stream.close() }
            } catch {
                deferred.end(error)
            }
        }
    }

    /// Ends who still waits for a process that will not come.
    func endStreams() {
        let waiting = waitingStreams
        waitingStreams = []
        for deferred in waiting { deferred.end() }
    }

    /// Somebody looks at its processes.
    package func tellOfTop() async { await tell("top") }

    /// Sets the terminal's size; before the start it is kept for the process to find.
    package func resize(_ reference: String, to size: TerminalSize) async throws(EngineError) {
        initialSize = size
        // Of what has no terminal there is nothing to resize: no failure, as docker has it.
        guard hasTask, definition.spec.tty else { return }
        try await context.tasks.resize(id, execID: nil, to: size)
        await tell("resize", ["width": String(size.columns), "height": String(size.rows)])
    }

    package func logs(
        _ reference: String, _ request: LogRequest
    ) async throws(EngineError) -> EngineStream<LogBatch> {
        guard definition.spec.log.keepsFiles else {
            throw EngineError(
                .unsupported, "configured logging driver does not support reading", object: reference)
        }
        do {
            return try await LogStream.open(
                path: context.roots.log(id), request: request, isCompact: definition.spec.log.filesAreCompact
            ) { [weak self] in
                await self?.waitUntilOver()
            }
        } catch {
            throw EngineError(error, object: reference)
        }
    }

    /// Returns once no process runs that could still write a line.
    private func waitUntilOver() async {
        while machine.run != nil, !Task.isCancelled {
            let generation = changed.generation
            await changed.wait(after: generation)
        }
    }
}

/// What the log holds, then what comes. A line written while the log is read may come twice, none is missing.
private actor ReplayedStream: WrappingStream {
    private var log: EngineStream<LogBatch>?
    private var pending: [StreamChunk] = []
    let wrapped: any AttachedStream

    init(log: EngineStream<LogBatch>, then live: any AttachedStream) {
        self.log = log
        wrapped = live
    }

    func read() async throws(EngineError) -> StreamChunk? {
        while pending.isEmpty, let log {
            do {
                let entries = try await log.next()
                if entries == nil { self.log = nil }
                pending = (entries ?? LogBatch()).reversed().map { entry in
                    entry.source == .stdout ? .stdout(entry.bytes) : .stderr(entry.bytes)
                }
            } catch let error as EngineError {
                throw error
            } catch {
                throw EngineError(.internal, "read the log: \(error)")
            }
        }
        if let chunk = pending.popLast() { return chunk }
        return try await wrapped.read()
    }

    /// Not before the log is through: the process would wait for that.
    func giveOutput(to socket: LentSocket, _ heads: OutputHeads) async -> Bool {
        guard log == nil, pending.isEmpty else { return false }
        return await wrapped.giveOutput(to: socket, heads)
    }
}
