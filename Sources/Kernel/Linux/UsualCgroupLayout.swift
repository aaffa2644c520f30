import CLinux
import Glibc

extension CgroupLayout {
    /// The layout as it is nearly everywhere, looked at in its place: on a machine with hundreds of mounts the kernel takes
    /// longer to write down their table than a container's start. Nil where it is not as usual, and the table must tell.
    static func usual(at place: String = "/sys/fs/cgroup") throws(KernelError) -> CgroupLayout? {
        let top = gantry_filesystem_magic_at(place)
        if top == cgroup2Magic {
            guard isWhole(place) else { return nil }
            var layout = CgroupLayout(mounts: [])
            layout.unifiedMountPoint = place
            return layout
        }
        // A small file system of their own holds the mounts of version 1.
        guard top == KernelTree.tmpfsMagic else { return nil }
        return try named(in: place)
    }

    /// Each hierarchy at the place that is called by its controllers: `9:cpu,cpuacct:/path` in /proc/self/cgroup.
    private static func named(in place: String) throws(KernelError) -> CgroupLayout? {
        var layout = CgroupLayout(mounts: [])
        for entry in ProcessCgroups.parse(try FileContents.read("/proc/self/cgroup")) {
            guard let first = entry.controllers.first else {
                let mountPoint = "\(place)/unified"
                // Version 2 is always there, but need not be mounted.
                guard gantry_filesystem_magic_at(mountPoint) == cgroup2Magic else { continue }
                guard isWhole(mountPoint) else { return nil }
                layout.unifiedMountPoint = mountPoint
                continue
            }
            let isNamed = first.utf8.starts(with: "name=".utf8)
            var name = isNamed ? String(Substring(first.utf8.dropFirst(5))) : first
            for other in entry.controllers.dropFirst() { name += "," + other }
            let mountPoint = "\(place)/\(name)"
            // A hierarchy that is not there may be mounted elsewhere, or nowhere: the table knows.
            guard isHierarchy(mountPoint) else { return nil }
            layout.legacy.append(Hierarchy(mountPoint: mountPoint, root: "/", controllers: entry.controllers))
        }
        return layout.legacy.isEmpty ? nil : layout
    }

    /// Whether a hierarchy of version 1, whole, is mounted there. At a place with such a name no other tree of the kernel's is.
    private static func isHierarchy(_ mountPoint: String) -> Bool {
        gantry_is_kernel_tree_top(mountPoint) == 1
            || gantry_filesystem_magic_at(mountPoint) == cgroupMagic && isWhole(mountPoint)
    }

    /// Whether a hierarchy's own top is mounted there. In a container it may be a cgroup further down, and the table tells
    /// which.
    private static func isWhole(_ mountPoint: String) -> Bool {
        var facts = stat()
        return stat(mountPoint, &facts) == 0 && facts.st_ino == topInode
    }

    /// Of the top directory of kernfs.
    private static let topInode: ino_t = 1
    private static let cgroupMagic: Int64 = 0x27_E0EB
    private static let cgroup2Magic: Int64 = 0x6367_7270
}
