import Glibc
import Linux

/// The socket by which a runtime hands over the master of a terminal it made (`--console-socket`).
final class ConsoleSocket {
    private let directory: RunDirectory
    private let name: String
    private let listener: Descriptor

    init(in directory: RunDirectory, name: String) throws(KernelError) {
        self.directory = directory
        self.name = name
        listener = try UnixSocket.listen(in: directory.descriptor, name: name)
    }

    deinit {
        listener.close()
        directory.remove(name)
    }

    /// The path for the runtime, which is always short enough for a socket's address.
    var path: String { "/proc/\(getpid())/fd/\(directory.descriptor.rawValue)/\(name)" }

    /// The terminal's master, once the runtime has ended well: it was sent before that, so nothing waits here.
    func takeMaster() throws(KernelError) -> Descriptor {
        let connection = OwnedDescriptor(try UnixSocket.accept(listener))
        return try UnixSocket.receiveDescriptor(connection.descriptor)
    }
}
