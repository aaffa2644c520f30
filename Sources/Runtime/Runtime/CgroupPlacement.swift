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
    func prepare() throws(RuntimeError) {
        let others = try attempt { () throws(KernelError) in try cgroup.processes() }
        guard others.isEmpty else {
            throw RuntimeError("container's cgroup is not empty: \(others.count) process(es) found")
        }
        try attempt { () throws(KernelError) in try cgroup.create(with: plan.extraControllers) }
        for write in plan.writes { try apply(write) }
        try applyDeviceRules()
    }

    /// Sets limits of a cgroup in use. Hierarchies that its processes were not in so far are joined for them.
    func change() throws(RuntimeError) {
        if !plan.extraControllers.isEmpty { try joinExtraControllers() }
        // A limit may have to wait for another: memory above memory and swap together is refused until that is raised.
        var refused: [CgroupPlan.Write] = []
        for write in plan.writes {
            do throws(RuntimeError) { try apply(write) } catch { refused.append(write) }
        }
        for write in refused { try apply(write) }
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

    /// An open directory of version 2 for CLONE_INTO_CGROUP; nil where there is none.
    func openUnified() throws(RuntimeError) -> Descriptor? {
        guard let directory = layout.unifiedDirectory(of: cgroup.path) else { return nil }
        return try attempt { () throws(KernelError) in try Descriptor.open(directory, O_RDONLY | O_DIRECTORY) }
    }

    func attach(pid: Int32, skippingUnified: Bool) throws(RuntimeError) {
        try attempt("unable to apply cgroup configuration") { () throws(KernelError) in
            try cgroup.attach(pid: pid, with: plan.extraControllers, skippingUnified: skippingUnified)
        }
    }

    private func apply(_ write: CgroupPlan.Write) throws(RuntimeError) {
        guard let directory = layout.directory(of: cgroup.path, controller: write.controller) else {
            if write.isOptional { return }
            throw RuntimeError(
                "error setting cgroup config: the machine has no cgroup controller `\(write.controller)`")
        }
        let path = "\(directory)/\(write.file)"
        do throws(KernelError) {
            try FileContents.write(write.value, to: path)
        } catch {
            if error.errno == .noSuchFile, write.isOptional { return }
            if error.errno == .busy, write.file == "memory.limit_in_bytes" { throw usedUp(write, directory) }
            throw RuntimeError(
                "error setting cgroup config: failed to write \"\(write.value)\": write \(path): \(error.errno)")
        }
    }

    /// Version 1 refuses a limit that it cannot reach by reclaiming: how much is used says what would be accepted.
    private func usedUp(_ write: CgroupPlan.Write, _ directory: String) -> RuntimeError {
        let texts = CgroupTexts(of: cgroup)
        // Without the figures, the refusal is what there is to tell.
        let usage = (try? texts.number(write.controller, "memory.usage_in_bytes")) ?? nil
        // As above.
        let peak = (try? texts.number(write.controller, "memory.max_usage_in_bytes")) ?? nil
        return RuntimeError(
            "unable to set memory limit to \(write.value) (current usage: \(usage ?? 0), peak usage: \(peak ?? 0))")
    }

    private func applyDeviceRules() throws(RuntimeError) {
        let filter = DeviceFilter(plan.devices)
        if let directory = layout.hierarchy(of: "devices").map({ PathName.joined($0.mountPoint, cgroup.path) }) {
            try attempt("error setting cgroup config") { () throws(KernelError) in
                // Each line is a write of its own, to a file that is opened once.
                let allow = OwnedDescriptor(try Descriptor.open("\(directory)/devices.allow", O_WRONLY))
                let deny = OwnedDescriptor(try Descriptor.open("\(directory)/devices.deny", O_WRONLY))
                for (file, line) in filter.legacyWrites {
                    let target = file == "devices.allow" ? allow.descriptor : deny.descriptor
                    do throws(KernelError) {
                        try target.writeAll(Array(line.utf8))
                    } catch {
                        throw KernelError("write \"\(line)\" to", "\(directory)/\(file)", error.errno)
                    }
                }
            }
        } else if let directory = try openUnified() {
            defer { directory.close() }
            let program = filter.program
            try attempt("error setting cgroup config") { () throws(KernelError) in
                let loaded = try kernelCall("load the device filter") {
                    gantry_bpf_load_device_filter(program, UInt32(program.count))
                }
                // The cgroup keeps the program from here on.
                defer { Descriptor(rawValue: loaded).close() }
                try kernelCall("attach the device filter to", cgroup.path) {
                    gantry_bpf_attach_device_filter(directory.rawValue, loaded)
                }
            }
        }
    }
}
