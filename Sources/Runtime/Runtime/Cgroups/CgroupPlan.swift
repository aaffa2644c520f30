import Linux
import OCI

/// A container's cgroup: its path and what is to be written into which file, for the machine's version of cgroups.
package struct CgroupPlan: Hashable, Sendable {
    package struct Write: Hashable, Sendable {
        /// What is written, and where.
        package struct Line: Hashable, Sendable {
            package var file: String
            package var value: String
        }

        /// Whose hierarchy of version 1; in version 2 there is one directory for all.
        package var controller: String
        package var line: Line
        /// What stands for it on a machine that lacks the file: another scheduler's weight.
        package var instead: Line?
        /// Whether there is nothing to be done on a machine that lacks the file.
        package var isOptional = false
        /// In the version 2 hierarchy of a hybrid machine.
        package var isUnified = false
        /// The value of the document that this follows: `linux.resources.cpu.idle`.
        package var property: String

        package var file: String { line.file }
        package var value: String { line.value }
    }

    package var path: String
    /// The unit of systemd that the cgroup belongs to; nil where the runtime makes the cgroup itself.
    package var scope: SystemdScope?
    package var properties: SystemdProperties
    package var writes: [Write] = []
    /// Version 1 hierarchies joined beyond those that every container joins.
    package var extraControllers: [String] = []
    package var devices: DeviceRuleset
    /// Whether the document has device rules of its own: those of a container that runs change only then.
    package var changesDevices: Bool
    /// What the document asks for in vain, as it does from other runtimes.
    package var warnings: [String] = []
    /// Whether device rules are left alone, which take a right that an ordinary user has in no cgroup.
    package var skipsDevices = false
    /// To whom the cgroup is given, with the files by which it is divided further; nil where it stays the runtime's.
    package var owner: UInt32?
    /// Whether there is no cgroup, because the runtime may make none.
    package var isRefused = false

    package init(path: String, _ resources: LinuxResources?, _ layout: CgroupLayout) throws(RuntimeError) {
        self.path = PathName.cleaned(path)
        guard self.path != "/" else { throw RuntimeError("linux.cgroupsPath: must not be the root cgroup") }
        properties = try SystemdProperties(resources)
        let rules = resources?.devices ?? []
        changesDevices = !rules.isEmpty
        devices = try DeviceRuleset(rules + DeviceRuleset.always)
        guard let resources else { return }
        if layout.mode == .unified {
            try planUnified(resources)
        } else {
            try planLegacy(resources, layout)
        }
    }

    mutating func write(
        _ controller: String, _ file: String, _ value: (some CustomStringConvertible)?, for property: String,
        instead: Write.Line? = nil, isOptional: Bool = false
    ) {
        guard let value else { return }
        writes.append(
            Write(
                controller: controller, line: Write.Line(file: file, value: value.description), instead: instead,
                isOptional: isOptional, property: "linux.resources.\(property)"))
    }

    /// The lists of processors and memory nodes have the same names in both versions.
    mutating func planCpuset(_ cpu: LinuxCPU) {
        for (name, list) in [("cpus", cpu.cpus), ("mems", cpu.mems)] {
            guard let list, !list.isEmpty else { continue }
            write("cpuset", "cpuset.\(name)", list, for: "cpu.\(name)")
            join("cpuset")
        }
    }

    mutating func planPids(_ pids: LinuxPids?) {
        guard let limit = pids?.limit, limit != 0 else { return }
        write("pids", "pids.max", limit > 0 ? String(limit) : "max", for: "pids.limit")
    }

    /// The size becomes part of a file's name.
    static func checkSize(of limit: LinuxHugepageLimit, _ property: String) throws(RuntimeError) {
        guard HugepageSizes.isName(limit.pageSize) else {
            throw refusal("\(property).pageSize", "`\(limit.pageSize)` is no size of huge pages, such as 2MB or 1GB")
        }
    }

    mutating func planRdma(_ limits: [String: LinuxRdmaLimit]) throws(RuntimeError) {
        for (device, limit) in limits.sorted(by: { $0.key < $1.key }) {
            // The kernel takes the words of a line by their spaces, and lines by their ends.
            let isName = device.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != 47 }
            guard isName, (1..<64).contains(device.utf8.count), device != ".", device != ".." else {
                throw Self.refusal("rdma.\(device)", "is no name of a device")
            }
            var words = [device]
            if let handles = limit.hcaHandles { words.append("hca_handle=\(handles)") }
            if let objects = limit.hcaObjects { words.append("hca_object=\(objects)") }
            write("rdma", "rdma.max", words.joined(separator: " "), for: "rdma.\(device)")
            join("rdma")
        }
    }

    /// Of a container that is shown its cgroups: it is in each hierarchy of version 1 that the machine has.
    mutating func joinAll(of layout: CgroupLayout) {
        for controller in Cgroup.joinedOnDemand where layout.hierarchy(of: controller) != nil { join(controller) }
    }

    mutating func join(_ controller: String) {
        if !extraControllers.contains(controller) { extraControllers.append(controller) }
    }

    static func refusal(_ property: String, _ reason: String) -> RuntimeError {
        RuntimeError("linux.resources.\(property): \(reason)")
    }

    /// Kernel memory has no limit of its own since Linux 5.16, and other runtimes pass these values over as well.
    mutating func warnOfKernelMemory(_ memory: LinuxMemory) {
        if memory.kernelBytes != nil || memory.kernelTCPBytes != nil {
            warnings.append("linux.resources.memory: kernel memory settings are ignored")
        }
        if memory.useHierarchy == false {
            warnings.append("linux.resources.memory.useHierarchy: false is ignored, memory is always hierarchical")
        }
    }
}
