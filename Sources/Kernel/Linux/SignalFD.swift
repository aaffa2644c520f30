import CLinux
import Glibc

/// A signalfd(2): blocked signals as something to poll and read. For a process of one thread, because a signal that
/// another thread does not block would not come here.
public struct SignalFD: Sendable {
    public let descriptor: Descriptor

    /// Blocks `signals` in the calling thread and opens a descriptor for them.
    public init(blocking signals: [Int32]) throws(KernelError) {
        var mask = sigset_t()
        sigemptyset(&mask)
        for signal in signals { sigaddset(&mask, signal) }
        try self.init(&mask)
    }

    /// The same of all signals but some.
    package init(blockingAllBut signals: [Int32]) throws(KernelError) {
        var mask = sigset_t()
        sigfillset(&mask)
        for signal in signals { sigdelset(&mask, signal) }
        try self.init(&mask)
    }

    private init(_ mask: inout sigset_t) throws(KernelError) {
        try kernelCall("sigprocmask") { sigprocmask(SIG_BLOCK, &mask, nil) }
        descriptor = Descriptor(rawValue: try kernelCall("signalfd") { gantry_signalfd(&mask) })
    }

    /// The next pending signal; nil where none is.
    public func next() -> Int32? {
        let signal = gantry_signalfd_read(descriptor.rawValue)
        return signal < 0 ? nil : signal
    }
}
