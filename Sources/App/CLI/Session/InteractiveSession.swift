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
        let terminal = tty && forwardsInput ? RawTerminal() : nil
        defer { terminal?.end() }
        return await withTaskGroup(of: End?.self) { group in
            group.addTask { await pumpOutput() }
            if forwardsInput { group.addTask { await pumpInput() } }
            group.addTask { await watchSignals() }
            if let size = RawTerminal.size, let resize, tty { await resize(size) }
            var end = End.ended
            while let result = await group.next() {
                if let result {
                    end = result
                    break
                }
            }
            group.cancelAll()
            if case .interrupted = end { await endInput() }
            await stream.close()
            return end
        }
    }

    /// What this program can no longer pass on has ended for the container's; a terminal waits for who comes next.
    private func endInput() async {
        guard forwardsInput, !tty else { return }
        do throws(EngineError) { try await stream.closeInput() } catch {
            // The process has ended before.
        }
    }

    private func pumpOutput() async -> End? {
        do throws(EngineError) {
            while let chunk = try await stream.read() {
                switch chunk {
                case .stdout(let bytes):
                    // As the signal that a program gets which writes to nobody: the container is not ended by it.
                    guard await Console.pass(bytes, to: .standardOutput) else { return .interrupted(SIGPIPE) }
                case .stderr(let bytes): _ = await Console.pass(bytes, to: .standardError)
                case .lost(let count): Console.error("\r\ngantry: \(count) bytes of output were lost here\r\n")
                }
            }
        } catch {
            if error.kind != .cancelled { Console.error("gantry: \(error.message)\r\n") }
        }
        return .ended
    }

    /// Nil when the input has ended: the output then ends the session.
    private func pumpInput() async -> End? {
        var scanner = DetachScanner(detachKeys)
        do {
            while let bytes = try await readInput() {
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
            if error.errno.rawValue != ECANCELED { Console.error("gantry: no more input is read: \(error)\r\n") }
        } catch {
            // The process no longer reads, or the engine went: the output's end tells what happened.
        }
        return nil
    }

    /// Waits for readiness before reading, so that a session which ends leaves no thread in read(2) that would take the
    /// user's next key.
    private func readInput() async throws -> [UInt8]? {
        do throws(KernelError) {
            try await waitUntilReadable(.standardInput)
        } catch  where error.errno == .notPermitted {
            // A regular file cannot be waited for, and is always ready.
        }
        return try await BlockingPool.shared.run { () throws(KernelError) -> [UInt8]? in
            var chunk = [UInt8](repeating: 0, count: 32768)
            let count = try Descriptor.standardInput.read(into: &chunk)
            return count > 0 ? Array(chunk[..<count]) : nil
        }
    }

    private func watchSignals() async -> End? {
        let numbers = [SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2]
        do throws(KernelError) {
            let signals = try SignalPipe(numbers)
            while let number = await signals.next() {
                if number == SIGWINCH {
                    if let size = RawTerminal.size, let resize { await resize(size) }
                } else if let forwardSignal, !tty {
                    await forwardSignal(number)
                } else {
                    return .interrupted(number)
                }
            }
        } catch {
            Console.error("gantry: signals are not passed on: \(error)\r\n")
        }
        return nil
    }
}
