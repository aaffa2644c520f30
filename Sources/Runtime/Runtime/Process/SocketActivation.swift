import Glibc

/// Listening sockets that the caller had systemd open for this program (sd_listen_fds(3)): the descriptors from 3 on,
/// which the container's program inherits as if they had been opened for it.
struct SocketActivation: Hashable {
    /// How many there are.
    var count: Int32 = 0
    /// `LISTEN_FDNAMES`, if the caller named them.
    var names: String?

    /// Those of this process. Variables that were meant for another one (`LISTEN_PID`) say nothing about ours.
    static func ofThisProcess() -> SocketActivation {
        var activation = SocketActivation()
        guard let pid = variable("LISTEN_PID"), Int32(pid) == getpid(), let text = variable("LISTEN_FDS"),
            let count = Int32(text), count > 0, count < 1 << 20
        else { return activation }
        activation.count = count
        activation.names = variable("LISTEN_FDNAMES")
        return activation
    }

    /// What tells the container's program, which is the first process of its pid namespace.
    var environment: [String] {
        guard count > 0 else { return [] }
        return ["LISTEN_FDS=\(count)", "LISTEN_PID=1"] + (names.map { ["LISTEN_FDNAMES=\($0)"] } ?? [])
    }

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
