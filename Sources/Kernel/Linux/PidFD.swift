import CLinux
import Glibc

/// A pidfd(2): a process, and never another one that got its number.
package enum PidFD {
    /// Opens a process that must have begun at `startTicks`, if given; ESRCH where it is gone or another.
    package static func open(pid: Int32, startTicks: UInt64? = nil) throws(KernelError) -> Descriptor {
        let descriptor = Descriptor(
            rawValue: try kernelCall("open process", String(pid)) { gantry_pidfd_open(pid, 0) })
        guard let startTicks else { return descriptor }
        do throws(KernelError) {
            // Read after the descriptor was opened: from here on the number cannot become another process.
            if try ProcessStat.read(pid: pid).startTicks == startTicks { return descriptor }
        } catch {
            descriptor.close()
            throw KernelError("open process", String(pid), .noSuchProcess)
        }
        descriptor.close()
        throw KernelError("open process", String(pid), .noSuchProcess)
    }

    /// Opens a child of this process by a number that another process told; ESRCH where it is none, so that nobody who lies
    /// can have another process signalled or changed.
    package static func open(child pid: Int32) throws(KernelError) -> Descriptor {
        let descriptor = OwnedDescriptor(try open(pid: pid))
        guard gantry_is_child(descriptor.descriptor.rawValue) != 0 else {
            throw KernelError("open child process", String(pid), .noSuchProcess)
        }
        return descriptor.release()
    }

    package static func send(_ signal: Int32, to process: Descriptor) throws(KernelError) {
        try kernelCall("send signal \(signal)") { gantry_pidfd_send_signal(process.rawValue, signal) }
    }

    /// Waits for a child and reaps it: its exit code, or 128 + signal.
    package static func reap(_ process: Descriptor) throws(KernelError) -> Int32 {
        try kernelCall("wait for a process") { gantry_wait_pidfd(process.rawValue, 1) }
    }

    /// How a process ended: waitid(2) tells an exit code above 128 from a signal, which a shell's number does not.
    package enum End: Hashable, Sendable {
        case exited(Int32)
        case killed(signal: Int32, dumpedCore: Bool)
    }

    /// Waits for a child and reaps it.
    package static func reapTellingEnd(_ process: Descriptor) throws(KernelError) -> End {
        var (signal, dumped): (Int32, Int32) = (0, 0)
        let code = try kernelCall("wait for a process") { gantry_reap_pidfd(process.rawValue, &signal, &dumped) }
        return signal == 0 ? .exited(code) : .killed(signal: signal, dumpedCore: dumped != 0)
    }

    /// poll(2): whether the process ended within the time; -1 waits without end.
    package static func waitForEnd(_ process: Descriptor, timeoutMilliseconds: Int32) throws(KernelError) -> Bool {
        var entry = pollfd(fd: process.rawValue, events: Int16(POLLIN), revents: 0)
        return try kernelCall("poll a process") { poll(&entry, 1, timeoutMilliseconds) } > 0
    }
}
