import Glibc
import Linux

/// A path of a Unix socket, of any length: the directory is opened, and the socket reached from there.
struct UnixSocketPath: Hashable, Sendable {
    let path: String

    var name: String { path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path }

    private var directoryPath: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// O_PATH of open(2), which the importer does not see: no permission but to search is needed.
    private static let pathOnly: Int32 = 0o10000000

    /// The directory, for paths relative to it.
    func directory() throws(KernelError) -> OwnedDescriptor {
        OwnedDescriptor(try Descriptor.open(directoryPath, Self.pathOnly | O_DIRECTORY))
    }

    /// A connected socket, which does not block.
    func connect() throws(KernelError) -> Descriptor {
        let directory = try directory()
        return try UnixSocket.connect(in: directory.descriptor, name: name)
    }

    /// Whether a server answers here; a full queue counts as an answer.
    func isAnswered() throws(KernelError) -> Bool {
        do throws(KernelError) {
            try connect().close()
            return true
        } catch {
            switch error.errno {
            case .connectionRefused, .noSuchFile: return false
            case .wouldBlock: return true
            default: throw error
            }
        }
    }
}
