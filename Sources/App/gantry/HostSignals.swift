import CLI
import Glibc
import Synchronization

/// The signals that end a command, from when it hosts the engine on: left to themselves they would end it at once, and take
/// the engine from others in the midst of what they do.
final class HostSignals: Sendable {
    /// How a command came to its end.
    enum End: Hashable {
        case code(Int32)
        case signal(Int32)

        /// The process's exit code; one that a signal has ended dies of it, so that a shell that waits for it knows.
        func leave() -> Int32 {
            switch self {
            case .code(let code): return code
            case .signal(let number):
                Glibc.signal(number, SIG_DFL)
                raise(number)
                return 128 + number
            }
        }
    }

    private let ends: AsyncStream<End>
    private let announce: AsyncStream<End>.Continuation

    init() { (ends, announce) = AsyncStream.makeStream(of: End.self) }

    /// Takes the signals over, unless the command has taken them already: it ends by them itself then.
    func take() {
        // Without it signals do what they always do.
        guard !SignalPipe.isMade, let signals = try? SignalPipe([SIGINT, SIGTERM, SIGHUP]) else { return }
        Task { [announce] in
            if let number = await signals.next() { announce.yield(.signal(number)) }
        }
    }

    /// What comes first: the command's own end, or a signal, which cancels it.
    func end(of command: Task<Int32, Never>) async -> End {
        Task { [announce] in announce.yield(.code(await command.value)) }
        for await end in ends {
            // Not awaited: it may stand in write(2), before a reader that stands still.
            command.cancel()
            return end
        }
        return .code(await command.value)
    }
}
