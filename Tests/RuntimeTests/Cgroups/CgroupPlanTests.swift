import JSON
import Linux
import OCI
import Testing

@testable import Runtime

/// Limits of a document as files of each version of cgroups.
@Suite struct CgroupPlanTests {
    private static func plan(_ layout: CgroupLayout, _ text: String) throws -> CgroupPlan {
        let json = try JSONValue(parsing: Array(text.utf8))
        let resources = try LinuxResources(RuntimeProperty(json, name: "linux.resources"))
        return try CgroupPlan(path: "/x", resources, layout)
    }

    private static let hybrid = ContainerPlanTests.hybrid
    private static let unified = ContainerPlanTests.unified
    private static let legacyHugepages = CgroupLayout(
        mounts: MountTable.parse(
            Array("33 31 0:30 / /sys/fs/cgroup/hugetlb rw - cgroup cgroup rw,hugetlb\n".utf8)))

    @Test(
        "Version 1",
        arguments: [
            (#"{"memory":{"limit":-1}}"#, ["memory.limit_in_bytes=-1", "memory.memsw.limit_in_bytes=-1"]),
            (
                #"{"memory":{"reservation":4096,"swappiness":7,"disableOOMKiller":true}}"#,
                ["memory.soft_limit_in_bytes=4096", "memory.oom_control=1", "memory.swappiness=7"]
            ),
            (#"{"memory":{"disableOOMKiller":false}}"#, []),
            (
                #"{"cpu":{"shares":2,"idle":1,"period":1000,"quota":500,"burst":5}}"#,
                ["cpu.shares=2", "cpu.idle=1", "cpu.cfs_period_us=1000", "cpu.cfs_quota_us=500", "cpu.cfs_burst_us=5"]
            ),
            (
                #"{"cpu":{"realtimePeriod":1000,"realtimeRuntime":50,"mems":"0"}}"#,
                ["cpu.rt_period_us=1000", "cpu.rt_runtime_us=50", "cpuset.mems=0"]
            ),
            (#"{"pids":{"limit":0}}"#, []),
            (
                #"{"blockIO":{"weight":500,"leafWeight":9,"weightDevice":[{"major":8,"minor":0,"weight":20}]}}"#,
                ["blkio.bfq.weight=500", "blkio.leaf_weight=9", "blkio.bfq.weight_device=8:0 20"]
            ),
            (
                #"{"blockIO":{"throttleReadBpsDevice":[{"major":8,"minor":0,"rate":5}],"throttleWriteIOPSDevice":[{"major":8,"minor":1,"rate":6}]}}"#,
                ["blkio.throttle.read_bps_device=8:0 5", "blkio.throttle.write_iops_device=8:1 6"]
            ),
            // The machine has this controller in version 2.
            (
                #"{"hugepageLimits":[{"pageSize":"2MB","limit":4096}]}"#,
                ["hugetlb.2MB.max=4096", "hugetlb.2MB.rsvd.max=4096"]
            ),
            (#"{"rdma":{"mlx":{"hcaHandles":3,"hcaObjects":4}}}"#, ["rdma.max=mlx hca_handle=3 hca_object=4"]),
            (
                #"{"network":{"classID":9,"priorities":[{"name":"eth0","priority":5}]}}"#,
                ["net_cls.classid=9", "net_prio.ifpriomap=eth0 5"]
            ),
        ] as [(String, [String])])
    func legacy(_ text: String, _ expected: [String]) throws {
        let writes = try Self.plan(Self.hybrid, text).writes
        #expect(writes.map { "\($0.file)=\($0.value)" } == expected)
    }

    @Test(
        "Version 2",
        arguments: [
            (#"{"memory":{"limit":-1}}"#, ["memory.swap.max=max", "memory.max=max"]),
            (#"{"memory":{"limit":10,"swap":10}}"#, ["memory.swap.max=0", "memory.max=10"]),
            (#"{"memory":{"reservation":-1}}"#, ["memory.low=max"]),
            (#"{"cpu":{"shares":1}}"#, ["cpu.weight=1"]), (#"{"cpu":{"shares":262144}}"#, ["cpu.weight=10000"]),
            (#"{"cpu":{"period":1000}}"#, ["cpu.max=max 1000"]),
            (
                #"{"cpu":{"quota":500,"burst":100,"idle":0,"cpus":"0-1"}}"#,
                ["cpu.idle=0", "cpu.max=500 100000", "cpu.max.burst=100", "cpuset.cpus=0-1"]
            ),
            (
                #"{"blockIO":{"weight":1000,"weightDevice":[{"major":8,"minor":0,"weight":10}]}}"#,
                ["io.bfq.weight=1000|io.weight=10000", "io.bfq.weight=8:0 10|io.weight=8:0 1"]
            ),
            (
                #"{"blockIO":{"throttleWriteBpsDevice":[{"major":8,"minor":0,"rate":5}]}}"#, ["io.max=8:0 wbps=5"]
            ),
            (
                #"{"hugepageLimits":[{"pageSize":"1GB","limit":0}]}"#,
                ["hugetlb.1GB.max=0", "hugetlb.1GB.rsvd.max=0"]
            ),
            (#"{"rdma":{"mlx":{"hcaObjects":4}}}"#, ["rdma.max=mlx hca_object=4"]),
            (#"{"unified":{"memory.high":"1","cpu.weight":"5"}}"#, ["cpu.weight=5", "memory.high=1"]),
        ] as [(String, [String])])
    func unified(_ text: String, _ expected: [String]) throws {
        let writes = try Self.plan(Self.unified, text).writes
        #expect(
            writes.map { write in
                "\(write.file)=\(write.value)" + (write.instead.map { "|\($0.file)=\($0.value)" } ?? "")
            } == expected)
    }

    @Test("What a version does not have is refused, naming the property")
    func refusals() throws {
        let table: [(CgroupLayout, String, String)] = [
            (Self.hybrid, #"{"unified":{"a.b":"1"}}"#, "resources.unified: invalid configuration: cannot use unified"),
            (Self.hybrid, #"{"memory":{"swappiness":101}}"#, "memory.swappiness: invalid memory swappiness value"),
            (Self.hybrid, #"{"cpu":{"shares":1}}"#, "cpu.shares: the minimum allowed cpu-shares is 2"),
            (Self.hybrid, #"{"cpu":{"shares":262145}}"#, "cpu.shares: the maximum allowed cpu-shares is 262144"),
            (Self.unified, #"{"memory":{"swap":5}}"#, "memory.swap: unable to set swap limit without memory limit"),
            (Self.unified, #"{"memory":{"limit":9,"swap":5}}"#, "memory+swap limit should be >= memory limit"),
            (Self.unified, #"{"memory":{"swappiness":1}}"#, "memory.swappiness: cgroup v2"),
            (Self.unified, #"{"memory":{"disableOOMKiller":true}}"#, "memory.disableOOMKiller: cgroup v2"),
            (Self.unified, #"{"cpu":{"realtimeRuntime":1}}"#, "cpu.realtimeRuntime: cgroup v2"),
            (Self.unified, #"{"blockIO":{"leafWeight":10}}"#, "blockIO.leafWeight: cgroup v2"),
            (Self.unified, #"{"network":{"classID":1}}"#, "network: cgroup v2"),
            (Self.unified, #"{"unified":{"../a.b":"1"}}"#, "must be a file name (no slashes)"),
            (Self.unified, #"{"unified":{"memory":"1"}}"#, "must be in the form CONTROLLER.PARAMETER"),
            (Self.unified, #"{"unified":{"..":"1"}}"#, "must be in the form CONTROLLER.PARAMETER"),
            (Self.unified, #"{"unified":{"cpu.max\u0000.x":"1"}}"#, "must be in the form CONTROLLER.PARAMETER"),
            (Self.hybrid, #"{"network":{"priorities":[{"name":"a b","priority":5}]}}"#, "priorities[0].name: invalid"),
        ]
        for (layout, text, words) in table {
            let error = #expect(throws: RuntimeError.self, "\(text)") { try Self.plan(layout, text) }
            #expect(error?.message.contains(words) == true, "\(text): \(error?.message ?? "")")
        }
        for text in [#"{"rdma":{"mlx":{}}}"#, #"{"blockIO":{"weightDevice":[{"major":8,"minor":0}]}}"#] {
            let json = try JSONValue(parsing: Array(text.utf8))
            #expect(throws: RuntimeSpecError.self, "\(text)") { try LinuxResources(RuntimeProperty(json, name: "r")) }
        }
    }

    @Test(
        "Files of the core that move, end or divide what is in a cgroup are no limits",
        arguments: [
            "procs", "threads", "kill", "freeze", "type", "subtree_control", "controllers", "events", "stat",
            "procs\u{0}", "max",
        ])
    func coreFiles(_ name: String) throws {
        var resources = LinuxResources()
        resources.unified = ["cgroup.\(name)": "1"]
        let error = #expect(throws: RuntimeError.self) { try CgroupPlan(path: "/x", resources, Self.unified) }
        #expect(error?.message.hasPrefix("linux.resources.unified.cgroup.\(name): ") == true)
        resources.unified = ["cgroup.max.depth": "3", "cgroup.max.descendants": "4"]
        let writes = try CgroupPlan(path: "/x", resources, Self.unified).writes
        #expect(writes.map { "\($0.file)=\($0.value)" } == ["cgroup.max.depth=3", "cgroup.max.descendants=4"])
    }

    @Test(
        "A size of huge pages or a name of a device that would lead to another file or line is refused",
        arguments: [
            "2MB/../x", "..", "", "0MB", "02MB", "2mb", "MB", "2MB.max\u{0}", "2 MB", "-2MB", "2MBx", "99999999999KB",
        ])
    func pageSizes(_ size: String) throws {
        var resources = LinuxResources()
        resources.hugepageLimits = [LinuxHugepageLimit(pageSize: size, limitBytes: 1)]
        for layout in [Self.hybrid, Self.unified, Self.legacyHugepages] {
            let error = #expect(throws: RuntimeError.self) { try CgroupPlan(path: "/x", resources, layout) }
            #expect(error?.message.hasPrefix("linux.resources.hugepageLimits[0].pageSize: ") == true)
        }
    }

    @Test(
        "A name of an rdma device is one word of one line",
        arguments: [
            "mlx hca_handle=max", "a\nb", "../a", ".", "..", "", "a\u{0}b", "\u{e4}", String(repeating: "x", count: 64),
        ])
    func rdmaNames(_ name: String) throws {
        var resources = LinuxResources()
        resources.rdma = [name: LinuxRdmaLimit(hcaHandles: 1)]
        for layout in [Self.hybrid, Self.unified] {
            let error = #expect(throws: RuntimeError.self) { try CgroupPlan(path: "/x", resources, layout) }
            #expect(error?.message.contains("is no name of a device") == true)
        }
    }

    @Test("Kernel memory is passed over, with a word")
    func warnings() throws {
        for layout in [Self.hybrid, Self.unified] {
            let plan = try Self.plan(layout, #"{"memory":{"kernel":1,"kernelTCP":2,"useHierarchy":false}}"#)
            #expect(plan.writes == [])
            #expect(plan.warnings.count == 2)
        }
    }
}
