import CLinux
import Glibc
import Linux

/// The host's procfs and sysfs in the mount namespace of a container whose root is not changed by pivot_root(2).
///
/// They would stay there, below the new root, where no path leads. But the kernel lets a user namespace mount such a file
/// system anew if it finds it whole in the mount namespace (`mount_too_revealing` in fs/namespace.c): the host's would
/// vouch for one without the container's masks and read-only paths.
struct HostPseudoFilesystems {
    /// The container's root, mounted.
    let root: Descriptor
    /// Whether the host hears of mounts made and taken away here.
    let isShared: Bool

    /// Takes away each that is not below the container's root, or covers it where it is locked. Throws EBUSY where one is
    /// left that no path leads to.
    func hide() throws(KernelError) {
        // Open before it goes: the host's procfs is the one in which this process has a number.
        let own = OwnedDescriptor(try Descriptor.open("/proc/self", O_PATH | O_DIRECTORY))
        let table = try Self.mounts(own.descriptor)
        for mount in try visible(table, own.descriptor) { try hide(mount, table) }
        guard let left = try visible(Self.mounts(own.descriptor), own.descriptor).first else { return }
        throw KernelError("hide the host's", left.mountPoint, .busy)
    }

    private func hide(_ mount: MountEntry, _ table: [MountEntry]) throws(KernelError) {
        let path = mount.mountPoint
        // Gone with another that it was mounted on.
        if access(path, F_OK) != 0 { return }
        if isShared {
            let parent = table.first { $0.id == mount.parent }?.mountPoint ?? "/"
            for place in [parent, path] { try Mount.setPropagation(place, .private) }
        }
        do throws(KernelError) {
            try Mount.unmount(path, detach: true)
        } catch  where error.errno == .invalidArgument || error.errno == .notPermitted {
            // Locked, as all mounts are that another user namespace has made.
            try Mount.mount("tmpfs", at: path, type: "tmpfs", .readOnly)
        }
    }

    /// The whole ones that nothing covers, outside the container's root.
    private func visible(_ table: [MountEntry], _ own: Descriptor) throws(KernelError) -> [MountEntry] {
        let top = try mountID(own)
        let parents = Dictionary(table.map { ($0.id, $0.parent) }, uniquingKeysWith: { first, _ in first })
        return table.filter { mount in
            guard ["proc", "sysfs"].contains(mount.type), mount.root == "/" else { return false }
            if table.contains(where: { $0.parent == mount.id && $0.mountPoint == mount.mountPoint }) { return false }
            var above: Int? = mount.id
            while let id = above, id != top { above = parents[id] == id ? nil : parents[id] }
            return above == nil
        }
    }

    private static func mounts(_ own: Descriptor) throws(KernelError) -> [MountEntry] {
        let file = OwnedDescriptor(try own.open("mountinfo", O_RDONLY))
        return MountTable.parse(try file.descriptor.readAll())
    }

    private func mountID(_ own: Descriptor) throws(KernelError) -> Int {
        let name = "fdinfo/\(root.rawValue)"
        let file = OwnedDescriptor(try own.open(name, O_RDONLY))
        let text = String(decoding: try file.descriptor.readAll(limitBytes: 4096), as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix("mnt_id:") }
        guard let id = line.flatMap({ Int($0.dropFirst(7).filter(\.isNumber)) }) else {
            throw KernelError("read", "/proc/self/\(name)", .invalidArgument)
        }
        return id
    }
}
