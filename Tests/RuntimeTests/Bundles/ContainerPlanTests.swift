import JSON
import Linux
import OCI
import Testing

@testable import Runtime

/// Plans as values: no container is made.
@Suite struct ContainerPlanTests {
    static let unified = CgroupLayout(
        mounts: MountTable.parse(Array("31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n".utf8)))
    static let hybrid = CgroupLayout(
        mounts: MountTable.parse(
            Array(
                """
                32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
                35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
                39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
                41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw

                """.utf8)))

    static func plan(
        layout: CgroupLayout = unified, _ change: (inout RuntimeSpec) -> Void = { _ in }
    ) throws -> ContainerPlan {
        var spec = Invocation.template()
        change(&spec)
        let facts = HostFacts(layout: layout, capabilities: CapabilitySet(rawValue: (1 << 41) - 1))
        return try ContainerPlan(id: "id", bundle: "/b", spec: spec, facts: facts)
    }

    @Test("The template is a plan: five namespaces to clone, the cgroup's to unshare")
    func template() throws {
        let plan = try Self.plan()
        #expect(plan.rootfs == "/b/rootfs")
        #expect(plan.namespaces.cloneFlags == 0x2000_0000 | 0x4000_0000 | 0x0800_0000 | 0x0400_0000 | 0x2_0000)
        #expect(plan.namespaces.has(.cgroup))
        #expect(plan.cgroup.path == "/id")
        #expect(plan.devices.map(\.path).contains("/dev/urandom"))
        #expect(plan.propagation == [.slave, .recursive])
    }

    @Test("A configuration that cannot be carried out is refused, naming why")
    func refusals() throws {
        let table: [(String, (inout RuntimeSpec) -> Void)] = [
            ("process property must not be empty", { $0.process = nil }),
            ("args must not be empty", { $0.process?.args = [] }),
            ("Cwd must be an absolute path", { $0.process?.cwd = "here" }),
            ("Root must be specified", { $0.root = nil }),
            ("duplicated ns", { $0.linux.namespaces.append(LinuxNamespace(.pid)) }),
            ("without a private MNT namespace", { $0.linux.namespaces.removeAll { $0.kind == .mount } }),
            ("without a private UTS namespace", { $0.linux.namespaces.removeAll { $0.kind == .uts } }),
            ("no user mapping found", { $0.linux.namespaces.append(LinuxNamespace(.user)) }),
            (
                "user namespace isn't enabled",
                { $0.linux.uidMappings = [LinuxIDMapping(containerID: 0, hostID: 1, size: 1)] }
            ),
            ("not in a separate kernel namespace", { $0.linux.sysctl = ["vm.swappiness": "1"] }),
            (
                "not allowed in host network namespace",
                {
                    $0.linux.namespaces.removeAll { $0.kind == .network }
                    $0.linux.sysctl = ["net.ipv4.ip_forward": "1"]
                }
            ),
            ("selinux is disabled", { $0.process?.selinuxLabel = "x" }),
            ("apparmor is disabled", { $0.process?.apparmorProfile = "x" }),
            ("invalid rlimit type", { $0.process?.rlimits = [RuntimeRlimit(type: "RLIMIT_X", soft: 1, hard: 1)] }),
            ("inside /proc", { $0.mounts.append(RuntimeMount(destination: "/proc/sys", type: "tmpfs")) }),
            ("must not be the root cgroup", { $0.linux.cgroupsPath = "/a/.." }),
            ("is no propagation", { $0.linux.rootfsPropagation = "loose" }),
        ]
        for (words, change) in table {
            let error = #expect(throws: RuntimeError.self) { try Self.plan(change) }
            #expect(error?.message.contains(words) == true, "\(words): \(error?.message ?? "")")
        }
    }

    @Test("Capabilities that nobody knows, or that the runtime lacks, are left out and named")
    func unknownCapabilities() throws {
        var spec = Invocation.template()
        spec.process?.capabilities?.bounding = ["CAP_KILL", "CAP_FOO", "CAP_SYS_RESOURCE"]
        let facts = HostFacts(
            layout: Self.unified, capabilities: [CapabilitySet(number: 5), CapabilitySet(number: 29)])
        let plan = try ContainerPlan(id: "id", bundle: "/b", spec: spec, facts: facts)
        #expect(plan.process.capabilities.bounding == CapabilitySet(number: 5))
        #expect(plan.process.unknownCapabilities.prefix(2) == ["CAP_FOO", "CAP_SYS_RESOURCE"])
    }

    @Test("Limits become the files of the machine's version of cgroups")
    func limits() throws {
        func writes(_ layout: CgroupLayout) throws -> [String] {
            let plan = try Self.plan(layout: layout) { spec in
                var cpu = LinuxCPU()
                (cpu.shares, cpu.quotaMicroseconds, cpu.periodMicroseconds, cpu.cpus) = (1024, 50_000, 100_000, "0")
                spec.linux.resources?.cpu = cpu
                spec.linux.resources?.memory = LinuxMemory(limitBytes: 1 << 20)
                spec.linux.resources?.memory?.swapBytes = 3 << 20
                spec.linux.resources?.pids = LinuxPids(limit: -1)
            }
            return plan.cgroup.writes.map { "\($0.file)=\($0.value)" }
        }
        #expect(
            try writes(Self.unified) == [
                "memory.swap.max=2097152", "memory.max=1048576", "cpu.weight=39", "cpu.max=50000 100000",
                "cpuset.cpus=0",
                "pids.max=max",
            ])
        #expect(
            try writes(Self.hybrid) == [
                "memory.limit_in_bytes=1048576", "memory.memsw.limit_in_bytes=3145728", "cpu.shares=1024",
                "cpu.cfs_period_us=100000", "cpu.cfs_quota_us=50000", "cpuset.cpus=0", "pids.max=max",
            ])
    }

    @Test("A file of version 2 outside the cgroup is refused")
    func unifiedFiles() throws {
        #expect(throws: RuntimeError.self) {
            try Self.plan { $0.linux.resources?.unified = ["../x.y": "1"] }
        }
    }

    @Test("Options of a mount become flags, attributes, propagation and data")
    func mountOptions() {
        let options = MountOptions(["rbind", "ro", "nosuid", "rslave", "rro", "size=1k", "mode=755"])
        #expect(options.isBind && options.isRecursiveBind)
        #expect(options.set == [.readOnly, .noSetUID])
        #expect(options.recursiveSet == .readOnly)
        #expect(options.propagation == [[.slave, .recursive]])
        #expect(options.data == "size=1k,mode=755")
        #expect(MountOptions(["ro", "rw"]).set == [])
        #expect(MountOptions(["nosuid", "noexec", "sync"]).mountFlags == [.noSetUID, .noExecution, .synchronous])
    }

    @Test(
        "A sysctl's separators may be slashes",
        arguments: [("net.ipv4.x", "net.ipv4.x"), ("net/ipv4/eth0.1", "net.ipv4.eth0/1")])
    func sysctlNames(_ written: String, _ name: String) {
        #expect(ContainerPlan.sysctlName(written) == name)
    }
}
