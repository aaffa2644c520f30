import Linux
import OCI

/// A container's cgroup: its path and what is to be written into which file, for the machine's version of cgroups.
package struct CgroupPlan: Hashable, Sendable {
    package struct Write: Hashable, Sendable {
        /// Whose hierarchy of version 1; in version 2 there is one directory for all.
        package var controller: String
        package var file: String
        package var value: String
        /// Whether the machine may lack the file: swap accounting, kernel memory, the fair IO scheduler.
        package var isOptional = false
    }

    package var path: String
    package var writes: [Write] = []
    /// Version 1 hierarchies joined beyond those that every container joins.
    package var extraControllers: [String] = []
    package var devices: [LinuxDeviceRule]

    package init(path: String, _ resources: LinuxResources?, _ layout: CgroupLayout) throws(RuntimeError) {
        self.path = PathName.cleaned(path)
        guard self.path != "/" else { throw RuntimeError("linux.cgroupsPath: must not be the root cgroup") }
        devices = (resources?.devices ?? []) + Self.defaultDeviceRules
        guard let resources else { return }
        if layout.mode == .unified {
            try planUnified(resources)
        } else {
            planLegacy(resources)
        }
    }

    /// What every container may use: making any node, the standard character devices, terminals.
    private static let defaultDeviceRules: [LinuxDeviceRule] = [
        LinuxDeviceRule(allow: true, type: "c", access: "m"), LinuxDeviceRule(allow: true, type: "b", access: "m"),
        LinuxDeviceRule(allow: true, type: "c", major: 1, minor: 3),
        LinuxDeviceRule(allow: true, type: "c", major: 1, minor: 8),
        LinuxDeviceRule(allow: true, type: "c", major: 1, minor: 7),
        LinuxDeviceRule(allow: true, type: "c", major: 5, minor: 0),
        LinuxDeviceRule(allow: true, type: "c", major: 1, minor: 5),
        LinuxDeviceRule(allow: true, type: "c", major: 1, minor: 9),
        LinuxDeviceRule(allow: true, type: "c", major: 136),
        LinuxDeviceRule(allow: true, type: "c", major: 5, minor: 2),
    ]

    private mutating func write(
        _ controller: String, _ file: String, _ value: (some CustomStringConvertible)?, isOptional: Bool = false
    ) {
        guard let value else { return }
        writes.append(Write(controller: controller, file: file, value: value.description, isOptional: isOptional))
    }
}

// MARK: - Version 1

extension CgroupPlan {
    private mutating func planLegacy(_ resources: LinuxResources) {
        if let memory = resources.memory { planLegacy(memory) }
        if let cpu = resources.cpu { planLegacy(cpu) }
        if let limit = resources.pids?.limit, limit != 0 {
            write("pids", "pids.max", limit > 0 ? String(limit) : "max")
        }
        if let io = resources.blockIO { planLegacy(io) }
        for limit in resources.hugepageLimits {
            write("hugetlb", "hugetlb.\(limit.pageSize).limit_in_bytes", limit.limitBytes)
            if !extraControllers.contains("hugetlb") { extraControllers.append("hugetlb") }
        }
    }

    private mutating func planLegacy(_ memory: LinuxMemory) {
        if let limit = memory.limitBytes, limit != 0 { write("memory", "memory.limit_in_bytes", limit) }
        if let swap = memory.swapBytes, swap != 0 {
            write("memory", "memory.memsw.limit_in_bytes", swap, isOptional: true)
        }
        if let reservation = memory.reservationBytes, reservation != 0 {
            write("memory", "memory.soft_limit_in_bytes", reservation)
        }
        if let kernelTCP = memory.kernelTCPBytes, kernelTCP != 0 {
            write("memory", "memory.kmem.tcp.limit_in_bytes", kernelTCP, isOptional: true)
        }
        if memory.disableOOMKiller == true { write("memory", "memory.oom_control", 1) }
        if let swappiness = memory.swappiness, swappiness <= 100 { write("memory", "memory.swappiness", swappiness) }
    }

    private mutating func planLegacy(_ cpu: LinuxCPU) {
        if let shares = cpu.shares, shares != 0 { write("cpu", "cpu.shares", shares) }
        if let period = cpu.periodMicroseconds, period != 0 { write("cpu", "cpu.cfs_period_us", period) }
        if let quota = cpu.quotaMicroseconds, quota != 0 { write("cpu", "cpu.cfs_quota_us", quota) }
        write("cpu", "cpu.cfs_burst_us", cpu.burstMicroseconds, isOptional: true)
        if let period = cpu.realtimePeriodMicroseconds, period != 0 { write("cpu", "cpu.rt_period_us", period) }
        if let runtime = cpu.realtimeRuntimeMicroseconds, runtime != 0 { write("cpu", "cpu.rt_runtime_us", runtime) }
        write("cpu", "cpu.idle", cpu.idle, isOptional: true)
        planCpuset(cpu)
    }

