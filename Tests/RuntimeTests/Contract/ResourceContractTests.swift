import Glibc
import JSON
import Linux
import OCI
import Testing

@testable import Runtime

/// Limits and device rules on the real kernel, by whichever version of cgroups the machine has.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct ResourceContractTests {
    private static func mode() throws -> CgroupLayout.Mode { try CgroupLayout.current().mode }

    @Test("Memory's further limits are set", arguments: RuntimeUnderTest.all)
    func memory(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        var memory = LinuxMemory(limitBytes: 64 << 20)
        memory.reservationBytes = 32 << 20
        memory.swapBytes = 64 << 20
        if try Self.mode() != .unified {
            memory.swappiness = 20
            memory.disableOOMKiller = true
        }
        container.spec.linux.resources?.memory = memory
        try container.createAndStart()
        #expect(
            try container.limit("memory", legacy: "memory.soft_limit_in_bytes", unified: "memory.low") == "33554432")
        guard try Self.mode() != .unified else { return }
        #expect(try container.limit("memory", legacy: "memory.swappiness", unified: "") == "20")
        #expect(try container.limit("memory", legacy: "memory.oom_control", unified: "") == "oom_kill_disable 1")
        #expect(try container.limit("memory", legacy: "memory.memsw.limit_in_bytes", unified: "") == "67108864")
    }

    @Test("The processor's burst and idle are set; runc 1.1 has neither")
    func burst() throws {
        let container = try TestContainer(.ours)
        var cpu = LinuxCPU()
        (cpu.quotaMicroseconds, cpu.periodMicroseconds, cpu.burstMicroseconds) = (20_000, 100_000, 10_000)
        cpu.idle = 1
        container.spec.linux.resources?.cpu = cpu
        try container.createAndStart()
        #expect(try container.limit("cpu", legacy: "cpu.cfs_burst_us", unified: "cpu.max.burst") == "10000")
        #expect(try container.limit("cpu", legacy: "cpu.idle", unified: "cpu.idle") == "1")
    }

    @Test("A block device's rates are set", arguments: RuntimeUnderTest.all)
    func throttles(_ runtime: RuntimeUnderTest) throws {
        let name = try #require(try Directory.list("/sys/block").sorted().first, "this machine has no block device")
        let text = String(decoding: try FileContents.read("/sys/block/\(name)/dev"), as: UTF8.self)
        let numbers = text.split(whereSeparator: { $0 == ":" || $0 == "\n" }).compactMap { Int64($0) }
        try #require(numbers.count == 2)
        let container = try TestContainer(runtime)
        var io = LinuxBlockIO()
        io.throttleReadBytesPerSecond = [
            LinuxThrottle(major: numbers[0], minor: numbers[1], ratePerSecond: 1 << 20)
        ]
        container.spec.linux.resources?.blockIO = io
        try container.createAndStart()
        let limit = try container.limit("blkio", legacy: "blkio.throttle.read_bps_device", unified: "io.max")
        #expect(limit.hasPrefix("\(numbers[0]):\(numbers[1]) "))
        #expect(limit.contains("1048576"))
    }

    @Test("A limit of huge pages is set, in version 2 also beside version 1")
    func hugepages() throws {
        let layout = try CgroupLayout.current()
        let unified = layout.unifiedMountPoint ?? ""
        // Not there: the machine has no such controller.
        let controllers = (try? FileContents.read("\(unified)/cgroup.controllers")) ?? []
        guard layout.hierarchy(of: "hugetlb") == nil,
            String(decoding: controllers, as: UTF8.self).contains("hugetlb")
        else { return }
        let container = try TestContainer(.ours)
        container.spec.linux.resources?.hugepageLimits = [LinuxHugepageLimit(pageSize: "2MB", limitBytes: 4 << 20)]
        try container.createAndStart()
        for file in ["hugetlb.2MB.max", "hugetlb.2MB.rsvd.max"] {
            let text = try FileContents.read("\(unified)/\(container.id)/\(file)")
            #expect(String(decoding: text, as: UTF8.self) == "4194304\n")
        }
    }

    @Test("A limit for which the machine has no file ends create with the property's name, and leaves nothing")
    func missing() throws {
        let table: [(String, (inout LinuxResources) -> Void)] = [
            ("linux.resources.rdma.mlx9", { $0.rdma = ["mlx9": LinuxRdmaLimit(hcaHandles: 1)] }),
            (
                "linux.resources.hugepageLimits[0]",
                { $0.hugepageLimits = [LinuxHugepageLimit(pageSize: "3MB", limitBytes: 1)] }
            ),
            (
                "linux.resources.cpu.cpus",
                { resources in
                    var cpu = LinuxCPU()
                    cpu.cpus = "8000"
                    resources.cpu = cpu
                }
            ),
        ]
        for (words, change) in table {
            let container = try TestContainer(.ours)
            var resources = try #require(container.spec.linux.resources)
            change(&resources)
            container.spec.linux.resources = resources
            let result = try container.create()
            #expect(result.code == 1 && result.errors.contains(words), "\(words): \(result.errors)")
            #expect(try container.leftovers() == [])
        }
    }

    /// A node that nobody serves: opening it fails with ENXIO where the rules let it through, else with EPERM.
    private static func withNode(_ container: TestContainer) throws {
        try kernelCall("mknod") { mknod("\(container.rootfs)/node", S_IFCHR | 0o666, dev_t(60 << 8 | 1)) }
    }

    private static let probe = "(: < /node) 2>&1; (: > /node) 2>&1; (: <> /node) 2>&1; true"

    private static func answers(_ output: String) -> [Bool] {
        output.split(separator: "\n").map { $0.contains("No such device or address") }
    }

    @Test("Device rules decide by kind of access, and may be given in parts", arguments: RuntimeUnderTest.all)
    func devices(_ runtime: RuntimeUnderTest) throws {
        let deny = LinuxDeviceRule(allow: false)
        func allow(_ access: String) -> LinuxDeviceRule {
            LinuxDeviceRule(allow: true, type: "c", major: 60, access: access)
        }
        let table: [([LinuxDeviceRule], [Bool])] = [
            ([deny], [false, false, false]), ([deny, allow("r")], [true, false, false]),
            ([deny, allow("r"), allow("w")], [true, true, true]), ([LinuxDeviceRule(allow: true)], [true, true, true]),
        ]
        for (rules, expected) in table {
            let container = try TestContainer(runtime, ["sh", "-c", Self.probe])
            try Self.withNode(container)
            container.spec.linux.resources?.devices = rules
            let result = try container.run()
            #expect(Self.answers(result.output) == expected, "\(result.output)\(result.errors)")
        }
    }

    @Test("update replaces the device rules of a container that runs")
    func replaced() throws {
        let container = try TestContainer(.ours)
        try Self.withNode(container)
        try container.createAndStart()
        #expect(try Self.answers(container.exec("sh", "-c", Self.probe).output) == [false, false, false])
        for (access, expected) in [("rw", [true, true, true]), ("w", [false, true, false])] {
            var resources = LinuxResources()
            resources.devices = [
                LinuxDeviceRule(allow: false), LinuxDeviceRule(allow: true, type: "c", major: 60, access: access),
            ]
            let file = "\(container.folder)/resources.json"
            try FileContents.replace(file, with: resources.json.compactBytes, durable: false)
            let result = try container.command("update", "--resources", file, container.id)
            #expect(result.code == 0, "\(result.errors)")
            #expect(try Self.answers(container.exec("sh", "-c", Self.probe).output) == expected)
        }
    }

    @Test("The program of version 2 is attached, and another takes its place")
    func program() throws {
        let mount = try MountTable.current().last { $0.type == "cgroup2" && $0.mountPoint.hasPrefix("/sys/fs/cgroup") }
        let layout = CgroupLayout(mounts: [try #require(mount, "the machine has no cgroup2")])
        let cgroup = Cgroup(path: "/gantry-test-devices-\(getpid())", layout: layout)
        let directory = try #require(layout.unifiedDirectory(of: cgroup.path))
        try Directory.create(directory)
        defer { rmdir(directory) }
        func canOpen(_ rules: [LinuxDeviceRule]) throws -> Bool {
            try DeviceRules(ruleset: try DeviceRuleset(rules), cgroup: cgroup).apply()
            let spawn = Spawn(
                program: "/bin/sh",
                arguments: ["sh", "-c", "echo $$ > \(directory)/cgroup.procs && exec 3< /dev/full"])
            return try PidFD.reap(try PidFD.open(pid: try spawn.start())) == 0
        }
        let full = LinuxDeviceRule(allow: true, type: "c", major: 1, minor: 7, access: "r")
        let null = LinuxDeviceRule(allow: true, type: "c", major: 1, minor: 3)
        #expect(try canOpen([null, full]))
        // Beside the first, this one would have no say.
        #expect(try !canOpen([null]))
        #expect(try canOpen([null, full]))
    }
}
