import CLinux
import Glibc
import Linux
import OCI

/// What a plan depends on besides the configuration: read once, so that planning itself asks the kernel nothing.
package struct HostFacts: Hashable, Sendable {
    package var layout: CgroupLayout
    /// What the runtime itself may do: no container can have more.
    package var capabilities: CapabilitySet
    package var hasSELinux: Bool
    package var hasAppArmor: Bool
    /// Where systemd keeps its units, where it is to keep the container's too: empty for the machine's manager, else the
    /// cgroup of the user's. Nil where the runtime makes cgroups itself.
    package var systemd: String?
    /// Where the resctrl file system is mounted; nil also where nobody asked for it.
    package var resctrl: String?
    /// Whether the runtime runs without the rights of the machine's root.
    package var isRootless: Bool

    package init(
        layout: CgroupLayout, capabilities: CapabilitySet, hasSELinux: Bool = false, hasAppArmor: Bool = false,
        isRootless: Bool = false
    ) {
        self.layout = layout
        self.capabilities = capabilities
        self.hasSELinux = hasSELinux
        self.hasAppArmor = hasAppArmor
        systemd = nil
        resctrl = nil
        self.isRootless = isRootless
    }

    /// Read when the command first asks, and the same for all of its steps.
    private static let commonLayout: Result<CgroupLayout, RuntimeError> = {
        do throws(KernelError) {
            return .success(try CgroupLayout.current())
        } catch {
            return .failure(RuntimeError(error))
        }
    }()

    static func layout() throws(RuntimeError) -> CgroupLayout { try commonLayout.get() }

    /// Where the file system is mounted that `linux.intelRdt` is about.
    static func resctrl() throws(RuntimeError) -> String? {
        try attempt { () throws(KernelError) in
            try MountTable.current().first { $0.type == "resctrl" && $0.root == "/" }?.mountPoint
        }
    }

    /// What root may do, or, in a user namespace of its own, an ordinary user.
    private static func capabilities() throws(RuntimeError) -> CapabilitySet {
        if geteuid() == 0 { return try attempt { () throws(KernelError) in try CapabilitySet.permitted() } }
        var set = CapabilitySet()
        // PR_CAPBSET_READ 23.
        for number in 0..<CapabilitySet.count where gantry_prctl(23, UInt(number), 0, 0, 0) == 1 {
            set.formUnion(CapabilitySet(number: number))
        }
        return set
    }

    /// - Parameter rdt: what the document asks of resctrl, without which nobody looks for it.
    package static func current(for rdt: LinuxIntelRdt? = nil) throws(RuntimeError) -> HostFacts {
        var facts = HostFacts(
            layout: try layout(), capabilities: try capabilities(), hasSELinux: SecurityModules.hasSELinux,
            hasAppArmor: SecurityModules.hasAppArmor, isRootless: geteuid() != 0)
        if rdt != nil { facts.resctrl = try resctrl() }
        return facts
    }
}
