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
            return try UnixSocket.listen(in: directory.descriptor, name: path.name, mode: mode, backlog: 256)
        } catch {
            guard error.errno.rawValue == EADDRINUSE, try isStale(path) else { throw error }
            try kernelCall("unlink", path.path) { unlink(path.path) }
            return try UnixSocket.listen(in: directory.descriptor, name: path.name, mode: mode, backlog: 256)
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

    private static func identifier(ofGroup name: String) -> gid_t? {
        var buffer = [CChar](repeating: 0, count: 16384)
        var entry = group()
        var found: UnsafeMutablePointer<group>?
        guard getgrnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        return entry.gr_gid
    }
}
