import CLinux
import Glibc
import Linux

/// Standard streams that lead to the host's `/dev/null` become the container's own: a descriptor of a mount that the
/// container has not could never be found again, by CRIU or by a program that opens `/dev/stdin`.
enum NullStreams {
    static func reopen(in tree: RootedTree) throws(KernelError) {
        for stream in Int32(0)...2 where isNull(stream) {
            let own: Descriptor
            do throws(KernelError) {
                own = try tree.open("/dev/null", O_RDWR)
            } catch {
                // An image without it, or a user without the right to it: the stream stays as it is.
                return
            }
            defer { own.close() }
            // An image may have anything there.
            guard isNull(own.rawValue) else { return }
            try kernelCall("duplicate `/dev/null`") { dup2(own.rawValue, stream) }
        }
    }

    private static func isNull(_ descriptor: Int32) -> Bool {
        var facts = stat()
        return fstat(descriptor, &facts) == 0 && facts.st_mode & S_IFMT == S_IFCHR && facts.st_rdev == 0x103
    }
}
