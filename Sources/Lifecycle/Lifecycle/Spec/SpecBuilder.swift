import EngineAPI
import JSON
import Linux
import OCI

/// Makes the runtime's `config.json` of a container: the same for the same values, and without a look at the machine.
package struct SpecBuilder {
    package let id: String
    package let definition: ContainerDefinition
    package let host: HostFacts
    /// Found in the container's own files.
    package let user: ResolvedUser
    /// The container's cgroup below each hierarchy's root, where it can have one.
    package let cgroupPath: String
    /// Holds `hostname`, `hosts` and `resolv.conf`.
    package let filesDirectory: String
    /// A privileged container's devices: all of the machine's.
    package let hostDevices: [LinuxDevice]
    /// The files of the container whose network this one shares.
    package var networkFilesDirectory: String?
    /// What each volume is mounted from, by its name.
    package var volumes: [String: VolumeSource] = [:]
    /// Where mounts are that the shim makes, by their places among the container's.
    var preparedMounts: [Int: String] = [:]
    /// The block devices that limits name.
    var blockDevices: [String: DeviceNumber] = [:]
    /// The devices that the container is given.
    var givenDevices: [GivenDevice] = []
    /// Namespaces of others, by their paths.
    var joined: [LinuxNamespace.Kind: String] = [:]
    /// Where another container's /dev/shm is.
    var sharedMemory: String?
    /// The program that `--init` puts before the container's own.
    var initPath: String?
    /// By which a process learns of the containers that this one is linked to.
    var linkVariables: [String] = []
    /// What the engine gives where the container says nothing.
    package var defaults = ContainerDefaults()

    package init(
        id: String, definition: ContainerDefinition, host: HostFacts, user: ResolvedUser, cgroupPath: String,
        filesDirectory: String, hostDevices: [LinuxDevice] = []
    ) {
        self.id = id
        self.definition = definition
        self.host = host
        self.user = user
        self.cgroupPath = cgroupPath
        self.filesDirectory = filesDirectory
        self.hostDevices = hostDevices
    }

    private var spec: ContainerSpec { definition.spec }
    private var remap: IDRemap? { host.remap(for: spec.userMode) }

    /// - Throws: `invalid` for capabilities that cannot be had; all else was checked when the container was created.
    package func build() throws(EngineError) -> RuntimeSpec {
        let capabilities = try CapabilityPlan.resolve(spec, host: host)
        var result = RuntimeSpec()
        result.process = process(capabilities)
        result.root = RuntimeRoot(path: "rootfs", readonly: spec.readOnlyRoot)
        if spec.utsMode != .host {
            result.hostname = definition.hostname
            result.domainname = spec.domainname
        }
        result.annotations = TextMap(spec.annotations)
        var plan = MountPlan(spec: spec, host: host, filesDirectory: filesDirectory, initPath: initPath)
        plan.networkFilesDirectory = networkFilesDirectory
        plan.volumes = volumes
        plan.prepared = preparedMounts
        plan.sharedMemory = sharedMemory
        result.mounts = plan.mounts
        result.linux = try linux(capabilities)
        return result
    }

    /// A further process in the container, as the runtime's `exec --process` reads it.
    package func exec(_ exec: ExecSpec, user: ResolvedUser) throws(EngineError) -> RuntimeProcess {
        var privileged = spec
        privileged.privileged = true
        let capabilities = try CapabilityPlan.resolve(exec.privileged ? privileged : spec, host: host)
        var process = RuntimeProcess(
            args: exec.command, cwd: exec.workingDirectory ?? definition.startDirectory)
        process.terminal = exec.tty
        process.user = runtimeUser(user)
        process.env = Self.override(environment(tty: exec.tty), by: exec.environment)
        process.capabilities = Self.sets(capabilities, uid: user.uid)
        process.rlimits = rlimits
        process.noNewPrivileges = spec.noNewPrivileges
        process.apparmorProfile = host.hasAppArmor ? spec.appArmorProfile : nil
        process.oomScoreAdj = outOfMemoryScore(isExec: true)
        return process
    }

    private func process(_ capabilities: [String]) -> RuntimeProcess {
        let prefix = initPath == nil ? [] : [MountPlan.initTarget, "--"]
        var process = RuntimeProcess(args: prefix + definition.arguments, cwd: definition.startDirectory)
        process.terminal = spec.tty
        process.user = runtimeUser(user)
        process.env = environment(tty: spec.tty)
        process.capabilities = Self.sets(capabilities, uid: user.uid)
        process.rlimits = rlimits
        process.noNewPrivileges = spec.noNewPrivileges
        process.apparmorProfile = host.hasAppArmor ? spec.appArmorProfile : nil
        process.oomScoreAdj = outOfMemoryScore(isExec: false)
        return process
    }

    /// An ordinary user may not lower it, not even to 0: what its session has is left.
    private func outOfMemoryScore(isExec: Bool) -> Int32? {
        if let score = spec.oomScoreAdjustment { return host.isRootless && score == 0 ? nil : Int32(score) }
        return host.isRootless || isExec ? nil : 0
    }

    /// The primary group is among the additional ones, or a setgroups(2) in the container could drop what a file
    /// refuses to that group (CVE-2022-36109).
    private func runtimeUser(_ user: ResolvedUser) -> RuntimeUser {
        // With one id alone, setgroups(2) is forbidden for good.
        guard host.hasManyIDs else { return RuntimeUser(uid: user.uid, gid: user.gid) }
        var groups: [UInt32] = [user.gid]
        for group in user.supplementaryGroups where !groups.contains(group) { groups.append(group) }
        return RuntimeUser(uid: user.uid, gid: user.gid, additionalGids: groups)
    }

    /// What execve(2) would leave another user than root: nothing but the bound.
    private static func sets(_ capabilities: [String], uid: UInt32) -> RuntimeCapabilities {
        var sets = RuntimeCapabilities()
        sets.bounding = capabilities
        if uid == 0 { (sets.effective, sets.permitted) = (capabilities, capabilities) }
        return sets
    }

    private func environment(tty: Bool) -> [String] {
        var base = [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=\(definition.hostname)",
        ]
        if tty { base.append("TERM=xterm") }
        return Self.override(base + linkVariables, by: definition.environment)
    }

    /// Later values win in the earlier one's place; a name without `=` takes the variable away.
    private static func override(_ base: [String], by others: [String]) -> [String] {
        var result = base
        for variable in others {
            let name = variable.prefix { $0 != "=" }
            let index = result.firstIndex { $0.prefix { $0 != "=" } == name }
            if !variable.contains("=") {
                if let index { result.remove(at: index) }
            } else if let index {
                result[index] = variable
            } else {
                result.append(variable)
            }
        }
        return result
    }

    private var rlimits: [RuntimeRlimit] {
        let asked = defaults.ulimits(over: spec.ulimits).map { limit in
            RuntimeRlimit(
                type: "RLIMIT_" + limit.name.uppercased(), soft: UInt64(bitPattern: limit.soft),
                hard: UInt64(bitPattern: limit.hard))
        }
        guard let limit = host.openFiles, asked.allSatisfy({ $0.type != "RLIMIT_NOFILE" }) else { return asked }
        return asked + [RuntimeRlimit(type: "RLIMIT_NOFILE", soft: limit.soft, hard: limit.hard)]
    }

    private func linux(_ capabilities: [String]) throws(EngineError) -> RuntimeLinux {
        var linux = RuntimeLinux()
        if host.hasCgroups { linux.cgroupsPath = cgroupPath }
        linux.namespaces = namespaces
        if let remap, joined[.user] == nil { (linux.uidMappings, linux.gidMappings) = (remap.uids, remap.gids) }
        linux.resources = try resources
        linux.sysctl = sysctls
        linux.devices = (spec.privileged ? hostDevices : []) + givenDevices.map(\.device)
        linux.maskedPaths = spec.maskedPaths ?? (spec.privileged ? [] : Self.maskedPaths(on: host))
        linux.readonlyPaths = spec.readonlyPaths ?? (spec.privileged ? [] : Self.readonlyPaths)
        linux.seccomp = try seccomp(Set(capabilities))
        linux.rootfsPropagation = rootPropagation
        return linux
    }

    private func seccomp(_ capabilities: Set<String>) throws(EngineError) -> LinuxSeccomp? {
        if let text = spec.seccompProfile {
            do {
                return try DockerSeccomp.profile(
                    JSONValue(parsing: text), capabilities: capabilities, architecture: Platform.host.architecture,
                    kernel: host.kernelRelease)
            } catch { throw EngineError(.invalid, "decoding seccomp profile failed: \(error)") }
        }
        return spec.privileged || spec.seccompUnconfined
            ? nil : DefaultSeccomp.profile(capabilities: capabilities)
    }

    private var namespaces: [LinuxNamespace] {
        var kinds: [LinuxNamespace.Kind] = [.mount]
        if spec.networkMode != .host { kinds.append(.network) }
        if spec.utsMode != .host { kinds.append(.uts) }
        if spec.pidMode != .host { kinds.append(.pid) }
        if spec.ipcMode != .host { kinds.append(.ipc) }
        if Self.cgroupMode(spec, host: host) == .private { kinds.append(.cgroup) }
        if remap != nil { kinds.append(.user) }
        return kinds.map { LinuxNamespace($0, path: joined[$0]) }
    }

    /// Docker's: a low port and a ping need no capability where the network is the container's own.
    private var sysctls: [String: String] {
        guard spec.networkMode != .host else { return spec.sysctls }
        let defaults = [
            "net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 \(lastGroupID)",
        ]
        return defaults.merging(spec.sysctls) { _, own in own }
    }

    private var lastGroupID: UInt32 { min(host.lastGroupID, remap?.lastGroupID ?? .max) }

    private var resources: LinuxResources {
        get throws(EngineError) {
            var resources = LimitResources(limits: spec.limits, host: host, devices: blockDevices).resources
            resources.keep(host.controllers)
            if spec.privileged {
                resources.devices = [LinuxDeviceRule(allow: true)]
            } else {
                resources.devices = Self.deviceRules + givenDevices.map(\.rule)
                for rule in spec.deviceRules { resources.devices.append(try LinuxDeviceRule(dockerRule: rule)) }
            }
            return resources
        }
    }

    private var rootPropagation: String? {
        let modes = spec.mounts.compactMap(\.propagation)
        if modes.contains(where: { $0.hasSuffix("shared") }) { return "shared" }
        return modes.contains { $0.hasSuffix("slave") } ? "rslave" : nil
    }
}

