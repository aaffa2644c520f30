import CLinux
import Glibc

/// One cgroup of that path in each hierarchy that matters: made, joined, ended and removed together.
package struct Cgroup: Hashable, Sendable {
    /// Absolute from the hierarchies' roots: `/gantry/abc`.
    package let path: String
    package let layout: CgroupLayout

    package init(path: String, layout: CgroupLayout) {
        self.path = PathName.cleaned(path)
        self.layout = layout
    }

    /// The version 1 controllers whose hierarchies each container is put into. `cpuset` is not among them: its directories
    /// must be filled before use.
    package static let accounted = ["cpu", "cpuacct", "memory", "pids", "blkio", "devices", "freezer"]

    /// Those that are joined only by who has limits there, or is shown its cgroups: a program that looks for its limits
    /// takes what `/proc/self/cgroup` says of a hierarchy for a place below `/sys/fs/cgroup`.
    package static let joinedOnDemand = [
        "cpuset", "hugetlb", "net_cls", "net_prio", "perf_event", "rdma", "misc", "name=systemd",
    ]

    /// The ones of them in which this cgroup is.
    package var joinedBeyond: [String] {
        Self.joinedOnDemand.filter { controller in
            layout.hierarchy(of: controller).map {
                access(PathName.joined($0.mountPoint, path), F_OK) == 0
            } ?? false
        }
    }

    /// The directories of this cgroup, one a hierarchy, version 2 first.
    package func directories(with extra: [String] = []) -> [String] {
        var found: [String] = []
        if let unified = layout.unifiedDirectory(of: path) { found.append(unified) }
        if layout.mode == .unified { return found }
        var controllers = Self.accounted + extra
        if layout.mode == .legacy { controllers.append("name=systemd") }
        for controller in controllers {
            guard let directory = layout.directory(of: path, controller: controller) else { continue }
            if !found.contains(directory) { found.append(directory) }
        }
        return found
    }

    /// Makes the directories. In a pure version 2 the controllers are switched on for them from the root down.
    package func create(with extra: [String] = []) throws(KernelError) {
        if layout.mode == .unified { try enableControllers() }
        for directory in directories(with: extra) { try Directory.create(directory) }
        if extra.contains("cpuset"), let directory = layout.hierarchy(of: "cpuset") { try fillCpuset(directory) }
    }

    /// Moves a process, with all its threads, into the cgroup.
    package func attach(pid: Int32, with extra: [String] = [], skippingUnified: Bool = false) throws(KernelError) {
        let unified = layout.unifiedDirectory(of: path)
        for directory in directories(with: extra) where !(skippingUnified && directory == unified) {
            try FileContents.write(String(pid), to: "\(directory)/cgroup.procs")
        }
    }

    /// Whether the cgroup is there, in the hierarchies by which its processes are found, ended and stopped: what is in others
    /// alone holds nobody who could be harmed.
    package var exists: Bool {
        Self.isThere(lifetimeDirectory) || Self.isThere(layout.directory(of: path, controller: "freezer"))
    }

    private static func isThere(_ directory: String?) -> Bool {
        directory.map { access($0, F_OK) == 0 } ?? false
    }

    /// The pids in the cgroup and those below it.
    package func processes() throws(KernelError) -> [Int32] {
        try lifetimeDirectory.map { (directory) throws(KernelError) in
            try CgroupMembers.pids(below: directory)
        } ?? []
    }

    /// Version 2 where there is one, since all processes are in it; else one of version 1.
    package var lifetimeDirectory: String? {
        layout.unifiedDirectory(of: path) ?? layout.directory(of: path, controller: "pids")
            ?? layout.directory(of: path, controller: "memory")
    }

    /// A controller must be switched on in each ancestor's `cgroup.subtree_control`. One that cannot be (a delegated
    /// tree without it, or processes in the ancestor) is left out here; a limit that needs it then names it.
    private func enableControllers() throws(KernelError) {
        guard let root = layout.unifiedMountPoint else { return }
        try enableUnified(Set(try Self.words("\(root)/cgroup.controllers")))
    }

    /// The words of a file: the names of controllers.
    private static func words(_ path: String) throws(KernelError) -> [String] {
        try FileContents.read(path).split(whereSeparator: { $0 == 32 || $0 == 10 }).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// The same for some controllers of version 2, also on a machine that has others in version 1.
    package func enableUnified(_ controllers: Set<String>) throws(KernelError) {
        guard let root = layout.unifiedMountPoint else { return }
        var directory = root
        for component in path.split(separator: "/") {
            let enabled = try Self.words("\(directory)/cgroup.subtree_control")
            for controller in controllers.sorted() where !enabled.contains(controller) {
                do throws(KernelError) {
                    try FileContents.write("+\(controller)", to: "\(directory)/cgroup.subtree_control")
                } catch {
                    continue
                }
            }
            directory += "/\(component)"
            try Directory.create(directory)
        }
    }

    /// A new cpuset of version 1 has no processors and no memory nodes: each level takes its parent's.
    private func fillCpuset(_ hierarchy: CgroupLayout.Hierarchy) throws(KernelError) {
        var directory = hierarchy.mountPoint
        for component in path.split(separator: "/") {
            let parent = directory
            directory += "/\(component)"
            for file in ["cpuset.cpus", "cpuset.mems"] {
                let value = try FileContents.read("\(directory)/\(file)")
                guard value.allSatisfy({ $0 == 10 || $0 == 0 }) else { continue }
                let inherited = try FileContents.read("\(parent)/\(file)")
                try FileContents.write(String(decoding: inherited, as: UTF8.self), to: "\(directory)/\(file)")
            }
        }
    }
}
