import Linux
import OCI

/// Limits as files of cgroup version 2. What that version does not have is refused by name.
extension CgroupPlan {
    mutating func planUnified(_ resources: LinuxResources) throws(RuntimeError) {
        if let memory = resources.memory { try planUnified(memory) }
        if let cpu = resources.cpu { try planUnified(cpu) }
        planPids(resources.pids)
        if let io = resources.blockIO { try planUnified(io) }
        try planUnifiedHugepages(resources.hugepageLimits)
        try planRdma(resources.rdma)
        if let network = resources.network, network != LinuxNetworkLimits() {
            throw Self.refusal("network", "cgroup v2 has neither net_cls nor net_prio")
        }
        for (file, value) in resources.unified.sorted(by: { $0.key < $1.key }) {
            let property = "unified.\(file)"
            guard !file.contains("/") else { throw Self.refusal(property, "must be a file name (no slashes)") }
            let controller = file.prefix { $0 != "." }
            guard !controller.isEmpty, controller != file, Self.isFileName(file) else {
                throw Self.refusal(property, "must be in the form CONTROLLER.PARAMETER")
            }
            guard controller != "cgroup" || Self.coreLimits.contains(file) else {
                throw Self.refusal(property, "is no limit: it moves, ends or divides what is in the cgroup")
            }
            write(String(controller), file, value, for: property)
        }
        // One directory for all controllers.
        extraControllers = []
    }

    /// What of `cgroup.…` limits the container; `cgroup.procs`, `cgroup.kill`, `cgroup.subtree_control` and the like are
    /// the runtime's own means.
    private static let coreLimits: Set<String> = ["cgroup.max.depth", "cgroup.max.descendants", "cgroup.pressure"]

    /// No kernel has a file with other signs in its name; a zero byte would end it for the kernel, not for this program.
    private static func isFileName(_ name: String) -> Bool {
        name.utf8.allSatisfy { byte in
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95: true
            default: false
            }
        }
    }

    private mutating func planUnified(_ memory: LinuxMemory) throws(RuntimeError) {
        warnOfKernelMemory(memory)
        if let swappiness = memory.swappiness, swappiness != .max {
            throw Self.refusal("memory.swappiness", "cgroup v2 has none")
        }
        if memory.disableOOMKiller == true {
            throw Self.refusal("memory.disableOOMKiller", "cgroup v2 cannot do without the OOM killer")
        }
        let limit = memory.limitBytes ?? 0
        if let swap = try Self.swapAlone(limit: limit, both: memory.swapBytes ?? 0) {
            // On a machine without swap there is none to be limited.
            write("memory", "memory.swap.max", swap, for: "memory.swap", isOptional: swap == "max" || swap == "0")
        }
        if limit != 0 { write("memory", "memory.max", limit == -1 ? "max" : String(limit), for: "memory.limit") }
        if let reservation = memory.reservationBytes, reservation != 0 {
            write("memory", "memory.low", reservation == -1 ? "max" : String(reservation), for: "memory.reservation")
        }
    }

    /// Version 1 counts memory and swap together, version 2 swap alone. Nil leaves it as it is.
    private static func swapAlone(limit: Int64, both: Int64) throws(RuntimeError) -> String? {
        switch (limit, both) {
        case (-1, 0), (_, -1): return "max"
        case (_, 0): return nil
        case (0, _), (-1, _): throw refusal("memory.swap", "unable to set swap limit without memory limit")
        case (..<0, _), (_, ..<0): throw refusal("memory.swap", "invalid memory or swap value")
        default:
            guard both >= limit else { throw refusal("memory.swap", "memory+swap limit should be >= memory limit") }
            return String(both - limit)
        }
    }

    private mutating func planUnified(_ cpu: LinuxCPU) throws(RuntimeError) {
        if cpu.realtimeRuntimeMicroseconds.nonZero != nil || cpu.realtimePeriodMicroseconds.nonZero != nil {
            throw Self.refusal("cpu.realtimeRuntime", "cgroup v2 has no realtime limits")
        }
        if let shares = cpu.shares, shares != 0 {
            write("cpu", "cpu.weight", Self.weight(ofShares: shares), for: "cpu.shares")
        }
        // A group that is idle has a fixed weight: shares first, or they are refused.
        write("cpu", "cpu.idle", cpu.idle, for: "cpu.idle")
        let quota = cpu.quotaMicroseconds ?? 0
        let period = cpu.periodMicroseconds ?? 0
        if quota != 0 || period != 0 {
            let text = quota > 0 ? String(quota) : "max"
            write("cpu", "cpu.max", "\(text) \(period != 0 ? period : 100_000)", for: "cpu.quota")
        }
        write("cpu", "cpu.max.burst", cpu.burstMicroseconds, for: "cpu.burst")
        planCpuset(cpu)
    }

    /// 2…262144 of version 1 become 1…10000, as systemd and others convert them.
    static func weight(ofShares shares: UInt64) -> UInt64 {
        1 + (min(max(shares, 2), 262_144) - 2) * 9999 / 262_142
    }

    /// 10…1000 of version 1 become 1…10000.
    static func weight(ofBlockWeight weight: UInt16) -> UInt64 { 1 + (max(10, UInt64(weight)) - 10) * 9999 / 990 }

    private mutating func planUnified(_ io: LinuxBlockIO) throws(RuntimeError) {
        let leaves = io.weightDevice.contains { $0.leafWeight.nonZero != nil }
        guard io.leafWeight.nonZero == nil, !leaves else {
            throw Self.refusal("blockIO.leafWeight", "cgroup v2 has none")
        }
        if let weight = io.weight, weight != 0 {
            let line = Write.Line(file: "io.weight", value: String(Self.weight(ofBlockWeight: weight)))
            write("io", "io.bfq.weight", weight, for: "blockIO.weight", instead: line)
        }
        for (index, device) in io.weightDevice.enumerated() {
            guard let weight = device.weight else { continue }
            let number = "\(device.major):\(device.minor)"
            let line = Write.Line(file: "io.weight", value: "\(number) \(Self.weight(ofBlockWeight: weight))")
            write("io", "io.bfq.weight", "\(number) \(weight)", for: "blockIO.weightDevice[\(index)]", instead: line)
        }
        let lists = [
            ("rbps", "throttleReadBpsDevice", io.throttleReadBytesPerSecond),
            ("wbps", "throttleWriteBpsDevice", io.throttleWriteBytesPerSecond),
            ("riops", "throttleReadIOPSDevice", io.throttleReadOperationsPerSecond),
            ("wiops", "throttleWriteIOPSDevice", io.throttleWriteOperationsPerSecond),
        ]
        for (key, property, devices) in lists {
            for (index, device) in devices.enumerated() {
                let line = "\(device.major):\(device.minor) \(key)=\(device.ratePerSecond)"
                write("io", "io.max", line, for: "blockIO.\(property)[\(index)]")
            }
        }
    }

    mutating func planUnifiedHugepages(_ limits: [LinuxHugepageLimit]) throws(RuntimeError) {
        for (index, limit) in limits.enumerated() {
            let property = "hugepageLimits[\(index)]"
            try Self.checkSize(of: limit, property)
            write("hugetlb", "hugetlb.\(limit.pageSize).max", limit.limitBytes, for: property)
            // Reservations have a limit of their own since Linux 5.7.
            write("hugetlb", "hugetlb.\(limit.pageSize).rsvd.max", limit.limitBytes, for: property, isOptional: true)
        }
    }
}
