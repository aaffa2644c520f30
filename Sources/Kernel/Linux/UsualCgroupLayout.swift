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
        return try listed(in: place)
    }

    private static func listed(in place: String) throws(KernelError) -> CgroupLayout? {
        // `9:cpu,cpuacct:/path`: which controllers are mounted together.
        let known = ProcessCgroups.parse(try FileContents.read("/proc/self/cgroup")).map(\.controllers)
        var layout = CgroupLayout(mounts: [])
        for name in try Directory.list(place).sorted() {
            let mountPoint = "\(place)/\(name)"
            var facts = stat()
            // A link is another name of one of the others.
            guard lstat(mountPoint, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR else { continue }
            let magic = gantry_filesystem_magic_at(mountPoint)
            if magic == cgroup2Magic || magic == cgroupMagic, facts.st_ino != topInode { return nil }
            switch magic {
            case cgroup2Magic:
                if layout.unifiedMountPoint == nil { layout.unifiedMountPoint = mountPoint }
            case cgroupMagic:
                let controllers =
                    name == "systemd" ? ["name=systemd"] : name.utf8.split(separator: 44).map { String(Substring($0)) }
                // A place that is not called by what is mounted there says nothing of it.
                guard known.contains(controllers) else { return nil }
                layout.legacy.append(Hierarchy(mountPoint: mountPoint, root: "/", controllers: controllers))
            default: continue
            }
        }
        return layout.legacy.isEmpty ? nil : layout
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
