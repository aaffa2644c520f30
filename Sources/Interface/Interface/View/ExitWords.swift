import EngineAPI

/// An exit in words.
enum ExitWords {
    static func describe(_ state: ContainerState) -> String {
        let code = state.exitCode
        if state.oomKilled { return "\(code): killed, out of memory" }
        let signals: [Int32: String] = [
            1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL",
            11: "SIGSEGV", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM",
        ]
        switch code {
        case 126: return "126: program cannot be executed"
        case 127: return "127: program not found"
        case 129...: return signals[code - 128].map { "\(code): \($0)" } ?? "\(code)"
        default: return "\(code)"
        }
    }
}
