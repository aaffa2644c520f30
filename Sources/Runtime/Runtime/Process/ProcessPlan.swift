import Glibc
import Linux
import OCI

/// How the container's program, or a further one, is to run.
package struct ProcessPlan: Hashable, Sendable {
    package struct Rlimit: Hashable, Sendable {
        package var name: String
        package var resource: Int32
        package var soft: UInt64
        package var hard: UInt64
    }

    package struct Capabilities: Hashable, Sendable {
        package var bounding: CapabilitySet = []
        package var effective: CapabilitySet = []
        package var inheritable: CapabilitySet = []
        package var permitted: CapabilitySet = []
        package var ambient: CapabilitySet = []
    }

    package var process: RuntimeProcess
    package var facts: HostFacts
    package var capabilities: Capabilities
    package var rlimits: [Rlimit] = []
    package var processors: ProcessorPlan
    /// Capabilities asked for that this program or the host does not know: worth a warning.
    package var unknownCapabilities: [String] = []

    package init(_ process: RuntimeProcess, facts: HostFacts) throws(RuntimeError) {
        self.process = process
        self.facts = facts
        guard !process.args.isEmpty else { throw RuntimeError("args must not be empty") }
        let ids = [process.user.uid, process.user.gid] + process.user.additionalGids
        guard !ids.contains(.max) else {
            // To setresuid(2) and its kin this number says to leave things as they are: the program would stay root.
            throw RuntimeError("process.user: \(UInt32.max) is no id")
        }
        guard process.cwd.hasPrefix("/") else { throw RuntimeError("Cwd must be an absolute path") }
        if let label = process.selinuxLabel, !label.isEmpty, !facts.hasSELinux {
            throw RuntimeError("selinux label is specified in config, but selinux is disabled or not supported")
        }
        if let profile = process.apparmorProfile, !profile.isEmpty, profile != "unconfined", !facts.hasAppArmor {
            throw RuntimeError("apparmor profile is specified in config, but apparmor is disabled or not supported")
        }
        processors = try ProcessorPlan(process.execCPUAffinity?.initial, process.execCPUAffinity?.final)
        capabilities = Capabilities()
        if let sets = process.capabilities {
            capabilities.bounding = known(sets.bounding, facts)
            capabilities.effective = known(sets.effective, facts)
            capabilities.inheritable = known(sets.inheritable, facts)
            capabilities.permitted = known(sets.permitted, facts)
            capabilities.ambient = known(sets.ambient, facts)
        }
        for limit in process.rlimits {
            guard let resource = Self.resources[limit.type] else {
                throw RuntimeError("invalid rlimit type: \(limit.type)")
            }
            guard !rlimits.contains(where: { $0.resource == resource }) else {
                throw RuntimeError("process.rlimits: \(limit.type) is given twice")
            }
            rlimits.append(Rlimit(name: limit.type, resource: resource, soft: limit.soft, hard: limit.hard))
        }
    }

    private mutating func known(_ names: [String], _ facts: HostFacts) -> CapabilitySet {
        var set: CapabilitySet = []
        var told = Set(unknownCapabilities)
        for name in names {
            if let capability = CapabilitySet(name: name), facts.capabilities.isSuperset(of: capability) {
                set.formUnion(capability)
            } else if told.insert(name).inserted {
                unknownCapabilities.append(name)
            }
        }
        return set
    }

    /// The kernel's numbers (asm-generic/resource.h), the same on all machines that Swift runs on.
    private static let resources: [String: Int32] = [
        "RLIMIT_CPU": 0, "RLIMIT_FSIZE": 1, "RLIMIT_DATA": 2, "RLIMIT_STACK": 3, "RLIMIT_CORE": 4, "RLIMIT_RSS": 5,
        "RLIMIT_NPROC": 6, "RLIMIT_NOFILE": 7, "RLIMIT_MEMLOCK": 8, "RLIMIT_AS": 9, "RLIMIT_LOCKS": 10,
        "RLIMIT_SIGPENDING": 11, "RLIMIT_MSGQUEUE": 12, "RLIMIT_NICE": 13, "RLIMIT_RTPRIO": 14, "RLIMIT_RTTIME": 15,
    ]
}
