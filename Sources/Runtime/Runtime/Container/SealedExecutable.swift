import CLinux
import Glibc
import Linux

/// Protects the runtime's own file from the container (CVE-2019-5736): a program that is `#!/proc/self/exe`, or one that
/// watches a runtime enter its container, could open the file that the runtime was started from and write to it.
///
/// So before anything of a container is touched, the program runs itself again from a read-only mount of its file that is
/// attached nowhere, whose every opening for writing fails. It does so before Swift's runtime is started (`CStart`). A
/// caller that starts it from such a mount saves that step.
enum SealedExecutable {
    /// Returns where the program runs from a read-only mount, or is an ordinary user's.
    ///
    /// - Parameter failure: what the sealing met.
    static func ensure(_ failure: () -> KernelError?) throws(RuntimeError) {
        // ST_RDONLY 1.
        guard let own = try? Descriptor.open("/proc/self/exe", O_PATH) else {
            throw RuntimeError("open `/proc/self/exe`: is /proc mounted?")
        }
        let flags = gantry_mount_flags(own.rawValue)
        own.close()
        if flags >= 0, flags & 1 == 1 { return }
        if geteuid() != 0 { return }
        let reason = failure().map { ": \($0)" } ?? ""
        throw RuntimeError("unable to seal the runtime's own file\(reason)")
    }
}
