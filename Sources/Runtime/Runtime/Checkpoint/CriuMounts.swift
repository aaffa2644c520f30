import Linux
import OCI

/// The mounts of a container that CRIU cannot make from its images, because they come from the host.
package struct CriuMounts: Hashable, Sendable {
    package struct External: Hashable, Sendable {
        /// Inside the container.
        package var place: String
        /// Of the host.
        package var source: String
    }

    package var mounts: [External] = []

    /// Binds, the container's cgroup directories, and device nodes, which are bound in a user namespace.
    ///
    /// CRIU knows the file system of version 2 and makes it itself, so a dump leaves it to it, as runc's does: which gives
    /// no other place for it when it restores. Images of earlier versions of this runtime have it among the others.
    package init(_ plan: ContainerPlan, layout: CgroupLayout, isDump: Bool) {
        for mount in plan.mounts {
            switch mount.source {
            case .bind(let path): mounts.append(External(place: mount.destination, source: path))
            case .cgroup where isDump && layout.mode == .unified: break
            case .cgroup: addCgroups(mount.destination, plan, layout)
            case .filesystem: break
            }
        }
        for device in plan.devices where plan.namespaces.hasUser {
            mounts.append(External(place: device.path, source: device.path))
        }
    }

    private mutating func addCgroups(_ place: String, _ plan: ContainerPlan, _ layout: CgroupLayout) {
        if layout.mode == .unified {
            let path = plan.namespaces.has(.cgroup) ? plan.cgroup.path : "/"
            if let directory = layout.unifiedDirectory(of: path) {
                mounts.append(External(place: place, source: directory))
            }
            return
        }
        let unified = layout.unifiedMountPoint.map { [$0] } ?? []
        for mountPoint in layout.legacy.map(\.mountPoint) + unified {
            let name = PathName.split(mountPoint).name
            mounts.append(
                External(place: PathName.joined(place, name), source: PathName.joined(mountPoint, plan.cgroup.path)))
        }
    }
}
