import Glibc
import Linux
import OCI

/// The container's user as the owner of its cgroup, so that it may divide it: config-linux.md, Cgroup ownership.
package enum CgroupOwner {
    /// Nil where the cgroup stays the runtime's: in version 1, whose delegation is not safe; without a cgroup namespace of
    /// the container's own; and without a mount of the cgroup that can be written to.
    static func of(_ spec: RuntimeSpec, _ namespaces: NamespacePlan, _ facts: HostFacts) -> UInt32? {
        guard facts.layout.mode == .unified, namespaces.new.contains(.cgroup), let process = spec.process else {
            return nil
        }
        let isWritable = spec.mounts.contains { mount in
            mount.source == "cgroup" && PathName.cleaned(mount.destination) == "/sys/fs/cgroup"
                && !mount.options.contains("ro")
        }
        guard isWritable else { return nil }
        // An ordinary user's runtime is inside the user namespace by the time that it makes the cgroup.
        guard !facts.isRootless, namespaces.hasUser else { return process.user.uid == 0 ? nil : process.user.uid }
        // Of a namespace that is joined the configuration does not tell the mappings.
        let mapping = spec.linux.uidMappings.first { mapping in
            process.user.uid >= mapping.containerID && process.user.uid - mapping.containerID < mapping.size
        }
        return mapping.map { $0.hostID &+ (process.user.uid - $0.containerID) }
    }

    /// The directory, and the files that the kernel says are to be given with it; those are not in every cgroup.
    static func give(_ cgroup: Cgroup, to owner: UInt32) throws(RuntimeError) {
        guard let directory = cgroup.layout.unifiedDirectory(of: cgroup.path) else { return }
        // Older kernels do not say.
        let text = (try? FileContents.read("/sys/kernel/cgroup/delegate", limitBytes: 4096)).map {
            String(decoding: $0, as: UTF8.self)
        }
        let files =
            text?.split(separator: "\n").map(String.init) ?? [
                "cgroup.procs", "cgroup.subtree_control", "cgroup.threads",
            ]
        try attempt("unable to give the cgroup to user \(owner)") { () throws(KernelError) in
            try kernelCall("chown", directory) { chown(directory, owner, gid_t.max) }
            for file in files {
                do throws(KernelError) {
                    try kernelCall("chown", file) { chown("\(directory)/\(file)", owner, gid_t.max) }
                } catch  where error.errno == .noSuchFile {
                    continue
                }
            }
        }
    }
}
