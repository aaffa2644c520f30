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
        case .mappings(let uids, let gids):
            namespace = try MappingNamespace.make(uidMap: uids.mapText, gidMap: gids.mapText)
        }
        made[source] = namespace
        return namespace
    }
}

extension [LinuxIDMapping] {
    /// The lines of /proc/PID/uid_map and gid_map: user_namespaces(7).
    var mapText: String { map { "\($0.containerID) \($0.hostID) \($0.size)\n" }.joined() }
}
