import CLinux
import Glibc

/// A user namespace whose only use is its mappings: mount_setattr(2) takes a mapping as a namespace that has it.
package enum MappingNamespace {
    /// CLONE_NEWUSER.
    private static let userFlag: UInt64 = 0x1000_0000

    /// A process in a new user namespace lives just long enough for the namespace to be opened. Only for a process of one
    /// thread.
    ///
    /// - Parameters:
    ///   - uidMap: as /proc/PID/uid_map takes it: user_namespaces(7).
    ///   - gidMap: as /proc/PID/gid_map takes it.
    package static func make(uidMap: String, gidMap: String) throws(KernelError) -> Descriptor {
        let (reading, writing) = try Descriptor.pipe()
        defer { writing.close() }
        var pidfd: Int32 = -1
        let pid = try kernelCall("clone") { gantry_clone3_fork(userFlag, &pidfd, -1) }
        if pid == 0 {
            writing.close()
            // Until the other end is closed, by whatever ends the process that made this one.
            var byte: UInt8 = 0
            _ = Glibc.read(reading.rawValue, &byte, 1)
            _exit(0)
        }
        reading.close()
        let process = OwnedDescriptor(Descriptor(rawValue: pidfd))
        do throws(KernelError) {
            try FileContents.write(uidMap, to: "/proc/\(pid)/uid_map")
            try FileContents.write(gidMap, to: "/proc/\(pid)/gid_map")
            let namespace = try Descriptor.open("/proc/\(pid)/ns/user", O_RDONLY)
            try end(process.descriptor)
            return namespace
        } catch {
            // The first failure is the one to be told.
            try? end(process.descriptor)
            throw error
        }
    }

    private static func end(_ process: Descriptor) throws(KernelError) {
        try PidFD.send(SIGKILL, to: process)
        _ = try PidFD.reap(process)
    }
}
