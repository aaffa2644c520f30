import Glibc
import Linux
import OCI

/// Cgroups where the runtime may have no right to make any.
struct CgroupRefusal {
    /// Whether a container may do without: `--rootless`.
    let isIgnored: Bool
    let layout: CgroupLayout

    /// Makes the container's cgroup. An ordinary user whom nobody gave one gets a container without, unless it asks for
    /// limits or for a certain path; the plan then says so, and the layout that is returned has no hierarchy.
    func makeOrDoWithout(_ plan: inout CgroupPlan, path: String?) throws(RuntimeError) -> CgroupLayout {
        guard isIgnored, plan.scope == nil else { return layout }
        plan.skipsDevices = true
        let cgroup = Cgroup(path: plan.path, layout: layout)
        do throws(KernelError) {
            try cgroup.create(with: plan.extraControllers)
            return layout
        } catch {
            // Some of the hierarchies may have taken it.
            try? cgroup.remove(timeoutMilliseconds: 0)
            guard [.accessDenied, .notPermitted, Errno(rawValue: EROFS)].contains(error.errno) else {
                throw RuntimeError("unable to apply cgroup configuration: \(error)")
            }
            guard path == nil else { throw RuntimeError("unable to apply cgroup configuration: \(error)") }
            guard plan.writes.isEmpty else {
                throw RuntimeError(
                    "rootless needs no limits + no cgrouppath when no permission is granted for cgroups: \(error)")
            }
        }
        plan.isRefused = true
        return CgroupLayout(mounts: [])
    }
}
