import Daemon
import Glibc
import Linux

/// The sockets that systemd has opened for this process (sd_listen_fds(3)).
enum ActivatedSockets {
    /// Takes them over once: they are closed when another program is started, and the variables that tell of them are
    /// gone from the environment.
    static func take() -> [DaemonListener.Inherited] {
        let found = read(
            pid: Settings.variable("LISTEN_PID"), count: Settings.variable("LISTEN_FDS"),
            names: Settings.variable("LISTEN_FDNAMES"), ownPID: getpid())
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) }
        for socket in found { _ = fcntl(socket.number, F_SETFD, FD_CLOEXEC) }
        return found
    }

    /// Descriptors from 3 on, where they are meant for this process.
    private static func read(
        pid: String?, count: String?, names: String?, ownPID: Int32
    ) -> [DaemonListener.Inherited] {
        guard let pid, Int32(pid) == ownPID, let count = count.flatMap({ Int32($0) }), (1...1024).contains(count)
        else { return [] }
        let list = (names ?? "").split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        return (0..<count).map { index in
            let position = Int(index)
            return DaemonListener.Inherited(
                number: 3 + index, name: list.indices.contains(position) ? list[position] : "")
        }
    }
}
