import CLinux
import Glibc

extension Descriptor {
    /// pipe2(2) with O_CLOEXEC: what is written to `writing` comes out of `reading`. Both ends block.
    public static func pipe() throws(KernelError) -> (reading: Descriptor, writing: Descriptor) {
        var ends: (Int32, Int32) = (-1, -1)
        try kernelCall("pipe") {
            withUnsafeMutablePointer(to: &ends) {
                $0.withMemoryRebound(to: Int32.self, capacity: 2) { gantry_pipe2($0, Int32(O_CLOEXEC)) }
            }
        }
        return (Descriptor(rawValue: ends.0), Descriptor(rawValue: ends.1))
    }

    /// F_SETPIPE_SZ: lets the pipe hold so many bytes, or more. Pages are taken only as it fills. EPERM beyond what the user
    /// may have (pipe(7), `pipe-max-size` and `pipe-user-pages-soft`).
    package func setPipeSize(byteCount: Int32) throws(KernelError) {
        try kernelCall("set the size of a pipe") { gantry_fcntl_int(rawValue, 1031, byteCount) }
    }

    /// splice(2) from this descriptor to another, one of which is a pipe: what lies here goes on as it lies, without a copy.
    ///
    /// - Parameter waits: false for EAGAIN where nothing lies here, or the other has no room.
    /// - Returns: how many bytes have gone; 0 at the end.
    package func splice(to target: Descriptor, upTo count: Int, waits: Bool = false) throws(KernelError) -> Int {
        try kernelCall("splice") { gantry_splice(rawValue, target.rawValue, count, waits ? 1 : 0) }
    }

    /// Sets or clears O_NONBLOCK, which all duplicates of this descriptor share.
    public func setNonBlocking(_ enabled: Bool = true) throws(KernelError) {
        let flags = try kernelCall("read flags of a descriptor") { gantry_fcntl_int(rawValue, F_GETFL, 0) }
        let wanted = enabled ? flags | O_NONBLOCK : flags & ~O_NONBLOCK
        try kernelCall("set flags of a descriptor") { gantry_fcntl_int(rawValue, F_SETFL, wanted) }
    }
}
