import JSON
import Linux
import OCI
import Testing

@testable import Runtime

/// Every property of the runtime specification 1.3 (its `specs-go/config.go`), and what becomes of it: nothing is ignored
/// in silence.
@Suite struct SpecPropertyTests {
    enum Outcome: Sendable {
        /// Read, and in the plan; or refused by its name on a machine whose cgroups have no such limit.
        case applied
        /// Refused with these words, since the machine of the plan lacks what it needs.
        case refused(String)
        /// Passed over with a warning that names it.
        case warned
    }

    /// Something for each property to stand in or to differ from.
    private static let base = #"""
        {"ociVersion":"1.0.2","root":{"path":"rootfs"},
         "process":{"cwd":"/","args":["x"],"rlimits":[{"type":"RLIMIT_CPU","soft":1,"hard":1}],
           "scheduler":{"policy":"SCHED_OTHER"},"ioPriority":{"class":"IOPRIO_CLASS_BE","priority":1},
           "consoleSize":{"height":1,"width":1}},
         "mounts":[{"destination":"/m","type":"tmpfs","source":"x"},{"destination":"/b","source":"/x","options":["bind"]}],
         "hooks":{"prestart":[{"path":"/x"}]},
         "linux":{"namespaces":[{"type":"pid"},{"type":"mount"},{"type":"network"},{"type":"ipc"},{"type":"uts"},
             {"type":"user"},{"type":"time"}],
           "uidMappings":[{"containerID":0,"hostID":1,"size":9}],"gidMappings":[{"containerID":0,"hostID":1,"size":9}],
           "devices":[{"path":"/dev/x","type":"c","major":1,"minor":3}],"timeOffsets":{"boottime":{"secs":1}},
           "personality":{"domain":"LINUX"},"memoryPolicy":{"mode":"MPOL_PREFERRED"},
           "resources":{"devices":[{"allow":false}],
             "hugepageLimits":[{"pageSize":"2MB","limit":1}],
             "blockIO":{"weightDevice":[{"major":1,"minor":1,"weight":98}],"throttleReadBpsDevice":[{"major":1,"minor":1,"rate":1}]},
             "rdma":{"m":{"hcaHandles":1}}},
           "seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_ERRNO",
             "args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]}]}}}
        """#

    private static let general: [(String, String, Outcome)] = [
        ("ociVersion", #""1.3.0""#, .applied), ("root.path", #""other""#, .applied),
        ("root.readonly", "true", .applied),
        ("hostname", #""h""#, .applied), ("domainname", #""d""#, .applied),
        ("annotations.key", #""value""#, .applied),
        ("mounts[0].destination", #""/n""#, .applied), ("mounts[0].type", #""ramfs""#, .applied),
        ("mounts[0].source", #""y""#, .applied), ("mounts[0].options", #"["ro"]"#, .applied),
        // The one is refused without the other.
        (
            "mounts[1]",
            #"""
            {"destination":"/b","source":"/x","options":["bind"],"uidMappings":[{"containerID":0,"hostID":1,"size":1}],
            "gidMappings":[{"containerID":0,"hostID":1,"size":1}]}
            """#, .applied
        ),
        ("hooks.prestart[0].path", #""/y""#, .applied), ("hooks.prestart[0].args", #"["a"]"#, .applied),
        ("hooks.prestart[0].env", #"["a=b"]"#, .applied), ("hooks.prestart[0].timeout", "5", .applied),
        ("hooks.createRuntime", #"[{"path":"/x"}]"#, .applied),
        ("hooks.createContainer", #"[{"path":"/x"}]"#, .applied),
        ("hooks.startContainer", #"[{"path":"/x"}]"#, .applied), ("hooks.poststart", #"[{"path":"/x"}]"#, .applied),
        ("hooks.poststop", #"[{"path":"/x"}]"#, .applied),
        ("solaris", #"{"milestone":"x"}"#, .warned), ("windows", #"{"layerFolders":["x"]}"#, .warned),
        ("vm", #"{"kernel":{"path":"/x"}}"#, .warned), ("zos", #"{"namespaces":[]}"#, .warned),
        ("freebsd", #"{"devices":[]}"#, .warned),
    ]

    private static let process: [(String, String, Outcome)] = [
        ("process.terminal", "true", .applied), ("process.consoleSize.height", "2", .applied),
        ("process.consoleSize.width", "2", .applied), ("process.user.uid", "5", .applied),
        ("process.user.gid", "5", .applied), ("process.user.umask", "18", .applied),
        ("process.user.additionalGids", "[5]", .applied), ("process.user.username", #""u""#, .warned),
        ("process.args", #"["y"]"#, .applied), ("process.commandLine", #""y""#, .warned),
        ("process.env", #"["a=b"]"#, .applied), ("process.cwd", #""/y""#, .applied),
        ("process.capabilities.bounding", #"["CAP_KILL"]"#, .applied),
        ("process.capabilities.effective", #"["CAP_KILL"]"#, .applied),
        ("process.capabilities.inheritable", #"["CAP_KILL"]"#, .applied),
        ("process.capabilities.permitted", #"["CAP_KILL"]"#, .applied),
        ("process.capabilities.ambient", #"["CAP_KILL"]"#, .applied),
        ("process.rlimits[0].type", #""RLIMIT_CORE""#, .applied), ("process.rlimits[0].soft", "0", .applied),
        ("process.rlimits[0].hard", "2", .applied), ("process.noNewPrivileges", "true", .applied),
        ("process.apparmorProfile", #""p""#, .refused("apparmor is disabled")),
        ("process.selinuxLabel", #""l""#, .refused("selinux is disabled")),
        ("process.oomScoreAdj", "7", .applied), ("process.scheduler.policy", #""SCHED_BATCH""#, .applied),
        ("process.scheduler.nice", "1", .applied),
        ("process.scheduler", #"{"policy":"SCHED_RR","priority":2}"#, .applied),
        ("process.scheduler.flags", #"["SCHED_FLAG_RESET_ON_FORK"]"#, .applied),
        ("process.scheduler", #"{"policy":"SCHED_DEADLINE","runtime":1,"deadline":2,"period":3}"#, .applied),
        ("process.ioPriority.class", #""IOPRIO_CLASS_IDLE""#, .applied), ("process.ioPriority.priority", "3", .applied),
        ("process.execCPUAffinity.initial", #""0""#, .applied), ("process.execCPUAffinity.final", #""0""#, .applied),
    ]

    private static let linux: [(String, String, Outcome)] = [
        ("linux.uidMappings[0].containerID", "1", .applied), ("linux.uidMappings[0].hostID", "2", .applied),
        ("linux.uidMappings[0].size", "2", .applied), ("linux.gidMappings[0].size", "2", .applied),
        ("linux.sysctl", #"{"net.core.somaxconn":"1"}"#, .applied), ("linux.cgroupsPath", #""/x""#, .applied),
        ("linux.namespaces[0].type", #""cgroup""#, .applied),
        ("linux.namespaces[0].path", #""/proc/1/ns/pid""#, .applied),
        ("linux.devices[0].path", #""/dev/y""#, .applied), ("linux.devices[0].type", #""b""#, .applied),
        ("linux.devices[0].major", "2", .applied), ("linux.devices[0].minor", "2", .applied),
        ("linux.devices[0].fileMode", "438", .applied), ("linux.devices[0].uid", "1", .applied),
        ("linux.devices[0].gid", "1", .applied), ("linux.netDevices", #"{"eth0":{"name":"eth1"}}"#, .applied),
        ("linux.rootfsPropagation", #""shared""#, .applied), ("linux.maskedPaths", #"["/x"]"#, .applied),
        ("linux.readonlyPaths", #"["/x"]"#, .applied), ("linux.mountLabel", #""l""#, .refused("selinux is disabled")),
        ("linux.intelRdt", #"{"enableMonitoring":true}"#, .refused("linux.intelRdt")),
        ("linux.intelRdt", #"{"closID":"x","schemata":["L3:0=1"]}"#, .refused("linux.intelRdt")),
        ("linux.intelRdt", #"{"l3CacheSchema":"L3:0=1"}"#, .refused("linux.intelRdt")),
        ("linux.intelRdt", #"{"memBwSchema":"MB:0=1"}"#, .refused("linux.intelRdt")),
        ("linux.intelRdt", #"{"enableCMT":true}"#, .refused("linux.intelRdt")),
        ("linux.intelRdt", #"{"enableMBM":true}"#, .refused("linux.intelRdt")),
        ("linux.memoryPolicy.mode", #""MPOL_LOCAL""#, .applied), ("linux.memoryPolicy.nodes", #""0""#, .applied),
        ("linux.memoryPolicy.flags", #"["MPOL_F_STATIC_NODES"]"#, .applied),
        ("linux.personality.domain", #""LINUX32""#, .applied),
        ("linux.personality.flags", #"["x"]"#, .refused("linux.personality.flags")),
        ("linux.timeOffsets.boottime.secs", "2", .applied), ("linux.timeOffsets.boottime.nanosecs", "2", .applied),
        ("linux.timeOffsets.realtime.secs", "2", .refused("linux.timeOffsets.realtime")),
        ("linux.seccomp.defaultAction", #""SCMP_ACT_LOG""#, .applied), ("linux.seccomp.defaultErrnoRet", "1", .applied),
        ("linux.seccomp.architectures", #"["SCMP_ARCH_X86"]"#, .applied),
        ("linux.seccomp.flags", #"["SECCOMP_FILTER_FLAG_LOG"]"#, .applied),
        ("linux.seccomp.listenerPath", #""/x""#, .applied), ("linux.seccomp.listenerMetadata", #""x""#, .applied),
        ("linux.seccomp.syscalls[0].names", #"["write"]"#, .applied),
        ("linux.seccomp.syscalls[0].action", #""SCMP_ACT_TRAP""#, .applied),
        ("linux.seccomp.syscalls[0].errnoRet", "2", .applied),
        ("linux.seccomp.syscalls[0].args[0].index", "1", .applied),
        ("linux.seccomp.syscalls[0].args[0].value", "2", .applied),
        ("linux.seccomp.syscalls[0].args[0].valueTwo", "2", .applied),
        ("linux.seccomp.syscalls[0].args[0].op", #""SCMP_CMP_NE""#, .applied),
    ]

    private static let resources: [(String, String, Outcome)] =
        [
            ("devices[0].allow", "true"), ("devices[0].type", #""c""#), ("devices[0].major", "1"),
            ("devices[0].minor", "1"), ("devices[0].access", #""r""#), ("memory.limit", "9"),
            ("memory.reservation", "9"), ("memory", #"{"limit":9,"swap":19}"#), ("memory.kernel", "9"),
            ("memory.kernelTCP", "9"), ("memory.swappiness", "9"), ("memory.disableOOMKiller", "true"),
            ("memory.useHierarchy", "false"), ("memory.checkBeforeUpdate", "true"), ("cpu.shares", "9"),
            ("cpu.quota", "9"), ("cpu.burst", "9"), ("cpu.period", "9"), ("cpu.realtimeRuntime", "9"),
            ("cpu.realtimePeriod", "9"), ("cpu.cpus", #""0""#), ("cpu.mems", #""0""#), ("cpu.idle", "1"),
            ("pids.limit", "9"), ("blockIO.weight", "99"), ("blockIO.leafWeight", "99"),
            ("blockIO.weightDevice[0].major", "2"), ("blockIO.weightDevice[0].minor", "2"),
            ("blockIO.weightDevice[0].weight", "99"), ("blockIO.weightDevice[0].leafWeight", "99"),
            ("blockIO.throttleReadBpsDevice[0].major", "2"), ("blockIO.throttleReadBpsDevice[0].minor", "2"),
            ("blockIO.throttleReadBpsDevice[0].rate", "2"),
            ("blockIO.throttleWriteBpsDevice", #"[{"major":1,"minor":1,"rate":1}]"#),
            ("blockIO.throttleReadIOPSDevice", #"[{"major":1,"minor":1,"rate":1}]"#),
            ("blockIO.throttleWriteIOPSDevice", #"[{"major":1,"minor":1,"rate":1}]"#),
            ("hugepageLimits[0].pageSize", #""1GB""#), ("hugepageLimits[0].limit", "2"), ("network.classID", "9"),
            ("network.priorities", #"[{"name":"lo","priority":1}]"#), ("rdma.m.hcaHandles", "2"),
            ("rdma.m.hcaObjects", "2"), ("unified", #"{"memory.high":"9"}"#),
        ].map { ("linux.resources.\($0.0)", $0.1, .applied) }

    @Test(
        "A property is applied, or refused by its name, or passed over with a warning",
        arguments: general + process + linux + resources)
    func property(_ path: String, _ value: String, _ outcome: Outcome) throws {
        let plain = try JSONValue(parsing: Self.base)
        let way = path.split(whereSeparator: { ".[]".contains($0) }).map(String.init)
        let changed = BadConfigTests.putting(try JSONValue(parsing: value), at: way[...], into: plain)
        for layout in [ContainerPlanTests.unified, ContainerPlanTests.hybrid] {
            // The base must be a plan, or a refusal would prove nothing.
            let before = try Self.plan(plain, layout)
            let after = Result { try Self.plan(changed, layout) }
            switch (outcome, after) {
            case (.applied, .success(let plan)):
                #expect(plan != before, "\(path) changes nothing")
                #expect(ForeignProperties.unknown(plan.spec) == [] && ForeignProperties.warnings(plan.spec) == [])
            case (.applied, .failure(let error)):
                #expect(path.hasPrefix("linux.resources."), "\(path): \(error)")
                #expect("\(error)".contains("linux.resources.\(way[2])"), "\(path): \(error)")
            case (.refused(let words), .failure(let error)): #expect("\(error)".contains(words), "\(path): \(error)")
            case (.refused, .success): Issue.record("\(path) is not refused")
            case (.warned, .success(let plan)):
                #expect(ForeignProperties.warnings(plan.spec).contains { $0.hasPrefix("\(path): ") }, "\(path)")
            case (.warned, .failure(let error)): Issue.record("\(path): \(error)")
            }
        }
    }

    private static func plan(_ json: JSONValue, _ layout: CgroupLayout) throws -> ContainerPlan {
        let facts = HostFacts(layout: layout, capabilities: CapabilitySet(rawValue: (1 << 41) - 1))
        return try ContainerPlan(id: "id", bundle: "/b", spec: try RuntimeSpec(json), facts: facts)
    }

    @Test("What the specification does not have is no error, and is told where one looks for it")
    func unknown() throws {
        let text = #"{"x":1,"process":{"cwd":"/","y":1},"linux":{"z":1,"resources":{"w":1}},"ociVersion":"1"}"#
        let spec = try RuntimeSpec(try JSONValue(parsing: text))
        #expect(ForeignProperties.unknown(spec) == ["x", "process.y", "linux.z", "linux.resources.w"])
    }

    @Test("Every value that is read from a document is used by the runtime")
    func used() throws {
        let sources = PathName.joined(
            PathName.split(#filePath).parent, "../../../Sources")
        /// All Swift files of a folder and of those in it, whose names have no dot.
        func text(_ folder: String) throws -> String {
            try Directory.list(folder).map { name in
                let path = "\(folder)/\(name)"
                if name.hasSuffix(".swift") { return String(decoding: try FileContents.read(path), as: UTF8.self) }
                return name.contains(".") ? "" : try text(path)
            }.joined()
        }
        let runtime = try text("\(sources)/Runtime/Runtime")
        var names: Set<String> = []
        for file in try Directory.list("\(sources)/OCI/OCI").filter({ $0.hasPrefix("Runtime") }) {
            let lines = String(decoding: try FileContents.read("\(sources)/OCI/OCI/\(file)"), as: UTF8.self)
                .split(separator: "\n")
            for line in lines where line.hasPrefix("    package var ") && line.contains(":") && !line.contains(" { ") {
                names.insert(String(line.dropFirst(16).prefix { $0 != ":" }).filter { $0 != "`" })
            }
        }
        #expect(names.count > 100)
        for name in names.sorted() { #expect(runtime.contains(".\(name)"), "\(name) is read and never used") }
    }
}
