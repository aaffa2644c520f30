import EngineAPI
import Glibc
import Linux

/// The user's terminal in raw mode: every key goes to the container. Restored at the latest when the process dies of a
/// crash, so that the user's shell stays usable.
final class RawTerminal: Sendable {
    /// Safety: set before raw mode begins and cleared after it has ended, both by the one command that runs; otherwise
    /// read by the crash handler alone.
    nonisolated(unsafe) private static var saved: termios?

    /// Switches to raw mode; nil where standard input is no terminal.
    init?() {
        var settings = termios()
        guard tcgetattr(0, &settings) == 0 else { return nil }
        Self.saved = settings
        var crash = sigaction()
        crash.__sigaction_handler.sa_handler = { number in
            RawTerminal.restore()
            signal(number, SIG_DFL)
            raise(number)
        }
        for number in [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE] { sigaction(number, &crash, nil) }
        cfmakeraw(&settings)
        tcsetattr(0, TCSADRAIN, &settings)
    }

    deinit { end() }

    func end() {
        Self.restore()
        Self.saved = nil
    }

    /// Only calls that a signal handler may make.
    private static func restore() {
        guard var settings = saved else { return }
        tcsetattr(0, TCSADRAIN, &settings)
    }

    /// The size of the terminal that output goes to; nil where it goes elsewhere.
    static var size: TerminalSize? {
        for descriptor in [Descriptor.standardOutput, .standardInput] {
            // Not a terminal: the next one may be.
            guard let size = try? PseudoTerminal.size(descriptor), size.columns > 0 else { continue }
            return TerminalSize(columns: size.columns, rows: size.rows)
        }
        return nil
    }
}
