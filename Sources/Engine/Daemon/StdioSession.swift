import DockerAPI
import EngineAPI
import Transport

/// A connection given up to bytes, joined to a process's stdio, until one of them ends.
///
/// The task is cancelled when the client is gone; what it reads then ends.
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
    /// How long the client may take to close its side once the output is over.
    static let farewell: Duration = .seconds(2)

    func run() async {
        // A task for what comes from a client whose input nobody wants would cost each that only looks on 3 KB.
        if hasInput || connection.mustBeRead { await runBothWays() } else { await runOutput() }
        await stream.close()
    }

    private func runBothWays() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await passInput() }
            await passOutput()
            await connection.closeOutput()
            // The input's task now reads and forgets, so that the client gets all output and an orderly end.
            await part(&group)
        }
    }

    /// What the client sends stays where it is until the output is over. That it is gone is told by this task's end.
    private func runOutput() async {
        await passOutput()
        await connection.closeOutput()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await forgetInput() }
            await part(&group)
        }
    }

    /// Gives the client time to close its side, which a task of the group watches, and closes.
    private func part(_ group: inout TaskGroup<Void>) async {
        group.addTask { await sayFarewell() }
        await group.next()
        group.cancelAll()
        await connection.close()
    }

    private func passOutput() async {
        do {
            var chunk = try await stream.read()
            while let current = chunk { chunk = try await next(sending: current) }
        } catch {
            // The client is gone, or the process's output is: either way the session is over.
            await stream.close()
        }
    }

    /// What comes next is read while the client takes what came before; no further ahead than that.
    private func next(sending chunk: StreamChunk) async throws -> StreamChunk? {
        async let sending: Void = send(chunk)
        let next = try await stream.read()
        try await sending
        return next
    }

    private func send(_ chunk: StreamChunk) async throws {
        do { try await connection.write(encode(chunk)) } catch {
            // The read that stands ends by this alone.
            await stream.close()
            throw error
        }
    }

    private func encode(_ chunk: StreamChunk) -> [UInt8] {
        switch chunk {
        case .stdout(let bytes): return isFramed ? StreamFrame.encode(.stdout, bytes) : bytes
        case .stderr(let bytes): return isFramed ? StreamFrame.encode(.stderr, bytes) : bytes
        case .lost(let count):
            let note = "[\(count) bytes of output were lost here: the reader was too slow]"
            let bytes = Array((isFramed ? note + "\n" : "\r\n" + note + "\r\n").utf8)
            return isFramed ? StreamFrame.encode(.stderr, bytes) : bytes
        }
    }

    private func passInput() async {
        var scanner = detachKeys.map { DetachScanner($0) }
        do {
            while let bytes = try await connection.read() {
                guard hasInput else { continue }
                guard let (forward, isDetached) = scanner?.feed(bytes) else {
                    try await stream.write(bytes)
                    continue
                }
                if !forward.isEmpty { try await stream.write(forward) }
                if isDetached { return await stream.close() }
            }
            guard hasInput else { return }
            if let held = scanner?.finish(), !held.isEmpty { try await stream.write(held) }
            if closesInput { try await stream.closeInput() } else { await stream.close() }
        } catch is TransportError {
            await stream.close()
        } catch {
            // The process takes no more input; its output goes on.
            await forgetInput()
        }
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
