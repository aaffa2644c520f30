import CLinux
import Glibc
import Linux
import OCI

/// How the owners of a bind mount's files are translated, decided.
package struct IDMappingPlan: Hashable, Sendable {
    package enum Source: Hashable, Sendable {
        /// The mount's own mappings, or those of the container's new user namespace.
        case mappings(uids: [LinuxIDMapping], gids: [LinuxIDMapping])
        /// The user namespace that the container joins.
        case namespace(path: String)
    }

    package var source: Source
    /// `ridmap`: what is mounted below is translated too.
    package var isRecursive: Bool

    /// Nil where the mount asks for none.
    init?(
        _ mount: RuntimeMount, _ options: MountOptions, named property: String, linux: RuntimeLinux, isRootless: Bool
    ) throws(RuntimeError) {
        let hasOwn = !(mount.uidMappings.isEmpty && mount.gidMappings.isEmpty)
        guard options.isIdentityMapped || hasOwn else { return nil }
        guard options.isBind else {
            throw RuntimeError("\(property): id-mapped mounts are only supported for bind-mounts")
        }
        guard !isRootless else {
            throw RuntimeError("\(property): id-mapped mounts are not supported for rootless containers")
        }
        isRecursive = options.isRecursivelyMapped
        if !hasOwn, let user = linux.namespaces.first(where: { $0.kind == .user }) {
            if let path = user.path {
                source = .namespace(path: path)
                return
            }
            source = .mappings(uids: linux.uidMappings, gids: linux.gidMappings)
        } else {
            source = .mappings(uids: mount.uidMappings, gids: mount.gidMappings)
        }
        guard case .mappings(let uids, let gids) = source, !uids.isEmpty, !gids.isEmpty else {
            throw RuntimeError("\(property): id-mapped mounts must have both uid and gid mappings specified")
        }
    }
}

/// User namespaces whose only use is their mappings: mount_setattr(2) takes a mapping as a namespace that has it.
struct MappingNamespaces {
    private var made: [IDMappingPlan.Source: Descriptor] = [:]

    /// Translates the owners of a copy of a mount, which must not be attached yet.
    mutating func apply(_ plan: IDMappingPlan, to tree: Descriptor, named path: String) throws(KernelError) {
        let namespace = try namespace(for: plan.source)
        try Mount.setAttributes(
            tree, set: .identityMapped, userNamespace: namespace, recursive: plan.isRecursive, named: path)
    }

    func close() { for namespace in made.values { namespace.close() } }

    private mutating func namespace(for source: IDMappingPlan.Source) throws(KernelError) -> Descriptor {
        if let found = made[source] { return found }
        let namespace: Descriptor
        switch source {
        case .namespace(let path): namespace = try Descriptor.open(path, O_RDONLY)
        case .mappings(let uids, let gids): namespace = try Self.make(uids, gids)
        }
        made[source] = namespace
        return namespace
    }

    /// A process in a new user namespace lives just long enough for the namespace to be opened.
    private static func make(
        _ uids: [LinuxIDMapping], _ gids: [LinuxIDMapping]
    ) throws(KernelError) -> Descriptor {
        let (reading, writing) = try Descriptor.pipe()
        defer { writing.close() }
        var pidfd: Int32 = -1
        let flag = UInt64(LinuxNamespace.Kind.user.cloneFlag)
        let pid = try kernelCall("clone") { gantry_clone3_fork(flag, &pidfd, -1) }
        if pid == 0 {
            writing.close()
            // Until the other end is closed, by whatever ends the runtime.
            var byte: UInt8 = 0
            _ = Glibc.read(reading.rawValue, &byte, 1)
            _exit(0)
        }
        reading.close()
        let process = OwnedDescriptor(Descriptor(rawValue: pidfd))
        do throws(KernelError) {
            try FileContents.write(uids.mapText, to: "/proc/\(pid)/uid_map")
            try FileContents.write(gids.mapText, to: "/proc/\(pid)/gid_map")
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

extension [LinuxIDMapping] {
    /// The lines of /proc/PID/uid_map and gid_map: user_namespaces(7).
    var mapText: String { map { "\($0.containerID) \($0.hostID) \($0.size)\n" }.joined() }
}
