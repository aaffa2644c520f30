import Glibc
import Linux

/// Where whoever has started the daemon as a service wants to hear how it is: systemd, or another that reads sd_notify(3).
struct NotifySocket: Sendable {
    enum Notice: Sendable {
        /// It does what it is there for, in words for people.
        case ready(status: String)
        /// Until it is ready again.
        case reloading
        case stopping

        fileprivate var lines: String {
            switch self {
            case .ready(let status): return "READY=1\nSTATUS=\(status)"
            case .reloading:
                var now = timespec()
                clock_gettime(CLOCK_MONOTONIC, &now)
                return "RELOADING=1\nMONOTONIC_USEC=\(now.tv_sec * 1_000_000 + now.tv_nsec / 1000)"
            case .stopping: return "STOPPING=1"
            }
        }
    }

    /// `@` and a name for an abstract socket; nil where nobody listens.
    private let path: String?

    /// Takes over once: no process that the daemon starts is to speak for it, so the variable is gone from the environment.
    static func take() -> NotifySocket {
        let path = Settings.variable("NOTIFY_SOCKET")
        unsetenv("NOTIFY_SOCKET")
        return NotifySocket(path: path)
    }

    func tell(_ notice: Notice) throws(KernelError) {
        guard let path else { return }
        let connection = OwnedDescriptor(try UnixDatagram.connect(path))
        _ = try UnixSocket.send(connection.descriptor, Array(notice.lines.utf8), from: 0)
    }
}
