import CLinux
import Glibc
import Linux
import OCI

extension InitLaunch {
    /// A time namespace takes its offsets only before a process is in it: made for the children, then set. Returns the
    /// own one, to go back to.
    func unshareTime() throws(KernelError) -> Descriptor? {
        guard plan.namespaces.new.contains(.time) else { return nil }
        let own = try Descriptor.open("/proc/self/ns/time", O_RDONLY)
        try kernelCall("unshare the time namespace") { gantry_unshare(LinuxNamespace.Kind.time.cloneFlag) }
        for (clock, offset) in plan.spec.linux.timeOffsets.sorted(by: { $0.key < $1.key }) {
            do throws(KernelError) {
                try FileContents.write(
                    "\(clock) \(offset.seconds) \(offset.nanoseconds)\n", to: "/proc/self/timens_offsets")
            } catch {
                throw KernelError("linux.timeOffsets.\(clock): \(error.operation)", error.object, error.errno)
            }
        }
        return own
    }
}
