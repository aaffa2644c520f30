import CLinux
import Glibc

/// An eventfd(2): a counter that wakes who polls it. Any thread may signal it.
public struct EventFD: Sendable {
    public let descriptor: Descriptor

    public init() throws(KernelError) {
        descriptor = Descriptor(rawValue: try kernelCall("eventfd") { gantry_eventfd(0) })
    }

    /// Adds one. A full counter is as good as a signal, so no error matters.
    public func signal() {
        var one: UInt64 = 1
        _ = write(descriptor.rawValue, &one, 8)
    }

    /// Sets the counter to zero and returns what it was.
    @discardableResult
    public func drain() -> UInt64 {
        var value: UInt64 = 0
        return read(descriptor.rawValue, &value, 8) == 8 ? value : 0
    }
}
