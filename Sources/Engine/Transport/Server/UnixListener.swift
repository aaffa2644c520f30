import Glibc
import Linux

/// A listening Unix socket and the file that stands for it.
struct UnixListener: Sendable {
    let path: UnixSocketPath
    let socket: Descriptor
    private let file: FileIdentity

    private struct FileIdentity: Hashable, Sendable {
        let device: dev_t
        let inode: ino_t
    }

    /// Binds and listens. A socket file that nobody answers at is replaced; anything else there is left alone.
    ///
    /// - Parameter group: who may use the socket beside its owner; left out where the machine has no such group.
    static func open(_ path: UnixSocketPath, mode: mode_t, group: String?) throws(KernelError) -> UnixListener {
        let socket = OwnedDescriptor(try listen(path, mode))
        if let group, let id = identifier(ofGroup: group) {
            // Not ours to give where we are not root: the socket then serves its owner alone, which is safe.
            _ = try? kernelCall("chown", path.path) { chown(path.path, uid_t.max, id) }
        }
        let identity = try identity(path)
        return UnixListener(path: path, socket: socket.release(), file: identity)
    }

    /// Removes the file, if it is still the one that was bound: another server may have put its own there.
    func removeFile() {
        // The file may be gone, which is what is wanted.
        guard let now = try? Self.identity(path), now == file else { return }
        _ = unlink(path.path)
    }

    private static func listen(_ path: UnixSocketPath, _ mode: mode_t) throws(KernelError) -> Descriptor {
        let directory = try path.directory()
        do throws(KernelError) {
            return try UnixSocket.listen(
                in: directory.descriptor, name: path.name, mode: mode, backlog: HTTPServer.backlog)
        } catch {
            guard error.errno.rawValue == EADDRINUSE, try isStale(path) else { throw error }
            try kernelCall("unlink", path.path) { unlink(path.path) }
            return try UnixSocket.listen(
                in: directory.descriptor, name: path.name, mode: mode, backlog: HTTPServer.backlog)
        }
    }

    private static func isStale(_ path: UnixSocketPath) throws(KernelError) -> Bool {
        var status = stat()
        try kernelCall("stat", path.path) { lstat(path.path, &status) }
        guard status.st_mode & S_IFMT == S_IFSOCK else { return false }
        return try !path.isAnswered()
    }

    private static func identity(_ path: UnixSocketPath) throws(KernelError) -> FileIdentity {
        var status = stat()
        try kernelCall("stat", path.path) { lstat(path.path, &status) }
        return FileIdentity(device: status.st_dev, inode: status.st_ino)
    }

    /// The number of a group of `/etc/group`. Directory services are not asked: their modules would have to be loaded at
    /// every start.
    private static func identifier(ofGroup name: String) -> gid_t? {
        // A machine without the file has no such group.
        guard let bytes = try? FileContents.read("/etc/group") else { return nil }
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard fields.count >= 3, fields[0].elementsEqual(name.utf8) else { continue }
            return gid_t(String(decoding: fields[2], as: UTF8.self))
        }
        return nil
    }
}
