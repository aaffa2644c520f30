import CLinux
import Glibc
import Linux
import OCI

/// Copies of the host's mounts that the container will show, made by the runtime before there is a container: so a
/// source is found with the runtime's rights, also where the container's user has none, and a missing one is known early.
struct BindSources {
    /// The container's root file system, at the place of the bundle's.
    let root: Descriptor
    /// Whether the tree is a directory, by the index of the mount.
    private(set) var trees: [Int: (tree: Descriptor, isDirectory: Bool)] = [:]
    /// The cgroup directories to be shown.
    private(set) var cgroups: [CgroupCopy] = []
    let layout: CgroupLayout
    /// The text of a source that is a symbolic link and is to be one inside, by the index of the mount.
    private(set) var links: [Int: String] = [:]
    /// Device nodes of the host, by path: where a user namespace forbids making them.
    private(set) var devices: [String: Descriptor] = [:]

    init(_ plan: ContainerPlan, layout: CgroupLayout) throws(RuntimeError) {
        self.layout = layout
        var facts = stat()
        try attempt("invalid rootfs") { () throws(KernelError) in
            try kernelCall("stat", plan.rootfs) { stat(plan.rootfs, &facts) }
        }
        guard facts.st_mode & S_IFMT == S_IFDIR else {
            throw RuntimeError("invalid rootfs: \(plan.rootfs) is not a directory")
        }
        // Nothing can be mounted at a link.
        guard lstat(plan.rootfs, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR else {
            throw RuntimeError("invalid rootfs: not an absolute path, or a symlink")
        }
        root = try attempt { () throws(KernelError) in
            let tree = try Mount.cloneTree(plan.rootfs, recursive: true)
            try Mount.setAttributes(tree, propagation: .private, recursive: true, named: plan.rootfs)
            return tree
        }
        var mappings = MappingNamespaces()
        defer { mappings.close() }
        for (index, mount) in plan.mounts.enumerated() {
            switch mount.source {
            case .bind(let path):
                if mount.options.copiesLink, let text = Self.linkText(path) {
                    links[index] = text
                    continue
                }
                let copy = try Self.copy(path, for: mount, plan.propagation)
                trees[index] = copy
                guard let mapping = mount.idMapping else { continue }
                try attempt("mounts[\(index)]: the mount of \(path) cannot be id-mapped") {
                    () throws(KernelError) in try mappings.apply(mapping, to: copy.tree, named: path)
                }
            // One of systemd's is there only when init is in it.
            case .cgroup: if plan.cgroup.scope == nil { cgroups += try Self.cgroups(plan, layout, of: index) }
            case .filesystem: break
            }
        }
        if plan.namespaces.hasUser {
            // A pipe can be made there, too.
            for device in plan.devices where devices[device.path] == nil && device.type != "p" {
                devices[device.path] = try attempt { () throws(KernelError) in try Self.copyDevice(device) }
            }
        }
    }

    /// In the runtime, once init has its own: a copy that stays open keeps the host's file system busy.
    func close() {
        root.close()
        for source in trees.values { source.tree.close() }
        for source in cgroups { source.tree.close() }
        for source in devices.values { source.close() }
    }

    /// Nil for anything but a symbolic link.
    private static func linkText(_ path: String) -> String? {
        var text = [CChar](repeating: 0, count: 4097)
        let count = readlink(path, &text, 4096)
        return count < 0 ? nil : String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func copy(
        _ path: String, for mount: MountPlan, _ propagation: MountFlags
    ) throws(RuntimeError) -> (tree: Descriptor, isDirectory: Bool) {
        do throws(KernelError) {
            let tree = try Mount.cloneTree(path, recursive: mount.options.isRecursiveBind)
            // What the host mounts below the source may appear inside, and the other way round only where the whole root was
            // asked to tell the host: one mount's own propagation is for those inside, as in runc.
            if !propagation.contains(.shared) {
                try Mount.setAttributes(tree, propagation: .slave, recursive: true, named: path)
            }
            return (tree, try tree.isDirectory())
        } catch {
            let reason = error.errno == .noSuchFile ? "stat \(path): \(error.errno)" : error.description
            throw RuntimeError(
                "unable to start container process: error during container init: error mounting \"\(path)\" to rootfs "
                    + "at \"\(mount.destination)\": \(reason)")
        }
    }

    /// The host's node, which must be the device that the configuration describes, and no other file of that name. It is
    /// read and written through a read-only mount all the same; its owner and mode are the host's and stay what they are.
    /// Private: what is mounted over it inside is not mounted over the host's.
    private static func copyDevice(_ device: LinuxDevice) throws(KernelError) -> Descriptor {
        let copy = OwnedDescriptor(try Mount.cloneTree(device.path))
        let facts = try copy.descriptor.status()
        guard facts.st_mode & S_IFMT == (device.type == "b" ? S_IFBLK : S_IFCHR),
            gantry_major(UInt64(facts.st_rdev)) == device.major, gantry_minor(UInt64(facts.st_rdev)) == device.minor
        else { throw KernelError("show the device \(device.major):\(device.minor) by", device.path, .noDevice) }
        try Mount.setAttributes(copy.descriptor, set: .readOnly, propagation: .private, named: device.path)
        return copy.release()
    }

    /// The directories of a container's cgroup, copied from where this process sees them: for each mount anew, since a copy
    /// is attached in one place.
    static func cgroups(
        _ plan: ContainerPlan, _ layout: CgroupLayout, of mount: Int
    ) throws(RuntimeError) -> [CgroupCopy] {
        if layout.mode == .unified {
            // Without a namespace, the paths in /proc/PID/cgroup are those of the whole hierarchy: so it is what is shown.
            let isPrivate = plan.namespaces.has(.cgroup)
            guard let directory = layout.unifiedDirectory(of: isPrivate ? plan.cgroup.path : "/") else { return [] }
            return [try copy("", directory, [], mount)]
        }
        let own = Cgroup(path: plan.cgroup.path, layout: layout)
        let joined = Cgroup.accounted + plan.cgroup.extraControllers
        var found: [CgroupCopy] = []
        for hierarchy in layout.legacy where hierarchy.controllers.contains(where: joined.contains) {
            let name = PathName.split(hierarchy.mountPoint).name
            let links = hierarchy.controllers.count > 1 ? hierarchy.controllers : []
            found.append(try copy(name, PathName.joined(hierarchy.mountPoint, own.path), links, mount))
        }
        if let unified = layout.unifiedDirectory(of: own.path), layout.mode == .hybrid {
            found.append(try copy("unified", unified, [], mount))
        }
        return found
    }

    private static func copy(
        _ name: String, _ directory: String, _ links: [String], _ mount: Int
    ) throws(RuntimeError) -> CgroupCopy {
        let tree = try attempt { () throws(KernelError) in
            let tree = try Mount.cloneTree(directory)
            try Mount.setAttributes(tree, propagation: .private, named: directory)
            return tree
        }
        return CgroupCopy(mount: mount, name: name, tree: tree, links: links.filter { $0 != name })
    }
}

/// A cgroup directory to be shown, by the name below `/sys/fs/cgroup`; the empty name is that itself.
struct CgroupCopy {
    /// Which of the configuration's mounts it is for.
    let mount: Int
    let name: String
    let tree: Descriptor
    /// The names of single controllers, where the directory has several.
    let links: [String]
}
