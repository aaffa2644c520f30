import Glibc
import Linux

/// The first process of a container that wants one (`--init`): passes signals on to the program, reaps what that leaves
/// behind, and ends as the program ends.
///
/// The program `gantry-shim` is it where it is called so: it stands in the container as /sbin/docker-init, and needs
/// nothing there, being linked statically.
package enum InitProcess {
    private static let name = "docker-init"
    /// What comes of this process's own faults is not the program's, nor is what a terminal does to who is in its
    /// background.
    private static let ownSignals = [
        SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS, SIGTTIN, SIGTTOU,
    ]

    package static func isMeant(by arguments: [String]) -> Bool {
        arguments.first.map { PathName.split($0).name == name } ?? false
    }

    /// Runs the program that the arguments name, after a `--` or without one.
    ///
    /// - Returns: its exit code; 128 and the signal's number where one ended it; 127 and 126 as a shell has them.
    package static func run(arguments: [String]) -> Int32 {
        var command = Array(arguments.dropFirst())
        if command.first == "--" { command.removeFirst() }
        guard let program = command.first else {
            Diagnostics.note("usage: \(name) [--] PROGRAM [ARGUMENT...]")
            return 1
        }
        var signals = sigset_t()
        sigfillset(&signals)
        for own in ownSignals { sigdelset(&signals, own) }
        // Blocked before there is a child: no signal, and no end, comes too early to be waited for.
        sigprocmask(SIG_SETMASK, &signals, nil)
        for background in [SIGTTIN, SIGTTOU] { signal(background, SIG_IGN) }
        do throws(KernelError) {
            var spawn = Spawn(program: program, arguments: command)
            spawn.isHeir = true
            return serve(try spawn.start(), &signals)
        } catch {
            Diagnostics.note("exec \(program) failed: \(error.errno)")
            return error.errno == .noSuchFile ? 127 : 126
        }
    }

    private static func serve(_ program: Int32, _ signals: inout sigset_t) -> Int32 {
        while true {
            var signal: Int32 = 0
            guard sigwait(&signals, &signal) == 0 else { continue }
            if signal == SIGCHLD {
                if let code = reap(until: program) { return code }
            } else {
                // Gone already: its end is what comes next.
                kill(program, signal)
            }
        }
    }

    /// Every process that has ended; the code of the program where it is among them.
    private static func reap(until program: Int32) -> Int32? {
        var code: Int32?
        while true {
            var status: Int32 = 0
            let pid = waitpid(-1, &status, WNOHANG)
            if pid <= 0 { return code }
            if pid == program { code = status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f }
        }
    }
}
