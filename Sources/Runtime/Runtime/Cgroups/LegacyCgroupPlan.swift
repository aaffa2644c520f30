import Linux
import OCI

/// Limits as files of cgroup version 1.
extension CgroupPlan {
    mutating func planLegacy(_ resources: LinuxResources, _ layout: CgroupLayout) throws(RuntimeError) {
        guard resources.unified.isEmpty else {
            throw Self.refusal("unified", "invalid configuration: cannot use unified on cgroup v1")
        }
        if let memory = resources.memory { try planLegacy(memory) }
        if let cpu = resources.cpu { try planLegacy(cpu) }
        planPids(resources.pids)
        if let io = resources.blockIO { planLegacy(io) }
        try planHugepages(resources.hugepageLimits, layout)
        try planRdma(resources.rdma)
        if let network = resources.network { try planLegacy(network) }
    }

    private mutating func planLegacy(_ memory: LinuxMemory) throws(RuntimeError) {
        warnOfKernelMemory(memory)
        let limit = memory.limitBytes ?? 0
        var swap = memory.swapBytes ?? 0
        // No limit of memory means none of memory and swap either, which the kernel keeps at or above the first.
        let isImplied = limit == -1 && swap == 0
        if isImplied { swap = -1 }
        if limit != 0 { write("memory", "memory.limit_in_bytes", limit, for: "memory.limit") }
        if swap != 0 {
            // Without accounting of swap there is none to be limited, or its limit is that of memory.
            write(
                "memory", "memory.memsw.limit_in_bytes", swap, for: "memory.swap",
                isOptional: isImplied || swap == -1 || swap == limit)
        }
        if let reservation = memory.reservationBytes, reservation != 0 {
            write("memory", "memory.soft_limit_in_bytes", reservation, for: "memory.reservation")
        }
        if memory.disableOOMKiller == true {
            write("memory", "memory.oom_control", 1, for: "memory.disableOOMKiller")
        }
        if let swappiness = memory.swappiness, swappiness != .max {
            guard swappiness <= 100 else {
                throw Self.refusal(
                    "memory.swappiness", "invalid memory swappiness value: \(swappiness) (valid range is 0-100)")
            }
            write("memory", "memory.swappiness", swappiness, for: "memory.swappiness")
        }
    }

    private mutating func planLegacy(_ cpu: LinuxCPU) throws(RuntimeError) {
        if let shares = cpu.shares, shares != 0 {
            // The kernel would take another value without a word.
            guard shares >= 2 else { throw Self.refusal("cpu.shares", "the minimum allowed cpu-shares is 2") }
            guard shares <= 262_144 else {
                throw Self.refusal("cpu.shares", "the maximum allowed cpu-shares is 262144")
            }
            write("cpu", "cpu.shares", shares, for: "cpu.shares")
        }
        // A group that is idle has a fixed weight: shares first, or they are refused.
        write("cpu", "cpu.idle", cpu.idle, for: "cpu.idle")
        write("cpu", "cpu.rt_period_us", cpu.realtimePeriodMicroseconds.nonZero, for: "cpu.realtimePeriod")
        write("cpu", "cpu.rt_runtime_us", cpu.realtimeRuntimeMicroseconds.nonZero, for: "cpu.realtimeRuntime")
        write("cpu", "cpu.cfs_period_us", cpu.periodMicroseconds.nonZero, for: "cpu.period")
        write("cpu", "cpu.cfs_quota_us", cpu.quotaMicroseconds.nonZero, for: "cpu.quota")
        write("cpu", "cpu.cfs_burst_us", cpu.burstMicroseconds, for: "cpu.burst")
        planCpuset(cpu)
    }

    private mutating func planLegacy(_ io: LinuxBlockIO) {
        func instead(_ file: String, _ value: UInt16?) -> Write.Line? {
            value.map { Write.Line(file: file, value: String($0)) }
        }
        write(
            "blkio", "blkio.bfq.weight", io.weight.nonZero, for: "blockIO.weight",
            instead: instead("blkio.weight", io.weight))
        write("blkio", "blkio.leaf_weight", io.leafWeight.nonZero, for: "blockIO.leafWeight")
        for (index, device) in io.weightDevice.enumerated() {
            let number = "\(device.major):\(device.minor)"
            let property = "blockIO.weightDevice[\(index)]"
            if let weight = device.weight {
                let line = Write.Line(file: "blkio.weight_device", value: "\(number) \(weight)")
                write("blkio", "blkio.bfq.weight_device", line.value, for: property, instead: line)
            }
            if let weight = device.leafWeight {
                write("blkio", "blkio.leaf_weight_device", "\(number) \(weight)", for: property)
            }
        }
        let lists = [
            ("throttle.read_bps_device", "throttleReadBpsDevice", io.throttleReadBytesPerSecond),
            ("throttle.write_bps_device", "throttleWriteBpsDevice", io.throttleWriteBytesPerSecond),
            ("throttle.read_iops_device", "throttleReadIOPSDevice", io.throttleReadOperationsPerSecond),
            ("throttle.write_iops_device", "throttleWriteIOPSDevice", io.throttleWriteOperationsPerSecond),
        ]
        for (file, property, devices) in lists {
            for (index, device) in devices.enumerated() {
                let line = "\(device.major):\(device.minor) \(device.ratePerSecond)"
                write("blkio", "blkio.\(file)", line, for: "blockIO.\(property)[\(index)]")
            }
        }
    }

    /// A hybrid machine may have this controller in version 2.
    private mutating func planHugepages(
        _ limits: [LinuxHugepageLimit], _ layout: CgroupLayout
    ) throws(RuntimeError) {
        if layout.hierarchy(of: "hugetlb") == nil, layout.mode == .hybrid {
            try planUnifiedHugepages(limits)
            for index in writes.indices where writes[index].controller == "hugetlb" { writes[index].isUnified = true }
            return
        }
        for (index, limit) in limits.enumerated() {
            let property = "hugepageLimits[\(index)]"
            try Self.checkSize(of: limit, property)
            write("hugetlb", "hugetlb.\(limit.pageSize).limit_in_bytes", limit.limitBytes, for: property)
            // Reservations have a limit of their own since Linux 5.7.
            write(
                "hugetlb", "hugetlb.\(limit.pageSize).rsvd.limit_in_bytes", limit.limitBytes, for: property,
                isOptional: true)
            join("hugetlb")
        }
    }

    private mutating func planLegacy(_ network: LinuxNetworkLimits) throws(RuntimeError) {
        if let classID = network.classID, classID != 0 {
            write("net_cls", "net_cls.classid", classID, for: "network.classID")
            join("net_cls")
        }
        for (index, entry) in network.priorities.enumerated() {
            let property = "network.priorities[\(index)]"
            guard NetworkDevicePlan.isName(entry.name) else {
                throw Self.refusal("\(property).name", "invalid network device name \"\(entry.name)\"")
            }
            write("net_prio", "net_prio.ifpriomap", "\(entry.name) \(entry.priority)", for: property)
            join("net_prio")
        }
    }
}

extension Optional where Wrapped: FixedWidthInteger {
    /// The specification's zero is as good as nothing said.
    var nonZero: Wrapped? { self == 0 ? nil : self }
}
