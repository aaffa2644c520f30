import CLinux
import Glibc
import Linux

/// A plan's cgroup, made: the effects of `CgroupPlan`.
struct CgroupPlacement {
    let plan: CgroupPlan
    let cgroup: Cgroup
    let layout: CgroupLayout

    init(_ plan: CgroupPlan, layout: CgroupLayout) {
        self.plan = plan
        self.layout = layout
        cgroup = Cgroup(path: plan.path, layout: layout)
    }

    /// Makes the directories and sets limits and device rules; nothing is in the cgroup yet.
    ///
    /// A cgroup that exists with processes in it is somebody else's: its limits are not this container's to set.
    ///
    /// One of systemd's is begun with its first process, in `attach`.
    ///
    /// - Parameter isNew: whether there is no such cgroup yet.
    func prepare(isNew: Bool) throws(RuntimeError) {
        let others = isNew ? [] : try attempt { () throws(KernelError) in try cgroup.processes() }
        guard others.isEmpty else {
            throw RuntimeError("container's cgroup is not empty: \(others.count) process(es) found")
        }
        // A process that is made in there stands still for ever.
        let isFrozen = isNew ? false : try attempt { () throws(KernelError) in try cgroup.isFrozen() }
        if isFrozen {
            throw RuntimeError("container's cgroup unexpectedly frozen")
        }
        if plan.scope == nil { try fill() }
    }

    private func fill() throws(RuntimeError) {
        try attempt { () throws(KernelError) in try cgroup.create(with: plan.extraControllers) }
        try switchUnifiedOn()
        for write in plan.writes { try apply(write) }
        if !plan.skipsDevices { try DeviceRules(ruleset: plan.devices, cgroup: cgroup).apply(isNew: true) }
        if let owner = plan.owner { try CgroupOwner.give(cgroup, to: owner) }
    }

    /// Sets limits of a cgroup in use. Hierarchies that its processes were not in so far are joined for them.
    func change() throws(RuntimeError) {
        if let scope = plan.scope { try SystemdUnit(scope: scope).change(plan.properties) }
        if !plan.extraControllers.isEmpty { try joinExtraControllers() }
        try switchUnifiedOn()
        // A limit may have to wait for another: memory above memory and swap together is refused until that is raised.
        var refused: [CgroupPlan.Write] = []
        for write in plan.writes {
            do throws(RuntimeError) { try apply(write) } catch { refused.append(write) }
        }
        for write in refused { try apply(write) }
        if plan.changesDevices { try DeviceRules(ruleset: plan.devices, cgroup: cgroup).apply() }
    }

    private func joinExtraControllers() throws(RuntimeError) {
        try attempt { () throws(KernelError) in
            try cgroup.create(with: plan.extraControllers)
            for pid in try cgroup.processes() {
                do throws(KernelError) {
                    try cgroup.attach(pid: pid, with: plan.extraControllers, skippingUnified: true)
                } catch  where error.errno == .noSuchProcess {
                    continue
                }
            }
        }
    }

    /// The way of a new process into the hierarchies of version 1; it is born in version 2, or moved there by `attach`.
    func entry() throws(RuntimeError) -> CgroupEntry {
        let unified = layout.unifiedDirectory(of: cgroup.path)
        let directories = cgroup.directories(with: plan.extraControllers).filter { $0 != unified }
        return try attempt("unable to apply cgroup configuration") { () throws(KernelError) in
            try CgroupEntry(directories: directories)
        }
    }

    /// Moves a process that could not be born in the cgroup of version 2 there.
    func attachUnified(pid: Int32) throws(RuntimeError) {
        guard let directory = layout.unifiedDirectory(of: cgroup.path) else { return }
        try attempt("unable to apply cgroup configuration") { () throws(KernelError) in
            try FileContents.write(String(pid), to: "\(directory)/cgroup.procs")
        }
    }

    func attach(pid: Int32) throws(RuntimeError) {
        if let scope = plan.scope {
            try SystemdUnit(scope: scope).start(
                pid: pid, description: "\(Invocation.program) container \(scope.unit)", plan.properties)
            try fill()
            if !scope.isSlice { return }
        }
        try attempt("unable to apply cgroup configuration") { () throws(KernelError) in
            try cgroup.attach(pid: pid, with: plan.extraControllers)
        }
    }

    /// On a hybrid machine, whose version 2 hierarchy is otherwise left as it is.
    private func switchUnifiedOn() throws(RuntimeError) {
        guard plan.writes.contains(where: { $0.isUnified }) else { return }
        let controllers = Set(plan.writes.filter(\.isUnified).map(\.controller))
        try attempt { () throws(KernelError) in try cgroup.enableUnified(controllers) }
    }

    private func apply(_ write: CgroupPlan.Write) throws(RuntimeError) {
        do throws(KernelError) {
            try apply(write.line, of: write)
        } catch {
            let isMissing = error.operation == "open" && error.errno == .noSuchFile
            if isMissing, let other = write.instead {
                var second = write
                (second.line, second.instead) = (other, nil)
                return try apply(second)
            }
            if isMissing, write.isOptional { return }
            if error.errno == .busy, write.file == "memory.limit_in_bytes" { throw usedUp(write) }
            throw RuntimeError(
                "error setting cgroup config: \(write.property): failed to write \"\(write.value)\": "
                    + "\(error.operation == "open" ? "open" : "write") \(error.object): \(error.errno)")
        }
    }

    /// Version 1 refuses a limit that it cannot reach by reclaiming: how much is used says what would be accepted.
    private func usedUp(_ write: CgroupPlan.Write) -> RuntimeError {
        let texts = CgroupTexts(of: cgroup)
        // Without the figures, the refusal is what there is to tell.
        let usage = (try? texts.number(write.controller, "memory.usage_in_bytes")) ?? nil
        // As above.
        let peak = (try? texts.number(write.controller, "memory.max_usage_in_bytes")) ?? nil
        return RuntimeError(
            "unable to set memory limit to \(write.value) (current usage: \(usage ?? 0), peak usage: \(peak ?? 0))")
    }

    private func apply(_ line: CgroupPlan.Write.Line, of write: CgroupPlan.Write) throws(KernelError) {
        let found =
            write.isUnified
            ? layout.unifiedDirectory(of: cgroup.path)
            : layout.directory(of: cgroup.path, controller: write.controller)
        guard let directory = found else {
            throw KernelError("open", "\(write.controller) (no such cgroup controller)/\(line.file)", .noSuchFile)
        }
        try FileContents.write(line.value, to: "\(directory)/\(line.file)")
    }
}
