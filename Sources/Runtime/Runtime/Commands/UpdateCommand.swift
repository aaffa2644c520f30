import Glibc
import Linux
import OCI

/// `update`: other limits for a container that exists.
extension Invocation {
    func update() throws(RuntimeError) -> Int32 {
        let arguments = try CommandArguments(words, UpdateOptions.known)
        try arguments.expectOperands("update", exactly: 1)
        let record = try store.record(of: arguments.operands[0])
        let layout = try HostFacts.layout()
        guard ContainerStatus.of(record, in: store, layout) != .stopped else {
            throw RuntimeError("container not running")
        }
        let schemata = try UpdateOptions.schemata(arguments, root: try HostFacts.resctrl())
        let asked = try UpdateOptions.resources(arguments)
        if asked.memory?.kernelBytes != nil || asked.memory?.kernelTCPBytes != nil {
            log.warning("Kernel memory settings are ignored and will be removed")
        }
        let cgroup = record.cgroup(in: layout)
        let current = try attempt { () throws(KernelError) in try CurrentLimits(CgroupTexts(of: cgroup)) }
        let resources = try UpdatePlan.complete(asked, current, isUnified: layout.mode == .unified)
        var plan = try CgroupPlan(path: record.cgroupPath, resources, layout)
        plan.scope = record.scope
        try CgroupPlacement(plan, layout: layout).change()
        if !schemata.isEmpty { try (record.resctrl ?? ResctrlGroups()).write(schemata) }
        return 0
    }
}
