import AsyncIO
import EngineAPI
import Glibc
import Linux
import Synchronization

/// Programs of this machine, for who has no processes of their own.
package enum MachinePrograms {
    /// What a program may write that is kept; of what comes after it nothing is.
    package static let limitBytes = 1 << 20

    /// Apart from the engine's pool: who knows how long they take.
    private static let pool = BlockingPool(maximumThreads: 16)

    /// Runs a program beside everything else, without a terminal and without input. Cancelled, it is asked to end, with
    /// all that it has started.
    ///
    /// - Throws: `invalid` where it cannot be started, `cancelled` where its caller was.
    /// - Returns: its exit code, or 128 and the signal that ended it; what it wrote to both streams.
    package static func run(
        _ words: [String], in directory: String?, environment: [String]
    ) async throws(EngineError) -> (code: Int32, output: [UInt8]) {
        let child = Child()
        let result: Result<(code: Int32, output: [UInt8]), EngineError> = await withTaskCancellationHandler {
            await pool.run { child.run(words, directory, environment) }
        } onCancel: {
            child.end()
        }
        switch result {
        case .success(let outcome): return outcome
        case .failure(let error): throw error
        }
    }

    /// Runs a program on this process's terminal, in this process's group, to its end.
    ///
    /// - Parameter continues: it is not to stand still by ctrl-z: nobody would be there to wake it.
    /// - Throws: `invalid` where it cannot be started.
    /// - Returns: its exit code, or 128 and the signal that ended it.
    package static func runOnTerminal(
        _ words: [String], in directory: String?, environment: [String], continues: Bool
    ) throws(EngineError) -> Int32 {
        var spawn = try spawn(words, directory, environment)
        spawn.descriptors = [Descriptor(rawValue: 0), Descriptor(rawValue: 1), Descriptor(rawValue: 2)]
        let pid = try told(words) { () throws(KernelError) in try spawn.start() }
        var status: Int32 = 0
        while true {
            let found = waitpid(pid, &status, WUNTRACED)
            guard found == pid || errno == EINTR else { return 1 }
            guard found == pid else { continue }
            guard status & 0xFF == 0x7F else { return code(status) }
            if continues { kill(0, SIGCONT) }
        }
    }

    fileprivate static func spawn(
        _ words: [String], _ directory: String?, _ environment: [String]
    ) throws(EngineError) -> Spawn {
        let name = words.first ?? ""
        guard let path = name.contains("/") ? name : Self.path(of: name, environment) else {
            throw EngineError(.invalid, "run `\(name)`: there is no such program in PATH", object: name)
        }
        var spawn = Spawn(program: path, arguments: words)
        spawn.environment = environment
        spawn.workingDirectory = directory
        return spawn
    }

    private static func path(of name: String, _ environment: [String]) -> String? {
        let path = environment.last { $0.hasPrefix("PATH=") }?.dropFirst(5) ?? "/usr/local/bin:/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    fileprivate static func told<Value>(
        _ words: [String], _ body: () throws(KernelError) -> Value
    ) throws(EngineError) -> Value {
        do throws(KernelError) { return try body() } catch {
            throw EngineError(.invalid, "run `\(words.first ?? "")`: \(error)", object: words.first)
        }
    }

    fileprivate static func code(_ status: Int32) -> Int32 {
        status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + status & 0x7F
    }
}

/// A program that runs beside, and may be ended by another thread than waits for it.
private final class Child: Sendable {
    private struct State {
        /// Of its group, too; nil before it was started and once it was waited for.
        var pid: Int32?
        var isCancelled = false
    }

    private let state = Mutex(State())

    func end() {
        state.withLock { state in
            state.isCancelled = true
            if let pid = state.pid { kill(-pid, SIGTERM) }
        }
    }

    func run(
        _ words: [String], _ directory: String?, _ environment: [String]
    ) -> Result<(code: Int32, output: [UInt8]), EngineError> {
        do throws(EngineError) {
            let output = try start(words, directory, environment)
            defer { output.close() }
            return finish(read(output))
        } catch { return .failure(error) }
    }

    /// The end that its output is read from.
    private func start(
        _ words: [String], _ directory: String?, _ environment: [String]
    ) throws(EngineError) -> Descriptor {
        var spawn = try MachinePrograms.spawn(words, directory, environment)
        spawn.newSession = true
        let pipe = try MachinePrograms.told(words) { () throws(KernelError) in try Descriptor.pipe() }
        defer { pipe.writing.close() }
        spawn.descriptors = [nil, pipe.writing, pipe.writing]
        let ready = spawn
        do throws(EngineError) {
            try state.withLock { state throws(EngineError) in
                guard !state.isCancelled else { throw EngineError(.cancelled, "cancelled") }
                state.pid = try MachinePrograms.told(words) { () throws(KernelError) in try ready.start() }
            }
        } catch {
            pipe.reading.close()
            throw error
        }
        return pipe.reading
    }

    /// All that it writes until it has ended: what it leaves behind may keep the pipe open for ever.
    private func read(_ output: Descriptor) -> [UInt8] {
        var kept: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        // Without one the end of the pipe is waited for.
        let process = state.withLock { $0.pid }.flatMap { try? PidFD.open(pid: $0) }
        defer { process?.close() }
        while true {
            var entries = [
                pollfd(fd: output.rawValue, events: Int16(POLLIN), revents: 0),
                pollfd(fd: process?.rawValue ?? -1, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&entries, 2, -1) >= 0 || errno == EINTR else { return kept }
            if entries[0].revents != 0 {
                // What a pipe refuses to be read for is its end.
                guard let count = try? output.read(into: &chunk), count > 0 else { return kept }
                kept += chunk[..<min(count, MachinePrograms.limitBytes - kept.count)]
            } else if entries[1].revents != 0 {
                return kept
            }
        }
    }

    private func finish(_ output: [UInt8]) -> Result<(code: Int32, output: [UInt8]), EngineError> {
        guard let pid = state.withLock({ $0.pid }) else { return .failure(EngineError(.internal, "it did not start")) }
        // Its number is its own until it is reaped, which nobody sees who would send it a signal.
        var facts = siginfo_t()
        while waitid(P_PID, id_t(pid), &facts, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        return state.withLock { state in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            state.pid = nil
            guard !state.isCancelled else { return .failure(EngineError(.cancelled, "cancelled")) }
            return .success((MachinePrograms.code(status), output))
        }
    }
}
