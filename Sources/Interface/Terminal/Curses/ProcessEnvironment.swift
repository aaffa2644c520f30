import Glibc

/// The environment of this process.
enum ProcessEnvironment {
    static var all: [String: String] {
        var all: [String: String] = [:]
        for name in ["TERM", "COLORTERM", "NO_COLOR", "TERMINFO", "TERMINFO_DIRS", "HOME", "TMUX", "STY"] {
            if let value = getenv(name) { all[name] = String(cString: value) }
        }
        return all
    }
}
