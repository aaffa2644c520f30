import Glibc

/// The desktop that this terminal is on, where it is on one.
enum Desktop {
    static var isThere: Bool {
        let names: [String] = ["DISPLAY", "WAYLAND_DISPLAY"]
        return names.contains { getenv($0).map { String(cString: $0) } ?? "" != "" }
    }

    /// Asks for an address to be shown; waits for nothing but the shell that passes it on. A browser that does not come is
    /// seen by who waits for it.
    static func open(_ address: String) {
        let words = ["sh", "-c", "xdg-open \"$1\" < /dev/null > /dev/null 2>&1 &", "sh", address]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var pid: pid_t = 0
        guard posix_spawn(&pid, "/bin/sh", nil, nil, &arguments, environ) == 0 else { return }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) == -1, errno == EINTR {}
    }
}
