import EngineAPI
import Glibc
import Linux

/// What a container's spec depends on in the machine it is made for.
package struct HostFacts: Hashable, Sendable {
    package var hostname = "localhost"
    package var cpuCount = 1
    package var memoryBytes: Int64 = 0
    /// `0-3`: what a cpuset may name.
    package var onlineCPUs = "0"
    package var memoryNodes = "0"
    /// What the kernel tells of each processor's heat, by paths of /sys: none where it tells nothing.
    package var heatPaths: [String] = []
    /// What this process may give away; others cannot be had.
    package var capabilities: [String] = []
    /// Pure cgroup v2: containers get a cgroup namespace then, as docker does it.
    package var isUnified = false
    package var hasSwapLimit = false
    package var hasAppArmor = false
    package var hasSELinux = false
    /// Whether block input and output can be weighed.
    package var hasBlockWeight = true
    /// Whether this is an ordinary user's engine, root of a user namespace only.
    package var isRootless = false
    /// Whether there are ids beside root's: an ordinary user may have been granted none.
    package var hasManyIDs = true
    /// Containers' ids are others on the host, unless a container says `--userns host`.
    package var remap: IDRemap?
    /// The last of the groups that the kernel takes here.
    package var lastGroupID: UInt32 = 2_147_483_647
    /// What containers can be limited in; nil for all that the kernel has, as for the machine's root.
    package var controllers: Set<String>?
    /// Whether containers have cgroups of their own, by which they are paused and measured.
    package var hasCgroups = true
    /// What containers' processes may have open, where the engine's own process may have more; nil for what it has.
    package var openFiles: OpenFileLimit?
    /// `6.1.0-18-amd64`
    package var kernelRelease = "5.10"

    /// Whether all of a tree of mounts can be made read-only at once: mount_setattr(2) came with Linux 5.12.
    package var makesTreesReadOnly: Bool {
        let numbers = kernelRelease.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        return numbers.count == 2 && (numbers[0], numbers[1]) >= (5, 12)
    }

    package init() {}

    /// Asks the kernel. Blocking, but only by reads of /proc and /sys.
    package static func current() throws(KernelError) -> HostFacts {
        var facts = HostFacts()
        var name = utsname()
        try kernelCall("uname") { uname(&name) }
        facts.hostname = withUnsafeBytes(of: &name.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        facts.kernelRelease = withUnsafeBytes(of: &name.release) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        facts.cpuCount = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        facts.memoryBytes = Int64(sysconf(Int32(_SC_PHYS_PAGES))) * Int64(sysconf(Int32(_SC_PAGESIZE)))
        facts.onlineCPUs = firstLine("/sys/devices/system/cpu/online") ?? "0-\(facts.cpuCount - 1)"
        facts.memoryNodes = firstLine("/sys/devices/system/node/online") ?? "0"
        facts.heatPaths = heatPaths(below: "/sys/devices/system/cpu")
        facts.capabilities = try CapabilitySet.permitted().names
        (facts.hasAppArmor, facts.hasSELinux) = (SecurityModules.hasAppArmor, SecurityModules.hasSELinux)
        let cgroups = try CgroupLayout.current()
        facts.isUnified = cgroups.mode == .unified
        // The root cgroup of v2 has no limits to look at; its kernels of today all count swap.
        facts.hasSwapLimit =
            facts.isUnified
            || cgroups.directory(of: "/memory.memsw.limit_in_bytes", controller: "memory").map {
                access($0, F_OK) == 0
            } ?? false
        // The root cgroup of v2 has no weight; of v1 it has where the scheduler is one that weighs.
        facts.hasBlockWeight =
            facts.isUnified
            || ["blkio.weight", "blkio.bfq.weight"].contains { name in
                cgroups.directory(of: "/\(name)", controller: "blkio").map { access($0, F_OK) == 0 } ?? false
            }
        if UserNamespace.isOwn { try facts.lookFromUserNamespace(cgroups) }
        return facts
    }

    private mutating func lookFromUserNamespace(_ cgroups: CgroupLayout) throws(KernelError) {
        isRootless = true
        hasManyIDs = UserNamespace.allowsGroups
        lastGroupID = min(lastGroupID, try UserNamespace.lastGroupID())
        let delegation = try CgroupDelegation.find(cgroups)
        (hasCgroups, controllers) = (delegation != nil, delegation?.controllers ?? [])
        hasSwapLimit = hasSwapLimit && delegation?.controllers.contains("memory") == true
    }

    /// For a container that is asked for so; nil where its ids are the host's.
    package func remap(for mode: NamespaceMode?) -> IDRemap? { mode == .host ? nil : remap }

    /// Of all processors that there can be: one that is switched on later is seen by containers that run.
    static func heatPaths(below directory: String) -> [String] {
        let numbers = firstLine("\(directory)/possible").flatMap(IntegerSet.parse) ?? []
        return numbers.sorted().map { "\(directory)/cpu\($0)/thermal_throttle" }.filter { access($0, F_OK) == 0 }
    }

    private static func firstLine(_ path: String) -> String? {
        // Without NUMA, or in a sandbox, the file is missing, and the caller knows what to assume.
        guard let bytes = try? FileContents.read(path) else { return nil }
        return String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self)
    }
}
