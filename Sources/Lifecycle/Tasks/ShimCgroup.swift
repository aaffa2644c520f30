import Glibc
import Linux

/// Where an engine's shims are: beside its containers, and not in the cgroup in which the engine happened to be started,
/// whose processes may be ended all at once. So does systemd with a service that is stopped and a session that is left.
struct ShimCgroup: Sendable {
    let cgroup: Cgroup

    /// The directory of version 2, for a shim to be born in: to move it there later costs the kernel 7 to 15 ms.
    ///
    /// - Returns: nil where shims stay with their engine: there is no version 2, or nothing may be made in it.
    func open() -> Descriptor? {
        guard let directory = cgroup.layout.unifiedDirectory(of: cgroup.path), Self.isThere(directory)
        else { return nil }
        return try? Descriptor.open(directory, O_RDONLY | O_DIRECTORY)  // Gone again, or closed to this user: none.
    }

    /// The directory of version 1 by which systemd knows whose a process is; a shim goes there by itself.
    ///
    /// - Returns: nil where there is none, or nothing may be made in it.
    var legacyDirectory: String? {
        guard let hierarchy = cgroup.layout.hierarchy(of: "name=systemd") else { return nil }
        let directory = PathName.joined(hierarchy.mountPoint, cgroup.path)
        return Self.isThere(directory) ? directory : nil
    }

    /// Makes it where it is missing.
    private static func isThere(_ directory: String) -> Bool {
        if access(directory, F_OK) == 0 { return true }
        do throws(KernelError) {
            try Directory.create(directory)
            return true
        } catch { return false }
    }
}
