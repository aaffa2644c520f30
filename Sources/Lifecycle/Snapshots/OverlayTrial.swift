import Glibc
import Linux

/// Whether overlayfs does its work on a data root.
extension OverlaySnapshotter {
    /// Tries what containers do to their roots: to hide a file of a layer, and to replace a directory.
    ///
    /// - Returns: false where it could not be tried, for want of space or memory as a rule: that says nothing of it.
    /// - Throws: `overlayUnavailable`.
    func tryOut() throws(SnapshotError) -> Bool {
        try checkUpper()
        let name = ".new-trial-\(getpid())"
        let path = "\(directory.path)/\(name)"
        // What stays is removed at the next start.
        defer { try? Directory.removeTree(path) }
        do throws(KernelError) {
            // Of a process that was killed over it and had this one's number: what is changed already is no trial.
            try Directory.removeTree(path)
            for part in ["lower/d", "fs", "work", "merged"] { try Directory.create("\(path)/\(part)", mode: 0o711) }
            try Descriptor.open("\(path)/lower/d/f", O_WRONLY | O_CREAT, mode: 0o600).close()
        } catch { return false }
        do throws(KernelError) {
            let stack = OverlayStack(lower: ["\(name)/lower"], upper: name, isVolatile: true)
            let root = try assembly.open(stack, at: "\(name)/merged", in: directory.path)
            defer { withExtendedLifetime(root) {} }
            let top = root.descriptor.rawValue
            try kernelCall("remove", "d/f") { unlinkat(top, "d/f", 0) }
            try kernelCall("remove", "d") { unlinkat(top, "d", AT_REMOVEDIR) }
            try kernelCall("make", "d") { mkdirat(top, "d", 0o711) }
            return true
        } catch {
            if Self.passing.contains(error.errno.rawValue) { return false }
            let failure = overlayFailure(error)
            if case .overlayUnavailable = failure { throw failure }
            throw SnapshotError.overlayUnavailable("a trial in `\(directory.path)`: \(error)")
        }
    }

    /// What is wrong with the machine at the moment, and not with its overlayfs.
    private static let passing = [ENOSPC, EDQUOT, ENOMEM, EMFILE, ENFILE, EAGAIN, EINTR, EIO]
}
