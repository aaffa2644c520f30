import Glibc
import Linux

/// The socket over which a caller gets a pidfd of the process that is made for it (`--pidfd-socket`): a message whose
/// text is `standard` for a container's first process and `setns` for a further one, as runc words it.
struct PidfdSocket {
    enum Kind: String { case initial = "standard", further = "setns" }

    let socket: Descriptor

    /// Connects before anything is made, so that a socket without a listener costs nothing. Nil for no path.
    static func connect(_ path: String?) throws(RuntimeError) -> PidfdSocket? {
        guard let path, !path.isEmpty else { return nil }
        let (parent, name) = PathName.split(path)
        return PidfdSocket(
            socket: try attempt("failed to dial \(path)") { () throws(KernelError) in
                let directory = OwnedDescriptor(try Descriptor.open(parent, O_PATH | O_DIRECTORY))
                return try UnixSocket.connect(in: directory.descriptor, name: name)
            })
    }

    /// Gives the pidfd away and closes the connection.
    func send(_ process: Descriptor, _ kind: Kind) throws(RuntimeError) {
        defer { socket.close() }
        try attempt("failed to send pidfd on socket") { () throws(KernelError) in
            try UnixSocket.send(socket, descriptor: process, with: kind.rawValue)
        }
    }
}
