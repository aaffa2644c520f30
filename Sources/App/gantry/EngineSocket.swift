import EngineAPI
import Glibc
import Linux
import RemoteEngine

/// The socket at which a data root's engine answers.
struct EngineSocket: Hashable, Sendable {
    let path: String

    /// The process that listens there; nil where nobody does, or where it cannot be told.
    ///
    /// It is the one that called listen(2) (SO_PEERCRED): a process that has taken over since is told apart by it.
    /// Never waits.
    var listener: Int32? {
        let parts = PathName.split(path)
        // Whatever hinders the connection, nobody can be named then.
        guard let folder = try? Descriptor.open(parts.parent, Self.pathOnly | O_DIRECTORY) else { return nil }
        let directory = OwnedDescriptor(folder)
        guard let connected = try? UnixSocket.connect(in: directory.descriptor, name: parts.name) else { return nil }
        let socket = OwnedDescriptor(connected)
        // struct ucred: pid, uid, gid.
        var credentials: (Int32, UInt32, UInt32) = (0, 0, 0)
        var length = socklen_t(MemoryLayout.size(ofValue: credentials))
        let number = socket.descriptor.rawValue
        guard getsockopt(number, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0 else { return nil }
        return credentials.0
    }

    /// O_PATH of open(2), which the importer does not see: no permission but to search is needed.
    private static let pathOnly: Int32 = 0o10000000

    /// Whether that process serves there still.
    ///
    /// One that is being killed may lose its connections a moment before its listening socket, so only an answer counts.
    func isServed(by host: Int32) async -> Bool {
        guard listener == host else { return false }
        guard await DockerEngine(socketPath: path).answers(within: .seconds(15)) else { return false }
        return listener == host
    }
}
