/// Which cgroup hierarchies the machine has, and where they are mounted: cgroups(7).
package struct CgroupLayout: Hashable, Sendable {
    package enum Mode: String, Hashable, Sendable {
        /// Controllers in hierarchies of version 1 only.
        case legacy
        /// Controllers in version 1, beside a version 2 hierarchy for the processes' lifetime.
        case hybrid
        /// Version 2 alone.
        case unified
    }

    /// A hierarchy of version 1: controllers that are mounted together.
    package struct Hierarchy: Hashable, Sendable {
        package var mountPoint: String
        /// What of the hierarchy is mounted there: `/`, or less inside a container.
        package var root: String
        /// `memory`, `cpu`, …; `name=systemd` for one without a controller.
        package var controllers: [String]
    }

    package var legacy: [Hierarchy] = []
    /// The mount point of version 2, if it is mounted.
    package var unifiedMountPoint: String?
    package var unifiedRoot = "/"

    package var mode: Mode {
        unifiedMountPoint == nil ? .legacy : legacy.isEmpty ? .unified : .hybrid
    }

    /// The layout that this process sees.
    package static func current() throws(KernelError) -> CgroupLayout {
        if let usual = try usual() { return usual }
        return CgroupLayout(mounts: try MountTable.current())
    }

    package init(mounts: [MountEntry]) {
        for (index, mount) in mounts.enumerated() where mount.type.hasPrefix("cgroup") {
            // What was mounted last at a place hides what is below it.
            if mounts[(index + 1)...].contains(where: { $0.mountPoint == mount.mountPoint }) { continue }
            if mount.type == "cgroup2" {
                // The one at the usual place counts, also where another is mounted for a container.
                if unifiedMountPoint == nil || mount.mountPoint.hasPrefix("/sys/fs/cgroup") {
                    guard unifiedMountPoint?.hasPrefix("/sys/fs/cgroup") != true else { continue }
                    (unifiedMountPoint, unifiedRoot) = (mount.mountPoint, mount.root)
                }
            } else if mount.type == "cgroup" {
                let plain = ["rw", "ro", "xattr", "clone_children", "noprefix"]
                let controllers = mount.superOptions.filter { !plain.contains($0) && !$0.hasPrefix("release_agent") }
                guard !controllers.isEmpty, hierarchy(of: controllers[0]) == nil else { continue }
                legacy.append(Hierarchy(mountPoint: mount.mountPoint, root: mount.root, controllers: controllers))
            }
        }
    }

    /// The version 1 hierarchy that has the controller.
    package func hierarchy(of controller: String) -> Hierarchy? {
        legacy.first { $0.controllers.contains(controller) }
    }

    /// The directory of the cgroup `path` (absolute, as `/gantry/id`) where `controller`'s files are: in its version 1
    /// hierarchy, else in version 2. Nil where the machine has neither.
    package func directory(of path: String, controller: String) -> String? {
        if let hierarchy = hierarchy(of: controller) { return PathName.joined(hierarchy.mountPoint, path) }
        guard mode == .unified else { return nil }
        return unifiedDirectory(of: path)
    }

    /// The directory of the cgroup `path` in version 2, which also a hybrid machine has: `cgroup.kill`,
    /// `cgroup.freeze`, `cgroup.events`, `*.pressure`.
    package func unifiedDirectory(of path: String) -> String? {
        unifiedMountPoint.map { PathName.joined($0, path) }
    }
}
