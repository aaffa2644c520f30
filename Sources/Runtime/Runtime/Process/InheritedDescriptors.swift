import CLinux
import Glibc
import Linux

/// The descriptors of a process that goes into a container.
enum InheritedDescriptors {
    /// Closes all from `first` on but those named: whatever of the host is open could be a way out, for this process's
    /// own change of directory or for another that looks into it by /proc/PID/fd.
    static func closeAll(from first: Int32, keeping kept: [Descriptor]) throws(KernelError) {
        var next = UInt32(first)
        for number in kept.map(\.rawValue).sorted() where number >= first {
            if UInt32(number) > next { try close(next, UInt32(number) - 1) }
            next = UInt32(number) + 1
        }
        try close(next, UInt32.max)
    }

    private static func close(_ first: UInt32, _ last: UInt32) throws(KernelError) {
        try kernelCall("close_range") { gantry_close_range(first, last, 0) }
    }
}
