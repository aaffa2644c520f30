import Glibc
import Linux

/// `/.dockerenv`: by this file programs find that they are in a container, as docker has it.
package enum RootMark {
    package static let path = "/.dockerenv"

    /// - Parameter top: the directory of a root that nobody uses yet. What the image has there stays.
    static func make(in top: String) throws(KernelError) {
        do throws(KernelError) {
            let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
            try Descriptor.open(top + path, flags, mode: 0o755).close()
        } catch  where error.errno == .exists {}
    }
}
