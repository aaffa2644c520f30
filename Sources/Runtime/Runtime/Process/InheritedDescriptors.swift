import CLinux
import Glibc
import Linux

/// The descriptors of a process that goes into a container.
enum InheritedDescriptors {
    /// Closes all from `first` on but those named: whatever of the host is open could be a way out, for this process's
    /// own change of directory or for another that looks into it by /proc/PID/fd.
    static func closeAll(
        from first: Int32, keeping kept: Descriptor, _ other: Descriptor? = nil
    ) throws(KernelError) {
        let number = kept.rawValue
        let second = other?.rawValue ?? number
        let rest = try closeUp(to: min(number, second), from: UInt32(first))
        try close(try closeUp(to: max(number, second), from: rest), UInt32.max)
    }

    /// Closes those below one that is kept; where the rest begins.
    private static func closeUp(to kept: Int32, from first: UInt32) throws(KernelError) -> UInt32 {
        guard kept >= 0, UInt32(kept) >= first else { return first }
        if UInt32(kept) > first { try close(first, UInt32(kept) - 1) }
        return UInt32(kept) + 1
    }

    private static func close(_ first: UInt32, _ last: UInt32) throws(KernelError) {
        try kernelCall("close_range") { gantry_close_range(first, last, 0) }
    }
}
