import Glibc
import JSON
import Linux
import OCI
import Testing

@testable import Runtime

/// What an update comes to.
@Suite struct UpdatePlanTests {
    @Test(
        "Amounts of memory have units of 1024",
        arguments: [
            ("64m", 64 << 20), ("1048576", 1_048_576), ("1.5GiB", 3 << 29), ("2 kB", 2048), ("1Ki", 1024), ("3b", 3),
            ("10x", nil), ("", nil), ("-5", nil), ("m", nil), ("1.", nil), ("99999999p", nil), ("1 2", nil),
        ])
    func sizes(text: String, expected: Int64?) {
        #expect(ByteSize.bytes(text) == expected)
    }

    @Test(
        "A sign stands only before what could be negative",
        arguments: [
            ("cpu-period", "+9", false), ("cpu-share", "+9", false), ("cpu-rt-period", "+9", false),
            ("cpu-burst", "-9", false), ("cpu-share", "9", true), ("cpu-quota", "+9", true), ("cpu-quota", "-1", true),
            ("pids-limit", "+9", true), ("blkio-weight", "+90", true), ("blkio-weight", "-90", false),
            ("cpu-share", "9x", false), ("cpu-share", " 9", false),
        ])
    func signs(option: String, text: String, isNumber: Bool) throws {
        let arguments = try CommandArguments(["--\(option)", text, "id"], UpdateOptions.known)
        if isNumber {
            #expect(throws: Never.self) { try UpdateOptions.resources(arguments) }
        } else {
            let refusal = RuntimeError("invalid value for \(option): parsing \"\(text)\": invalid syntax")
            #expect(throws: refusal) { try UpdateOptions.resources(arguments) }
        }
    }

    @Test("In version 2 a quota keeps the period and a period the quota")
    func quota() throws {
        var current = CurrentLimits()
        (current.quotaMicroseconds, current.periodMicroseconds) = (20_000, 50_000)
        var asked = LinuxResources()
        asked.cpu = LinuxCPU()
        asked.cpu?.quotaMicroseconds = 30_000
        #expect(try UpdatePlan.complete(asked, current, isUnified: true).cpu?.periodMicroseconds == 50_000)
        asked.cpu?.quotaMicroseconds = nil
        asked.cpu?.periodMicroseconds = 10_000
        #expect(try UpdatePlan.complete(asked, current, isUnified: true).cpu?.quotaMicroseconds == 20_000)
        #expect(try UpdatePlan.complete(asked, current, isUnified: false).cpu?.quotaMicroseconds == nil)
    }

    @Test(
        "Memory and swap are completed by what is in force",
        arguments: [
            // asked memory, swap; in force memory, swap alone; version 2; result memory, swap
            (-1, nil, 100, 50, false, -1, -1), (-1, nil, 100, 50, true, -1, nil), (80, nil, 100, 50, true, 80, 150),
            (nil, 200, 100, 50, true, 100, 200), (80, 90, 100, 50, true, 80, 90), (80, nil, nil, nil, true, 80, nil),
            (80, nil, 100, 50, false, 80, nil),
        ] as [(Int64?, Int64?, UInt64?, UInt64?, Bool, Int64?, Int64?)])
    func memory(
        limit: Int64?, swap: Int64?, old: UInt64?, oldSwap: UInt64?, isUnified: Bool, newLimit: Int64?, newSwap: Int64?
    ) throws {
        var current = CurrentLimits()
        (current.memoryBytes, current.swapBytes) = (old, oldSwap)
        var asked = LinuxResources()
        asked.memory = LinuxMemory(limitBytes: limit)
        asked.memory?.swapBytes = swap
        let memory = try UpdatePlan.complete(asked, current, isUnified: isUnified).memory
        #expect(memory?.limitBytes == newLimit)
        #expect(memory?.swapBytes == newSwap)
    }

    @Test("A limit below what is used is refused where the caller wants it checked")
    func checked() throws {
        var current = CurrentLimits()
        current.memoryUsageBytes = 1000
        var asked = LinuxResources()
        asked.memory = LinuxMemory(limitBytes: 1000)
        #expect(throws: Never.self) { try UpdatePlan.complete(asked, current, isUnified: true) }
        asked.memory?.checkBeforeUpdate = true
        let refusal = RuntimeError("rejecting memory limit 1000 <= usage 1000")
        #expect(throws: refusal) { try UpdatePlan.complete(asked, current, isUnified: true) }
    }
}

