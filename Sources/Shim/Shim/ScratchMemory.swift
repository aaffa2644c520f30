import Glibc

/// Memory for one piece of work at a time, taken from the kernel at the first use and given back when the shim is idle:
/// a shim whose container says nothing holds no buffer.
final class ScratchMemory {
    let byteCount: Int
    private var mapped: UnsafeMutableRawPointer?

    init(byteCount: Int) { self.byteCount = byteCount }

    deinit { release() }

    /// Valid until `release`, and for one user at a time.
    var buffer: UnsafeMutableRawBufferPointer {
        if let mapped { return UnsafeMutableRawBufferPointer(start: mapped, count: byteCount) }
        let address = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let address, address != MAP_FAILED else { preconditionFailure("no memory for \(byteCount) bytes") }
        mapped = address
        return UnsafeMutableRawBufferPointer(start: address, count: byteCount)
    }

    func release() {
        if let mapped { munmap(mapped, byteCount) }
        mapped = nil
    }
}
