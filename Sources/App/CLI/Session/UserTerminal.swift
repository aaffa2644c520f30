import EngineAPI
import Glibc
import Linux

/// The user's terminal with other settings than it had. It gets them back at the latest when the process dies of a crash
/// or of one of the signals that were named, so that the user's shell stays usable.
final class UserTerminal: Sendable {
    /// Safety: set before the settings change and cleared after they are back, both by the one command that runs;
    /// otherwise read by the signals' handler alone.
    nonisolated(unsafe) private static var saved: termios?

    private static let crashes = [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE]

    /// Every key goes to the container; nil where standard input is no terminal.
    static func raw() -> UserTerminal? { UserTerminal(TCSADRAIN, restoredBy: crashes, cfmakeraw) }

    /// What is typed is not shown; nil where standard input is no terminal. An interrupt ends the process as ever.
    static func silent() -> UserTerminal? {
        UserTerminal(TCSAFLUSH, restoredBy: crashes + [SIGINT, SIGTERM, SIGHUP, SIGQUIT]) {
            $0.pointee.c_lflag &= ~tcflag_t(ECHO)
        }
    }

    private init?(_ when: Int32, restoredBy signals: [Int32], _ change: (UnsafeMutablePointer<termios>) -> Void) {
        var settings = termios()
        guard tcgetattr(0, &settings) == 0 else { return nil }
        Self.saved = settings
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { number in
            UserTerminal.restore()
            signal(number, SIG_DFL)
            raise(number)
        }
        for number in signals { sigaction(number, &action, nil) }
        change(&settings)
        tcsetattr(0, when, &settings)
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
