import AsyncIO
import DockerAPI
import EngineAPI
import Transport

/// A connection given up to bytes, joined to a process's stdio, until one of them ends.
///
/// The task is cancelled when the client is gone; what it reads then ends.
///
/// What a byte costs on its way from an exec to its client, in CPU nanoseconds on the machine of the README's figures, in
/// pieces of 64 KiB; each process reads a piece once and sends it once from where it was read to:
///
///     process ──pipe──► shim ──socket──► engine ──socket──► client
///      dd 0.15          0.3              0.3              ours 0.25, docker's 0.25
///
/// What comes, or goes, in quantity therefore does not pass by here: the shim is lent the client's socket.
struct StdioSession: Sendable {
    let connection: any ByteLink
    let stream: any AttachedStream
    /// Output in docker's frames; false for a terminal.
    let isFramed: Bool
    /// Looked for in the input of a terminal; nil for none.
    let detachKeys: DetachKeys?
    let hasInput: Bool
    /// What the end of the client's input means: the end of the process's, or that the client leaves.
    let closesInput: Bool
    /// Whether it is the end of the process's input, too, that a client is gone without a word: nobody else would ever end
    /// it. Asked when that is so.
    var closesInputWhenGone: @Sendable () -> Bool = { false }
    /// The session among what its server's end would take from clients.
    var pending: PendingWork.Piece?
    /// How long the client may take to close its side once the output is over.
    static let farewell: Duration = .seconds(2)
    /// How long a process may take for the input of a client that is gone before nobody who parts waits for it any more.
    var delivery: Duration = .seconds(10)
    /// A piece of so much input is one of many: docker's client reads and sends by so much.
    private static let quantityBytes = 32 << 10
    /// How many pieces are passed on before others have their turn.
    private static let turn = 16

    func run() async {
        // A task for what comes from a client whose input nobody wants would cost each that only looks on 3 KB.
        if hasInput || connection.mustBeRead { await runBothWays() } else { await runOutput() }
        await stream.close()
        pending?.end()
    }

    private func runBothWays() async {
        // Not cancelled when the client is gone: what it has sent until then is the process's.
        let input = Task { await passInput() }
        await passOutput()
        // The input's task now reads and forgets, so that the client gets all output and an orderly end.
        await part(input)
    }

    /// What the client sends stays where it is until the output is over. That it is gone is told by this task's end.
    private func runOutput() async {
        await passOutput()
        if await !connection.part(within: Self.farewell) { await part(Task { await forgetInput() }) }
    }

    /// Gives the client time to close its side, which the task of its input notices, and closes.
    private func part(_ input: Task<Void, Never>) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await input.value }
            group.addTask { await sayFarewell() }
            await group.next()
            group.cancelAll()
            // Ends the reading. That of a client which is gone ends by itself, behind all that it had sent.
            if !Task.isCancelled { await connection.close() }
            await deliver(input)
        }
        await connection.close()
    }

    /// Gives the process what a client that is gone has sent, whenever it takes that, as docker does. What it writes meanwhile
    /// is for nobody: unread, it would hold the process back, which then might never come to read.
    private func deliver(_ input: Task<Void, Never>) async {
        let output = Task { await forgetOutput() }
        let limit = Task {
            // Cancelled: all has been taken.
            guard (try? await Task.sleep(for: delivery)) != nil else { return }
            // It may well be that it never takes it.
            pending?.end()
        }
        await input.value
        limit.cancel()
        output.cancel()
        await output.value
    }

    private func forgetOutput() async {
        // Whatever its end is, nobody waits for it.
        while (try? await stream.read()) != nil {}
    }

    /// Passes all output on, and its end, which the client may be waiting for.
    private func passOutput() async {
        await AsyncSocket.onWaitingThread {
            await passChunks()
            await connection.closeOutput()
        }
    }

    private func passChunks() async {
        do {
            var count = 0
            var isLent = false
            while let chunk = try await stream.read() {
                try await send(chunk)
                if !isLent, chunk.byteCount >= Self.quantityBytes { isLent = await lendForOutput() }
                count += 1
                // Where both sides are always ready nothing here ever waits: others have their turn all the same.
                if count.isMultiple(of: Self.turn) { await Task.yield() }
            }
        } catch {
            // The client is gone, or the process's output is: what is left is the input.
        }
    }

    /// Has output go to the client's own socket.
    ///
    /// - Returns: true once it does, behind what is still to come here.
    private func lendForOutput() async -> Bool {
        let connection = connection
        return await stream.giveOutput(
            to: LentSocket { connection.lendForOutput() }, isFramed ? StreamFrame.outputHeads : .none)
    }

    private func send(_ chunk: StreamChunk) async throws(TransportError) {
        switch chunk {
        case .stdout(let bytes): try await send(bytes, .stdout)
        case .stderr(let bytes): try await send(bytes, .stderr)
        case .lost(let count):
            let note = "[\(count) bytes of output were lost here: the reader was too slow]"
            try await send(Array((isFramed ? note + "\n" : "\r\n" + note + "\r\n").utf8), .stderr)
        }
    }

    private func send(_ bytes: [UInt8], _ channel: StreamFrame.Channel) async throws(TransportError) {
        try await connection.send(bytes, after: isFramed ? StreamFrame.headBytes(channel, bytes.count) : [])
    }

    private func passInput() async { await connection.onReadingThread { await passPieces() } }

    private func passPieces() async {
        var scanner = detachKeys.map { DetachScanner($0) }
        do {
            var count = 0
            while let bytes = try await connection.read() {
                count += 1
                // As of the output.
                if count.isMultiple(of: Self.turn) { await Task.yield() }
                guard hasInput else { continue }
                guard let (forward, isDetached) = scanner?.feed(bytes) else {
                    try await stream.write(bytes)
                    if bytes.count >= Self.quantityBytes, try await lendInput() {
                        // Nothing comes but the end, or that the client is gone.
                        while try await connection.read() != nil {}
                        return
                    }
                    continue
                }
                if !forward.isEmpty { try await stream.write(forward) }
                if isDetached { return await stream.close() }
            }
            guard hasInput else { return }
            if let held = scanner?.finish(), !held.isEmpty { try await stream.write(held) }
            if closesInput { try await stream.closeInput() } else { await stream.close() }
        } catch is TransportError {
            // Where the process is gone as well there is nothing to be ended.
            if hasInput, closesInputWhenGone() { try? await stream.closeInput() }
            await stream.close()
        } catch {
            // The process takes no more input; its output goes on.
            await forgetInput()
        }
    }

    /// Has input come from the client's own socket, where nothing has to be looked for in it and its end is the process's.
    ///
    /// - Returns: true once all of it is taken; what comes still is for nobody.
    private func lendInput() async throws -> Bool {
        guard closesInput else { return false }
        let connection = connection
        return try await stream.takeInput(from: LentSocket { connection.lend() })
    }

    private func forgetInput() async {
        do throws(TransportError) {
            while try await connection.read() != nil {}
        } catch {
            await stream.close()
        }
    }

    private func sayFarewell() async {
        // Cancelled: the client has closed its side.
        try? await Task.sleep(for: Self.farewell)
    }
}

extension StreamFrame {
    /// The beginnings of docker's heads.
    fileprivate static let outputHeads = OutputHeads(stdout: beginning(.stdout), stderr: beginning(.stderr))

    private static func beginning(_ channel: Channel) -> [UInt8] {
        Array(headBytes(channel, 0).prefix(headerLength - 4))
    }
}
