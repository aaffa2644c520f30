import CLinux
import Glibc
import Linux

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
    /// Where the resctrl file system is mounted.
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

    private static var isAppArmorOn: Bool {
        // Without the module there is no such file.
        let text = try? FileContents.read("/sys/module/apparmor/parameters/enabled", limitBytes: 16)
        return text?.first == UInt8(ascii: "Y")
    }

    /// Read when the command first asks, and the same for all of its steps.
    private static let mounts: Result<[MountEntry], RuntimeError> = {
        do throws(KernelError) {
            return .success(try MountTable.current())
        } catch {
            return .failure(RuntimeError(error))
        }
    }()

    private static let commonLayout = mounts.map { CgroupLayout(mounts: $0) }

    static func layout() throws(RuntimeError) -> CgroupLayout { try commonLayout.get() }

    static func resctrl() throws(RuntimeError) -> String? {
        try mounts.get().first { $0.type == "resctrl" && $0.root == "/" }?.mountPoint
    }

    /// What root may do, or, in a user namespace of its own, an ordinary user.
    private static func capabilities() throws(RuntimeError) -> CapabilitySet {
        if geteuid() == 0 { return try attempt { () throws(KernelError) in try CapabilitySet.permitted() } }
        var set: CapabilitySet = []
        // PR_CAPBSET_READ 23.
        for number in 0..<CapabilitySet.count where gantry_prctl(23, UInt(number), 0, 0, 0) == 1 {
            set.formUnion(CapabilitySet(number: number))
        }
        return set
    }

    package static func current() throws(RuntimeError) -> HostFacts {
        let mounts = try mounts.get()
        var facts = HostFacts(
            layout: try layout(),
            capabilities: try capabilities(),
            hasSELinux: mounts.contains { $0.type == "selinuxfs" },
            hasAppArmor: isAppArmorOn, isRootless: geteuid() != 0)
        facts.resctrl = try resctrl()
        return facts
    }
}
