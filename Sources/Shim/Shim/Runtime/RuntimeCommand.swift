import ShimAPI

/// The `OCIRuntime` boundary: what a shim asks of a runtime, as the command line that runc gave the field. Works with
/// gantry-runtime, runc and crun.
enum RuntimeCommand: Hashable {
    case create(bundle: String, pidFile: String, consoleSocket: String?)
    case start
    case exec(processFile: String, pidFile: String, consoleSocket: String?)
    /// An exec that waits at a socket, and tells the pid by it; of gantry-runtime alone.
    ///
    /// - Parameter hold: the descriptor's number in the runtime.
    case heldExec(processFile: String, hold: Int, consoleSocket: String?)
    case pause
    case resume
    case delete

    /// The runtime's arguments behind its own name.
    ///
    /// - Parameter logFile: where the runtime writes JSON lines; the last one says why it failed.
    func arguments(id: String, root: String, logFile: String) -> [String] {
        let global = ["--root", root, "--log", logFile, "--log-format", "json"]
        switch self {
        case .create(let bundle, let pidFile, let consoleSocket):
            return global + ["create", "--bundle", bundle, "--pid-file", pidFile] + console(consoleSocket) + [id]
        case .start: return global + ["start", id]
        case .exec(let processFile, let pidFile, let consoleSocket):
            return global + ["exec", "--process", processFile, "--detach", "--pid-file", pidFile]
                + console(consoleSocket) + [id]
        case .heldExec(let processFile, let hold, let consoleSocket):
            return global + ["exec", "--process", processFile, "--detach", "--hold", String(hold), "--leave-helper"]
                + console(consoleSocket) + [id]
        case .pause: return global + ["pause", id]
        case .resume: return global + ["resume", id]
        // With --force it succeeds where there is nothing left, which is what deleting is about.
        case .delete: return global + ["delete", "--force", id]
        }
    }

    /// How long a runtime may take before it counts as hung.
    var timeoutMilliseconds: Int64 {
        switch self {
        case .create, .exec, .heldExec: 120_000
        case .start, .pause, .resume, .delete: 60_000
        }
    }

    /// The command's word, for messages.
    var name: String {
        switch self {
        case .create: "create"
        case .start: "start"
        case .exec, .heldExec: "exec"
        case .pause: "pause"
        case .resume: "resume"
        case .delete: "delete"
        }
    }

    private func console(_ socket: String?) -> [String] {
        if let socket { ["--console-socket", socket] } else { [] }
    }
}