/// `update` of real containers.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct UpdateContractTests {
    @Test("update changes limits by its options", arguments: RuntimeUnderTest.all)
    func options(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        container.spec.linux.resources?.memory = LinuxMemory(limitBytes: 32 << 20)
        try container.createAndStart()
        let result = try container.command(
            "update", "--memory", "64m", "--memory-reservation", "48m", "--cpu-quota", "40000", "--cpu-period",
            "80000", "--cpu-share", "512", "--pids-limit", "33", "--cpuset-cpus", "0", container.id)
        #expect(result.code == 0, "\(result.errors)")
        #expect(
            try container.limit("memory", legacy: "memory.limit_in_bytes", unified: "memory.max")
                == String(64 << 20))
        #expect(
            try container.limit("memory", legacy: "memory.soft_limit_in_bytes", unified: "memory.low")
                == String(48 << 20))
        let quota = try container.limit("cpu", legacy: "cpu.cfs_quota_us", unified: "cpu.max")
        #expect(quota == "40000" || quota == "40000 80000")
        #expect(try container.limit("pids", legacy: "pids.max", unified: "pids.max") == "33")
        #expect(try container.limit("cpuset", legacy: "cpuset.cpus", unified: "cpuset.cpus") == "0")
        let processors = try container.exec("grep", "Cpus_allowed_list", "/proc/1/status")
        #expect(processors.output == "Cpus_allowed_list:\t0\n")
    }

    @Test("update reads a document from a file or standard input", arguments: RuntimeUnderTest.all)
    func document(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        try container.createAndStart()
        let file = "\(container.folder)/resources.json"
        let text = #"{"memory":{"limit":50331648},"pids":{"limit":44},"cpu":{"quota":30000,"period":60000}}"#
        try FileContents.replace(file, with: Array(text.utf8), durable: false)
        #expect(try container.command("update", "--resources", file, container.id).code == 0)
        #expect(try container.limit("pids", legacy: "pids.max", unified: "pids.max") == "44")
        let (reading, writing) = try Descriptor.pipe()
        defer { reading.close() }
        try writing.writeAll(Array(#"{"pids":{"limit":55}}"#.utf8))
        writing.close()
        let result = try runtime.run(
            ["update", "-r", "-", container.id], root: container.root, in: container.bundle, input: reading)
        #expect(result.code == 0, "\(result.errors)")
        #expect(try container.limit("pids", legacy: "pids.max", unified: "pids.max") == "55")
    }

    @Test("Memory and swap go up and down together whatever the order they need", arguments: RuntimeUnderTest.all)
    func swap(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        try container.createAndStart()
        for (memory, swap) in [("32m", "32m"), ("96m", "128m"), ("16m", "16m"), ("-1", "-1")] {
            let result = try container.command(
                "update", "--memory", memory, "--memory-swap", swap, container.id)
            #expect(result.code == 0, "\(memory) \(swap): \(result.errors)")
        }
    }

    private static let isUnified = (try? CgroupLayout.current())?.mode == .unified

    /// The first lines of the container's files of version 2.
    private func expect(
        _ container: TestContainer, _ files: [(name: String, text: String)],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let directory = try #require(try CgroupLayout.current().unifiedDirectory(of: "/\(container.id)"))
        for file in files {
            let text = String(decoding: try FileContents.read("\(directory)/\(file.name)"), as: UTF8.self)
            #expect(
                text.split(separator: "\n").first ?? "" == file.text, "\(file.name)", sourceLocation: sourceLocation)
        }
    }

    @Test("Each option of version 2 has its file", .enabled(if: isUnified, "needs cgroups of version 2 alone"))
    func unifiedOptions() throws {
        let container = try TestContainer(.ours, ["sleep", "600"])
        try container.createAndStart()
        let first = try container.command(
            "update", "--cpu-period", "50000", "--cpu-quota", "20000", "--cpu-burst", "5000", "--cpu-share", "2048",
            "--cpuset-cpus", "0", "--cpuset-mems", "0", "--memory", "64m", "--memory-reservation", "32m",
            "--memory-swap", "96m", "--pids-limit", "77", "--kernel-memory", "1m", container.id)
        #expect(first.code == 0 && first.errors.contains("Kernel memory settings are ignored"), "\(first.errors)")
        try expect(
            container,
            [
                ("cpu.max", "20000 50000"), ("cpu.max.burst", "5000"), ("cpu.weight", "79"), ("cpuset.cpus", "0"),
                ("cpuset.mems", "0"), ("memory.max", "67108864"), ("memory.low", "33554432"),
                ("memory.swap.max", "33554432"), ("pids.max", "77"),
            ])
        // What is not asked for stays as it is; -1 is no limit.
        let second = try container.command(
            "update", "--cpu-quota", "-1", "--cpu-burst", "0", "--cpu-idle", "1", "--memory", "-1", "--memory-swap",
            "-1", "--pids-limit", "-1", container.id)
        #expect(second.code == 0, "\(second.errors)")
        try expect(
            container,
            [
                ("cpu.max", "max 50000"), ("cpu.max.burst", "0"), ("cpu.idle", "1"), ("cpuset.cpus", "0"),
                ("memory.max", "max"), ("memory.low", "33554432"), ("memory.swap.max", "max"), ("pids.max", "max"),
            ])
        let realtime = try container.command("update", "--cpu-rt-runtime", "1000", container.id)
        #expect(realtime.code == 1 && realtime.errors.contains("cpu.realtimeRuntime"), "\(realtime.errors)")
    }

    @Test("So has each value of a document", .enabled(if: isUnified, "needs cgroups of version 2 alone"))
    func unifiedDocument() throws {
        let container = try TestContainer(.ours, ["sleep", "600"])
        try container.createAndStart()
        let disk = try #require(try Directory.list("/sys/block").sorted().first { $0.hasPrefix("vd") })
        let number = String(decoding: try FileContents.read("/sys/block/\(disk)/dev").dropLast(), as: UTF8.self)
        let (major, minor) = try #require(
            number.firstIndex(of: ":").map { index in
                (String(number[..<index]), String(number[number.index(after: index)...]))
            })
        let device = #"{"major":\#(major),"minor":\#(minor),"rate":"#
        let text = #"""
            {"cpu":{"shares":512,"quota":30000,"period":60000,"burst":1000,"cpus":"0","mems":"0"},
             "memory":{"limit":50331648,"reservation":16777216,"swap":50331648},
             "pids":{"limit":44},
             "hugepageLimits":[{"pageSize":"2MB","limit":4194304}],
             "blockIO":{"throttleReadBpsDevice":[\#(device)1048576}],
                        "throttleWriteBpsDevice":[\#(device)2097152}],
                        "throttleReadIOPSDevice":[\#(device)300}],
                        "throttleWriteIOPSDevice":[\#(device)400}]},
             "unified":{"memory.high":"33554432","memory.oom.group":"1","cgroup.max.depth":"3"}}
            """#
        let file = "\(container.folder)/resources.json"
        try FileContents.replace(file, with: Array(text.utf8), durable: false)
        let result = try container.command("update", "--resources", file, container.id)
        #expect(result.code == 0, "\(result.errors)")
        try expect(
            container,
            [
                ("cpu.weight", "20"), ("cpu.max", "30000 60000"), ("cpu.max.burst", "1000"), ("cpuset.cpus", "0"),
                ("cpuset.mems", "0"), ("memory.max", "50331648"), ("memory.low", "16777216"),
                ("memory.swap.max", "0"), ("pids.max", "44"), ("hugetlb.2MB.max", "4194304"),
                ("io.max", "\(number) rbps=1048576 wbps=2097152 riops=300 wiops=400"), ("memory.high", "33554432"),
                ("memory.oom.group", "1"), ("cgroup.max.depth", "3"),
            ])
        for (document, words) in [
            (#"{"unified":{"cgroup.kill":"1"}}"#, "linux.resources.unified.cgroup.kill"),
            (#"{"hugepageLimits":[{"pageSize":"../x","limit":1}]}"#, "linux.resources.hugepageLimits[0].pageSize"),
            (#"{"network":{"classID":1}}"#, "linux.resources.network"),
            (#"{"memory":{"swappiness":1}}"#, "linux.resources.memory.swappiness"),
        ] {
            try FileContents.replace(file, with: Array(document.utf8), durable: false)
            let refused = try container.command("update", "--resources", file, container.id)
            #expect(refused.code == 1 && refused.errors.contains(words), "\(refused.errors)")
        }
        #expect(try container.status() == "running")
    }

    @Test("What is no limit is refused in words that name it", arguments: RuntimeUnderTest.all)
    func refused(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        try container.createAndStart()
        let size = try container.command("update", "--memory", "10x", container.id)
        #expect(size.code == 1)
        #expect(size.errors.contains("invalid value for memory: invalid size: '10x'"), "\(size.errors)")
        #expect(try container.command("update", "--cpu-quota", "x", container.id).errors.contains("for cpu-quota"))
        let schema = try container.command("update", "--l3-cache-schema", "L3:0=f", container.id)
        #expect(schema.errors.contains("Intel RDT/CAT"))
        #expect(try container.command("kill", container.id, "KILL").code == 0)
        try container.waitForEnd()
        #expect(try container.command("update", "--pids-limit", "5", container.id).code == 1)
    }
}
