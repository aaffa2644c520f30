import Glibc
import Linux

/// A program that a test started, with its output in files.
final class RunningProgram {
    let pid: Int32
    private let base: String?
    private var code: Int32?

    init(pid: Int32, base: String?) {
        self.pid = pid
        self.base = base
    }

    /// What it has written to standard error so far.
    var errors: String { String(decoding: contents(".err"), as: UTF8.self) }
    var output: [UInt8] { contents(".out") }

    private func contents(_ suffix: String) -> [UInt8] {
        guard let base else { return [] }
        // Not there yet: nothing was written.
        return (try? FileContents.read(base + suffix)) ?? []
    }

    /// Waits for its end; fails after a minute, which no session here comes near.
    func outcome() throws -> Outcome {
        guard let code = ended(withinSeconds: 60) else {
            kill(SIGKILL)
            throw SessionFailure(description: "the program does not end; it wrote: \(errors)")
        }
        return Outcome(code: code, output: output, errors: errors)
    }

    /// Its exit code, once it has ended; nil where it runs on for so long.
    func ended(withinSeconds seconds: Int = 20) -> Int32? {
        if let code { return code }
        _ = eventually(seconds: seconds) {
            var status: Int32 = 0
            guard waitpid(pid, &status, WNOHANG) == pid else { return false }
            code = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + status & 0x7F
            return true
        }
        return code
    }

    /// Sends a signal, unless it has ended; a SIGKILL is waited for.
    func kill(_ signal: Int32) {
        guard code == nil else { return }
        _ = Glibc.kill(pid, signal)
        if signal == SIGKILL { _ = ended() }
    }
}
