import Glibc
import Linux

/// A file of this machine that appears under its name once it is whole. One that is there is replaced then, and keeps its
/// owner and its permissions. What is no regular file, such as a fifo or a terminal, is written to as it is.
final class OutputFile: Sendable {
    let descriptor: Descriptor
    private let path: String
    private let temporaryPath: String?

    /// - Parameters:
    ///   - mode: of a file that is not there yet, which the process's mask restricts as always.
    ///   - making: told the name of the unfinished file before there is one.
    /// - Throws: docker's words for a link or a directory, a `KernelError` otherwise. A link is not followed: in a
    ///   folder of everybody it may be another user's.
    init(_ path: String, mode: mode_t, making: (String) -> Void = { _ in }) throws {
        self.path = path
        let former = try Self.former(at: path)
        guard former?.isSpecial != true else {
            temporaryPath = nil
            descriptor = try Descriptor.open(path, O_WRONLY | O_TRUNC)
            return
        }
        let unfinished =
            PathName.split(path).parent + "/.gantry-\(String(UInt64.random(in: 0...UInt64.max), radix: 36)).tmp"
        making(unfinished)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
        do throws(KernelError) {
            descriptor = try Descriptor.open(unfinished, flags, mode: former == nil ? mode : 0o600)
        } catch { throw KernelError("create", path, error.errno) }
        temporaryPath = unfinished
        guard let former else { return }
        // Who may not give files away keeps the new one.
        _ = fchown(descriptor.rawValue, former.owner, former.group)
        try kernelCall("chmod", unfinished) { fchmod(descriptor.rawValue, former.mode) }
    }

    deinit {
        descriptor.close()
        // Gone where the file was finished.
        if let temporaryPath { unlink(temporaryPath) }
    }

    /// Puts what was written under the file's name.
    func finish() throws(KernelError) {
        guard let temporaryPath else { return }
        try kernelCall("rename", path) { rename(temporaryPath, path) }
    }

    /// What is at the place already.
    private struct Former {
        let isSpecial: Bool
        let owner: uid_t
        let group: gid_t
        let mode: mode_t
    }

    private static func former(at path: String) throws(UsageError) -> Former? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        let isLink = status.st_mode & S_IFMT == S_IFLNK
        // Where a shell's own places lead (`/dev/stdout`, `>(gzip)`) there is no file to replace.
        let leadsSomewhere = !isLink || stat(path, &status) == 0
        switch status.st_mode & S_IFMT {
        case S_IFDIR: throw UsageError(message: "\(path): cannot write to a directory", code: 1)
        case _ where isLink && (!leadsSomewhere || status.st_mode & S_IFMT == S_IFREG):
            throw UsageError(message: "\(path): cannot write to a symbolic link directly", code: 1)
        default: break
        }
        return Former(
            isSpecial: status.st_mode & S_IFMT != S_IFREG, owner: status.st_uid, group: status.st_gid,
            mode: status.st_mode & 0o777)
    }
}
