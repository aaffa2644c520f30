import CLinux
import Glibc
import Linux

/// The descriptors of a process that goes into a container.
enum InheritedDescriptors {
    /// Closes all from `first` on but those named: whatever of the host is open could be a way out, for this process's
    /// own change of directory or for another that looks into it by /proc/PID/fd.
    static func closeAll(
        from first: Int32, keeping kept: Descriptor, _ other: Descriptor? = nil, _ third: Descriptor? = nil
    ) throws(KernelError) {
        // Few, and put in order by hand: how arrays are sorted is code that is not needed otherwise.
        var (low, middle, high) = (
            kept.rawValue, other?.rawValue ?? kept.rawValue, third?.rawValue ?? kept.rawValue
        )
        if low > middle { swap(&low, &middle) }
        if middle > high { swap(&middle, &high) }
        if low > middle { swap(&low, &middle) }
        var rest = try closeUp(to: low, from: UInt32(first))
        rest = try closeUp(to: middle, from: rest)
        try close(try closeUp(to: high, from: rest), UInt32.max)
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
