import AsyncIO
import DockerAPI
import EngineAPI
import Glibc
import Linux

/// Connects the user's standard streams to a process's, until its output ends or the user detaches.
struct InteractiveSession {
    enum End {
        /// The process's output has ended.
        case ended
        /// The detach keys were pressed; the process goes on.
        case detached
        /// A signal that ends this program, not the process.
        case interrupted(Int32)
        /// The user has asked three times for an end, which the process does not come to.
        case forced
        /// What the process has written cannot be passed on.
        case failed(KernelError)
    }

    let stream: any AttachedStream
    let tty: Bool
    let forwardsInput: Bool
    var detachKeys = DetachKeys.standard
    /// Tells the process's terminal its size.
    var resize: (@Sendable (TerminalSize) async -> Void)?
    /// Gives a signal that came to us to the process; nil to end instead.
    var forwardSignal: (@Sendable (Int32) async -> Void)?

    func run() async -> End {
        let terminal = tty && forwardsInput ? UserTerminal.raw() : nil
        defer { terminal?.end() }
        let (ends, announce) = AsyncStream.makeStream(of: End.self)
        let work: [Task<Void, Never>] = [
            // Each on a thread of its own, which may wait for the user's reader, or file.
            onOwnThread { announce.yield(await pumpOutput()) },
            onOwnThread { if forwardsInput, let end = await pumpInput() { announce.yield(end) } },
            Task { await watchSignals(announce) },
            Task { if let size = UserTerminal.size, let resize, tty { await resize(size) } },
        ]
        var first = ends.makeAsyncIterator()
        let end = await first.next() ?? .interrupted(SIGINT)
        // Not awaited: one of them may stand in write(2), before a reader of ours that stands still.
        for task in work { task.cancel() }
        switch end {
        case .interrupted, .failed: await endInput()
        case .ended, .detached, .forced: break
        }
        await stream.close()
        return end
    }

    private func onOwnThread(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        Task(executorPreference: BlockingPool(maximumThreads: 1)) {
            await WatchedDescriptor.$waitsInPlace.withValue(true) { await body() }
        }
    }

    /// What this program can no longer pass on has ended for the container's; a terminal waits for who comes next.
    private func endInput() async {
        guard forwardsInput, !tty else { return }
        do throws(EngineError) { try await stream.closeInput() } catch {
            // The process has ended before.
        }
    }

    private func pumpOutput() async -> End {
        do {
            while let chunk = try await stream.read() {
                switch chunk {
                case .stdout(let bytes):
                    // As the signal that a program gets which writes to nobody: the container is not ended by it.
                    guard try Console.passBlocking(bytes, to: .standardOutput) else { return .interrupted(SIGPIPE) }
                case .stderr(let bytes): _ = try Console.passBlocking(bytes, to: .standardError)
                case .lost(let count): Console.error("\r\ngantry: \(count) bytes of output were lost here\r\n")
                }
            }
        } catch let error as KernelError {
            return .failed(error)
        } catch let error as EngineError {
            if error.kind != .cancelled { Console.error("gantry: \(error.message)\r\n") }
        } catch {
            // Cancelled: what has ended the session is told by who ended it.
        }
        return .ended
    }

    /// Nil when the input has ended: the output then ends the session.
    private func pumpInput() async -> End? {
        var scanner = DetachScanner(detachKeys)
        do {
            let input = try InputReader()
            if try await passPipe(input) { return nil }
            while let bytes = try await input.next() {
                guard tty else {
                    try await stream.write(bytes)
                    continue
                }
                let (forward, isDetached) = scanner.feed(bytes)
                if !forward.isEmpty { try await stream.write(forward) }
                if isDetached { return .detached }
            }
            let rest = scanner.finish()
            if !rest.isEmpty { try await stream.write(rest) }
            try await stream.closeInput()
        } catch let error as KernelError {
            guard error.errno.rawValue != ECANCELED else { return nil }
            Console.error("gantry: no more input is read: \(error)\r\n")
            await endInput()
        } catch {
            // The process no longer reads, or the engine went: the output's end tells what happened.
        }
        return nil
    }

    /// Has the input of a pipe go on without reading it, to its end; false where that cannot be.
    private func passPipe(_ input: InputReader) async throws -> Bool {
        // What goes to a terminal is looked through for keys.
        guard !tty, input.isPipe else { return false }
        while true {
            try await input.ready()
            switch try await stream.passInput(from: .standardInput) {
            case .passed(let count): input.tookAtOnce(count)
            case .nothingThere: continue
            case .notByThisWay: return false
            case .ended:
                try await stream.closeInput()
                return true
            }
        }
    }

    /// Passes signals on in their order, or ends the session by one. A process need not heed them, nor an engine answer:
    /// the third that asks for an end is obeyed here.
    private func watchSignals(_ ends: AsyncStream<End>.Continuation) async {
        let signals: SignalPipe
        do throws(KernelError) {
            signals = try SignalPipe([SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2])
        } catch {
            return Console.error("gantry: signals are not passed on: \(error)\r\n")
        }
        var requests = 0
        var forwarding = Task {}
        while let number = await signals.next() {
            if number == SIGWINCH {
                forwarding = Task { [forwarding] in
                    await forwarding.value
                    if let size = UserTerminal.size, let resize { await resize(size) }
                }
                continue
            }
            guard let forwardSignal else {
                ends.yield(.interrupted(number))
                return
            }
            if number == SIGTERM || number == SIGINT { requests += 1 }
            guard requests < 3 else {
                Console.error("\r\ngot 3 SIGTERM/SIGINTs, forcefully exiting\r\n")
                ends.yield(.forced)
                return
            }
            forwarding = Task { [forwarding] in
                await forwarding.value
                await forwardSignal(number)
                // Nobody sees any more what the process does about it.
                if number == SIGHUP, tty { ends.yield(.interrupted(number)) }
            }
        }
    }
}