    private mutating func planCpuset(_ cpu: LinuxCPU) {
        let lists = [("cpuset.cpus", cpu.cpus), ("cpuset.mems", cpu.mems)]
        for (file, list) in lists {
            guard let list, !list.isEmpty else { continue }
            write("cpuset", file, list)
            if !extraControllers.contains("cpuset") { extraControllers.append("cpuset") }
        }
    }

    private mutating func planLegacy(_ io: LinuxBlockIO) {
        if let weight = io.weight, weight != 0 { write("blkio", "blkio.bfq.weight", weight, isOptional: true) }
        let lists = [
            ("blkio.throttle.read_bps_device", io.throttleReadBytesPerSecond),
            ("blkio.throttle.write_bps_device", io.throttleWriteBytesPerSecond),
            ("blkio.throttle.read_iops_device", io.throttleReadOperationsPerSecond),
            ("blkio.throttle.write_iops_device", io.throttleWriteOperationsPerSecond),
        ]
        for (file, devices) in lists {
            for device in devices { write("blkio", file, "\(device.major):\(device.minor) \(device.ratePerSecond)") }
        }
    }
}

// MARK: - Version 2

extension CgroupPlan {
    private mutating func planUnified(_ resources: LinuxResources) throws(RuntimeError) {
        if let memory = resources.memory { try planUnified(memory) }
        if let cpu = resources.cpu { planUnified(cpu) }
        if let limit = resources.pids?.limit, limit != 0 {
            write("pids", "pids.max", limit > 0 ? String(limit) : "max")
        }
        if let io = resources.blockIO { planUnified(io) }
        for limit in resources.hugepageLimits { write("hugetlb", "hugetlb.\(limit.pageSize).max", limit.limitBytes) }
        for (file, value) in resources.unified.sorted(by: { $0.key < $1.key }) {
            guard !file.contains("/"), file.contains(".") else {
                throw RuntimeError("linux.resources.unified: `\(file)` is no file of a cgroup")
            }
            write(String(file.prefix { $0 != "." }), file, value)
        }
    }

    private mutating func planUnified(_ memory: LinuxMemory) throws(RuntimeError) {
        let limit = memory.limitBytes ?? 0
        if let swap = memory.swapBytes, swap != 0 {
            // Version 1 counts memory and swap together, version 2 swap alone.
            if swap == -1 {
                write("memory", "memory.swap.max", "max", isOptional: true)
            } else {
                guard limit > 0 else {
                    throw RuntimeError("unable to set swap limit without memory limit")
                }
                guard swap >= limit else {
                    throw RuntimeError("memory+swap limit should be >= memory limit")
                }
                write("memory", "memory.swap.max", swap - limit, isOptional: true)
            }
        }
        if limit != 0 { write("memory", "memory.max", limit == -1 ? "max" : String(limit)) }
        if let reservation = memory.reservationBytes, reservation != 0 {
            write("memory", "memory.low", reservation == -1 ? "max" : String(reservation))
        }
    }

    private mutating func planUnified(_ cpu: LinuxCPU) {
        // 2…262144 of version 1 become 1…10000, as systemd and others convert them.
        if let shares = cpu.shares, shares >= 2 {
            write("cpu", "cpu.weight", 1 + (min(shares, 262_144) - 2) * 9999 / 262_142)
        }
        let quota = cpu.quotaMicroseconds ?? 0
        let period = cpu.periodMicroseconds ?? 0
        if quota != 0 || period != 0 {
            let text = quota > 0 ? String(quota) : "max"
            write("cpu", "cpu.max", "\(text) \(period != 0 ? period : 100_000)")
        }
        write("cpu", "cpu.max.burst", cpu.burstMicroseconds, isOptional: true)
        write("cpu", "cpu.idle", cpu.idle, isOptional: true)
        planCpuset(cpu)
        extraControllers = []
    }

    private mutating func planUnified(_ io: LinuxBlockIO) {
        if let weight = io.weight, weight != 0 {
            write("io", "io.bfq.weight", weight, isOptional: true)
            // 10…1000 of version 1 become 1…10000.
            write("io", "io.weight", 1 + (max(10, UInt64(weight)) - 10) * 9999 / 990, isOptional: true)
        }
        let lists = [
            ("rbps", io.throttleReadBytesPerSecond), ("wbps", io.throttleWriteBytesPerSecond),
            ("riops", io.throttleReadOperationsPerSecond), ("wiops", io.throttleWriteOperationsPerSecond),
        ]
        for (key, devices) in lists {
            for device in devices {
                write("io", "io.max", "\(device.major):\(device.minor) \(key)=\(device.ratePerSecond)")
            }
        }
    }
}
