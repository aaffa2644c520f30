import Glibc

/// What of the cgroups is given to this process's user: by systemd to a user's manager, or by whoever made a directory
/// the user's. Version 2 alone; version 1 gives nothing away safely.
package struct CgroupDelegation: Hashable, Sendable {
    /// The cgroup below which others may be made and processes moved, seen from the hierarchy's root.
    package var path: String
    /// What can be limited there.
    package var controllers: Set<String>

    /// Nil where nothing is delegated. Blocking, but only by reads of /proc and /sys.
    package static func find(_ layout: CgroupLayout) throws(KernelError) -> CgroupDelegation? {
        guard layout.mode == .unified, let root = layout.unifiedMountPoint else { return nil }
        let own = ProcessCgroups.parse(try FileContents.read("/proc/self/cgroup"))
        guard let entry = own.first(where: { $0.controllers.isEmpty }) else { return nil }
        let isOwn = { (path: String) in
            let directory = PathName.joined(root, path)
            return access(directory, W_OK) == 0
                && ["cgroup.procs", "cgroup.subtree_control"].allSatisfy { access("\(directory)/\($0)", W_OK) == 0 }
        }
        // One that has processes itself is of no use: switched on there, a controller of threads would make all below
        // invalid, and others cannot be. What cannot be read is not given.
        let isInner = { (path: String) in
            (try? FileContents.read("\(PathName.joined(root, path))/cgroup.procs"))?.isEmpty == true  // As above.
        }
        guard let path = highest(below: entry.path, isOwn, isInner) else { return nil }
        let names = try FileContents.read("\(PathName.joined(root, path))/cgroup.controllers")
        return CgroupDelegation(
            path: path,
            controllers: Set(names.split { $0 == 32 || $0 == 10 }.map { String(decoding: $0, as: UTF8.self) }))
    }

    /// The highest of a cgroup and those above it that is the user's without a gap: the same for all of a user's
    /// sessions, and an ancestor of this process's, so that processes may be moved from here to below it.
    static func highest(
        below own: String, _ isOwn: (String) -> Bool, _ isInner: (String) -> Bool
    ) -> String? {
        var found: String?
        var path = own
        while path != "/", !path.isEmpty, !path.contains("/.."), isOwn(path) {
            if isInner(path) { found = path }
            path = PathName.split(path).parent
        }
        return found
    }
}
