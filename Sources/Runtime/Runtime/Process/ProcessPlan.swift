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
        package var bounding = CapabilitySet()
        package var effective = CapabilitySet()
        package var inheritable = CapabilitySet()
        package var permitted = CapabilitySet()
        package var ambient = CapabilitySet()
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
        if let variable = process.env.first(where: { !$0.utf8.dropFirst().contains(61) }) {
            throw RuntimeError("invalid environment variable: \"\(variable)\"")
        }
        for limit in process.rlimits {
            guard limit.type.hasPrefix("RLIMIT_"),
                let number = Self.resources.firstIndex(of: String(limit.type.dropFirst(7)))
            else { throw RuntimeError("invalid rlimit type: \(limit.type)") }
            let resource = Int32(number)
            guard !rlimits.contains(where: { $0.resource == resource }) else {
                throw RuntimeError("process.rlimits: \(limit.type) is given twice")
            }
            rlimits.append(Rlimit(name: limit.type, resource: resource, soft: limit.soft, hard: limit.hard))
        }
    }

    private mutating func known(_ names: [String], _ facts: HostFacts) -> CapabilitySet {
        var set = CapabilitySet()
        var others: [String] = []
        for name in names {
            if let capability = CapabilitySet(name: name), facts.capabilities.isSuperset(of: capability) {
                set.formUnion(capability)
            } else {
                others.append(name)
            }
        }
        if others.isEmpty { return set }
        var told = Set(unknownCapabilities)
        unknownCapabilities += others.filter { told.insert($0).inserted }
        return set
    }

    /// The kernel's numbers are the positions here (asm-generic/resource.h), the same on all machines that Swift runs on.
    private static let resources = [
        "CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE", "MEMLOCK", "AS", "LOCKS", "SIGPENDING",
        "MSGQUEUE", "NICE", "RTPRIO", "RTTIME",
    ]
}