extension SpecBuilder {
    /// Docker's default where nothing is said: the host's with version 1 of cgroups, and for a privileged container.
    package static func cgroupMode(_ spec: ContainerSpec, host: HostFacts) -> NamespaceMode {
        spec.cgroupMode ?? (host.isUnified && !spec.privileged ? .private : .host)
    }

    /// Of a container's own shared memory; docker's default where nothing is said.
    package static func shmSizeBytes(_ spec: ContainerSpec) -> Int64 {
        spec.shmSizeBytes.flatMap { $0 > 0 ? $0 : nil } ?? 64 << 20
    }

    /// How often interrupts came and how warm a processor is tell what others on the machine do (GHSA-6fw5-f8r9-fgfm).
    package static func maskedPaths(on host: HostFacts) -> [String] { maskedPaths + host.heatPaths }

    private static let maskedPaths = [
        "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap",
        "/sys/firmware",
    ]

    package static let readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]

    /// All is forbidden but making nodes, and using the harmless ones and terminals.
    static let deviceRules: [LinuxDeviceRule] =
        [
            LinuxDeviceRule(allow: false), LinuxDeviceRule(allow: true, type: "c", access: "m"),
            LinuxDeviceRule(allow: true, type: "b", access: "m"),
        ]
        + [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2)].map { major, minor in
            LinuxDeviceRule(allow: true, type: "c", major: major, minor: minor)
        } + [LinuxDeviceRule(allow: true, type: "c", major: 136)]
}
