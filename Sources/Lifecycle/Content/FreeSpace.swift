import Glibc
import Linux

/// What a file system has left.
package struct FreeSpace: Hashable, Sendable {
    package var bytes: Int64
    /// Nil where the file system does not count files.
    package var files: Int64?

    /// statvfs(3) of the file system that holds `path`.
    package static func at(_ path: String) throws(KernelError) -> FreeSpace {
        var facts = statvfs()
        try kernelCall("statvfs", path) { statvfs(path, &facts) }
        return FreeSpace(
            bytes: Int64(clamping: UInt64(facts.f_bavail) &* UInt64(facts.f_frsize)),
            files: facts.f_files == 0 ? nil : Int64(clamping: facts.f_favail))
    }
}
