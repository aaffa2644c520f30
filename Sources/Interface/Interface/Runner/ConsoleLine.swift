import EngineAPI

/// The connection of one console: a task that reads for it and writes for it.
struct ConsoleLine {
    enum Command: Sendable {
        case input([UInt8])
        case endOfInput
        case resize(TerminalSize)
        case repaint(TerminalSize)
    }

    private let task: Task<Void, Never>
    private let commands: AsyncStream<Command>.Continuation

    init(
        _ id: ConsoleID, _ source: ConsoleSource, _ size: TerminalSize, engine: any Engine, mailbox: Mailbox,
        shelf: StreamShelf
    ) {
        let (stream, continuation) = AsyncStream.makeStream(of: Command.self, bufferingPolicy: .bufferingOldest(1024))
        commands = continuation
        task = Task {
            await ConsoleSession(id: id, engine: engine, mailbox: mailbox, shelf: shelf).run(source, size, stream)
        }
    }

    /// Queues a command; false where the program has not read for so long that no more is kept.
    func send(_ command: Command) -> Bool {
        if case .dropped = commands.yield(command) { return false }
        return true
    }

    func close() {
        commands.finish()
        task.cancel()
    }
}

/// One attachment, from opening to its end.
struct ConsoleSession: Sendable {
    let id: ConsoleID
    let engine: any Engine
    let mailbox: Mailbox
    let shelf: StreamShelf

    /// What was opened.
    private struct Line: Sendable {
        var stream: any AttachedStream
        var takesInput: Bool
        var isTTY: Bool
        var execID: String?
    }

    /// Lines of a container's log that are shown before what it writes now.
    private static let replayedLines = 200

    func run(_ source: ConsoleSource, _ size: TerminalSize, _ commands: AsyncStream<ConsoleLine.Command>) async {
        do throws(EngineError) {
            guard let line = try await open(source, size) else { return }
            mailbox.post(.console(id, .attached(takesInput: line.takesInput, tty: line.isTTY)))
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await write(commands, to: line) }
                await read(line.stream)
                group.cancelAll()
            }
            await line.stream.close()
            guard !Task.isCancelled else { return }
            mailbox.post(.console(id, await lastWords(line)))
        } catch {
            guard !Task.isCancelled else { return }
            mailbox.post(.console(id, .ended(error.message)))
        }
    }

    /// Nil where there is nothing to attach to, which is then said.
    private func open(_ source: ConsoleSource, _ size: TerminalSize) async throws(EngineError) -> Line? {
        switch source {
        case .exec(let containerID, let spec):
            let execID = try await engine.createExec(containerID, spec)
            let stream = try await engine.startExec(execID, size: spec.tty ? size : nil)
            return Line(stream: stream, takesInput: spec.attachStdin, isTTY: spec.tty, execID: execID)
        case .container(let source): return try await open(source)
        }
    }

    private func open(_ source: ContainerSource) async throws(EngineError) -> Line? {
        if source.isAlreadyAttached, let shelved = await shelf.take(source.id) {
            return Line(stream: shelved.stream, takesInput: shelved.takesInput, isTTY: shelved.isTTY)
        }
        if !source.isHurried {
            do { try await Task.sleep(for: .milliseconds(120)) } catch { return nil }
        }
        await replay(source)
        guard source.isAlive else {
            mailbox.post(.console(id, await containerState(source.id)))
            return nil
        }
        let spec = try await engine.inspect(source.id).spec
        do throws(EngineError) {
            let stream = try await engine.attach(source.id, AttachRequest(stdin: spec.openStdin))
            return Line(stream: stream, takesInput: spec.openStdin, isTTY: spec.tty)
        } catch {
            guard error.kind == .conflict else { throw error }
            // It is in no state to be attached to, which is told in words of our own.
            mailbox.post(.console(id, await containerState(source.id)))
            return nil
        }
    }

    private func replay(_ source: ContainerSource) async {
        var request = LogRequest()
        request.tail = Self.replayedLines
        request.since = source.replaySince
        // Of a terminal an engine sends the log as it is: a time would stand behind a prompt that has no line end.
        request.times = false
        do {
            for try await entries in try await engine.logs(source.id, request) {
                await mailbox.deliver(.console(id, .replay(entries.bytes)))
            }
        } catch {
            // A container without a log has nothing to show of before; what it writes now is shown all the same.
        }
    }

    private func read(_ stream: any AttachedStream) async {
        do throws(EngineError) {
            while let chunk = try await stream.read() {
                for piece in chunk.pieces { await mailbox.deliver(.console(id, .output(piece))) }
            }
        } catch {
            guard !Task.isCancelled, error.kind != .cancelled else { return }
            mailbox.post(.failed(error.message))
        }
    }

    private func write(_ commands: AsyncStream<ConsoleLine.Command>, to line: Line) async {
        for await command in commands {
            do throws(EngineError) {
                switch command {
                case .input(let bytes): try await line.stream.write(bytes)
                case .endOfInput: try await line.stream.closeInput()
                case .resize(let size): try await resize(line, to: size)
                case .repaint(let size):
                    var other = size
                    other.rows = size.rows > 1 ? size.rows - 1 : size.rows + 1
                    try await resize(line, to: other)
                    try await resize(line, to: size)
                }
            } catch {
                // The process has ended, or is about to be told as ended: its reader says so.
                continue
            }
        }
    }

    private func resize(_ line: Line, to size: TerminalSize) async throws(EngineError) {
        guard line.isTTY else { return }
        if let execID = line.execID {
            try await engine.resizeExec(execID, to: size)
        } else {
            try await engine.resize(id.containerID, to: size)
        }
    }

    private func lastWords(_ line: Line) async -> ConsoleNews {
        guard let execID = line.execID else { return await containerState(id.containerID) }
        // The stream ends with the last byte, the process a moment later, and no call of the engine waits for an exec.
        for _ in 0..<25 {
            // An engine that has forgotten the exec already has nothing more to tell of it.
            guard let exec = try? await engine.inspectExec(execID) else { break }
            if let code = exec.exitCode { return .ended("ended (\(code))") }
            do { try await Task.sleep(for: .milliseconds(20)) } catch { break }
        }
        return .ended("ended")
    }

    private func containerState(_ id: String) async -> ConsoleNews {
        // The stream ends with the last byte; that its container has ended is known a moment later.
        for _ in 0..<25 {
            let state: ContainerState
            do throws(EngineError) { state = try await engine.inspect(id).state } catch {
                return error.kind == .notFound ? .ended("removed") : .lost
            }
            switch state.status {
            case .exited, .dead: return .ended("exited (\(ExitWords.describe(state)))")
            case .restarting: return .ended("exited (\(ExitWords.describe(state))), is started again")
            case .created: return .ended(state.error.isEmpty ? "not started yet; S starts it" : state.error)
            case .paused: return .paused
            case .running, .removing: break
            }
            do { try await Task.sleep(for: .milliseconds(20)) } catch { break }
        }
        return .lost
    }
}

extension StreamChunk {
    /// In messages that the main loop takes in little time each, so that it looks at the keyboard between them.
    fileprivate var pieces: [StreamChunk] {
        switch self {
        case .stdout(let bytes): Self.cut(bytes).map { .stdout($0) }
        case .stderr(let bytes): Self.cut(bytes).map { .stderr($0) }
        case .lost: [self]
        }
    }

    private static func cut(_ bytes: [UInt8]) -> [[UInt8]] {
        let length = 4 << 10
        guard bytes.count > length else { return [bytes] }
        return stride(from: 0, to: bytes.count, by: length).map { Array(bytes[$0..<min($0 + length, bytes.count)]) }
    }
}
