import Linux
import OCI

/// Everything that `create` will do, decided from the configuration and the host's facts alone. The effects follow it in
/// the order of the specification and decide nothing more.
package struct ContainerPlan: Hashable, Sendable {
    package var id: String
    /// Absolute.
    package var bundle: String
    /// Absolute, on the host.
    package var rootfs: String
    package var spec: RuntimeSpec
    package var namespaces: NamespacePlan
    package var process: ProcessPlan
    package var mounts: [MountPlan]
    package var devices: [LinuxDevice]
    package var cgroup: CgroupPlan
    package var networkDevices: [NetworkDevicePlan]
    package var resctrl: ResctrlPlan?
    package var memoryPolicy: MemoryPolicyPlan?
    /// How mounts of the host reach the container: of the whole tree before the root is changed.
    package var propagation: MountFlags

    package init(id: String, bundle: String, spec: RuntimeSpec, facts: HostFacts) throws(RuntimeError) {
        self.id = id
        self.bundle = bundle
        self.spec = spec
        guard let root = spec.root, !root.path.isEmpty else { throw RuntimeError("Root must be specified") }
        rootfs = root.path.utf8.first == 47 ? root.path : PathName.joined(bundle, root.path)
        guard let process = spec.process else { throw RuntimeError("process property must not be empty") }
        namespaces = try NamespacePlan(spec.linux.namespaces)
        self.process = try ProcessPlan(process, facts: facts)
        mounts = []
        if let label = spec.linux.mountLabel, !label.isEmpty, !facts.hasSELinux {
            throw RuntimeError("linux.mountLabel: selinux is disabled or not supported")
        }
        for (index, mount) in spec.mounts.enumerated() {
            mounts.append(
                try MountPlan(
                    mount, named: "mounts[\(index)]", bundle: bundle, linux: spec.linux, facts: facts))
        }
        // A bind of the host's /dev already has its nodes.
        let hasOwnDev = !mounts.contains { $0.destination == "/dev" && $0.options.isBind }
        devices = hasOwnDev ? Self.defaultDevices + spec.linux.devices : []
        let scope = try facts.systemd.map { (manager) throws(RuntimeError) in
            try SystemdScope(spec.linux.cgroupsPath, id: id, manager: manager, isRootless: facts.isRootless)
        }
        cgroup = try CgroupPlan(
            path: scope?.cgroupPath ?? spec.linux.cgroupsPath ?? "/\(id)", spec.linux.resources, facts.layout)
        cgroup.scope = scope
        cgroup.owner = CgroupOwner.of(spec, namespaces, facts)
        if mounts.contains(where: { $0.source == .cgroup }) { cgroup.joinAll(of: facts.layout) }
        if scope != nil { try cgroup.properties.add(spec.annotations) }
        networkDevices = try NetworkDevicePlan.all(spec.linux, namespaces, isRootless: facts.isRootless)
        resctrl = try ResctrlPlan(spec.linux.intelRdt, id: id, root: facts.resctrl)
        memoryPolicy = try MemoryPolicyPlan(spec.linux.memoryPolicy)
        switch spec.linux.rootfsPropagation ?? "" {
        case "": propagation = .slave.union(.recursive)
        case let name:
            guard let flags = MountOptions.propagation(name) else {
                throw RuntimeError("linux.rootfsPropagation: `\(name)` is no propagation")
            }
            propagation = flags
        }
        try check()
    }

    private func check() throws(RuntimeError) {
        let linux = spec.linux
        if !namespaces.has(.mount) { try checkSharedMounts() }
        if let hostname = spec.hostname, !hostname.isEmpty, !namespaces.has(.uts) {
            throw RuntimeError("unable to set hostname without a private UTS namespace")
        }
        if let domain = spec.domainname, !domain.isEmpty, !namespaces.has(.uts) {
            throw RuntimeError("unable to set domainname without a private UTS namespace")
        }
        if namespaces.new.contains(.user), linux.uidMappings.isEmpty || linux.gidMappings.isEmpty {
            throw RuntimeError("user namespaces enabled, but no user mapping found")
        }
        if !namespaces.hasUser, !(linux.uidMappings.isEmpty && linux.gidMappings.isEmpty) {
            throw RuntimeError("user namespace mappings specified, but user namespace isn't enabled in the config")
        }
        if !linux.timeOffsets.isEmpty { try checkTimeOffsets() }
        for device in linux.devices where !device.path.hasPrefix("/") {
            throw RuntimeError("linux.devices: `\(device.path)` must be absolute")
        }
        if !linux.sysctl.isEmpty { for name in linux.sysctl.keys.sorted() { try checkSysctl(name) } }
    }

    private func checkTimeOffsets() throws(RuntimeError) {
        for clock in spec.linux.timeOffsets.keys where clock != "monotonic" && clock != "boottime" {
            throw RuntimeError("linux.timeOffsets.\(clock): there is no such clock of a time namespace")
        }
        guard namespaces.new.contains(.time) else {
            throw RuntimeError("time namespace offsets specified, but time namespace isn't enabled in the config")
        }
    }

    /// Without a mount namespace the container's mounts are made among the runtime's: what would change those, or could
    /// be undone by whoever sees both, is refused.
    private func checkSharedMounts() throws(RuntimeError) {
        guard spec.linux.maskedPaths.isEmpty, spec.linux.readonlyPaths.isEmpty else {
            throw RuntimeError("unable to restrict sys entries without a private MNT namespace")
        }
        guard spec.linux.rootfsPropagation ?? "" == "" else {
            throw RuntimeError("linux.rootfsPropagation: needs a mount namespace of the container's own")
        }
        guard !namespaces.hasUser else {
            throw RuntimeError("linux.namespaces: a container in a user namespace needs a mount namespace to mount in")
        }
    }

    /// A sysctl must be one of a namespace that the container has for itself, else it would change the host.
    private func checkSysctl(_ written: String) throws(RuntimeError) {
        let name = Self.sysctlName(written)
        // `net/../kernel/core_pattern` has the right prefix, too.
        let parts = Self.sysctlPath(written).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count > 1, !parts.contains(where: { ["", ".", ".."].contains($0) }) else {
            throw RuntimeError("linux.sysctl: \"\(written)\" is no sysctl's name")
        }
        let ipc = [
            "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
            "kernel.shmmni", "kernel.shm_rmid_forced",
        ]
        if ipc.contains(name) || name.hasPrefix("fs.mqueue.") {
            guard namespaces.has(.ipc) else {
                throw RuntimeError("sysctl \"\(name)\" is not allowed in the hosts ipc namespace")
            }
        } else if name.hasPrefix("user.") {
            guard namespaces.hasUser else {
                throw RuntimeError("setting ucounts without a user namespace not allowed: \(name)")
            }
        } else if name.hasPrefix("net.") {
            guard namespaces.has(.network) else {
                throw RuntimeError("sysctl \"\(name)\" not allowed in host network namespace")
            }
        } else if name == "kernel.domainname" {
            guard namespaces.has(.uts) else {
                throw RuntimeError("sysctl \"\(name)\" is not allowed in the hosts UTS namespace")
            }
        } else if name == "kernel.hostname" {
            throw RuntimeError("sysctl \"\(name)\" is not allowed as it conflicts with the OCI \"hostname\" field")
        } else {
            throw RuntimeError("sysctl \"\(name)\" is not in a separate kernel namespace")
        }
    }

    /// `net/ipv4/conf/eth0.1/x` as `net.ipv4.conf.eth0/1.x`: where the first separator is a slash, the two are swapped,
    /// as sysctl(8) has it.
    package static func sysctlName(_ name: String) -> String {
        guard let first = name.first(where: { $0 == "." || $0 == "/" }), first == "/" else { return name }
        return String(name.map { $0 == "/" ? "." : $0 == "." ? "/" : $0 })
    }

    /// The file of a sysctl, below `/proc/sys`.
    package static func sysctlPath(_ written: String) -> String {
        String(sysctlName(written).map { $0 == "." ? "/" : $0 == "/" ? "." : $0 })
    }

    /// What every container has, by the specification.
    private static let defaultDevices: [LinuxDevice] = {
        func node(_ name: String, _ major: Int64, _ minor: Int64) -> LinuxDevice {
            var device = LinuxDevice(path: "/dev/" + name, type: "c", major: major, minor: minor)
            device.fileMode = 0o666
            return device
        }
        return [
            node("null", 1, 3), node("zero", 1, 5), node("full", 1, 7), node("random", 1, 8), node("urandom", 1, 9),
            node("tty", 5, 0),
        ]
    }()
}
