import EngineAPI

/// A file of a cgroup and what its text says of a container.
struct CounterFile: Sendable {
    /// The controller whose version 1 hierarchy has the file.
    let controller: String
    let name: String
    let apply: @Sendable (StatText, inout ContainerStats) -> Void

    /// Version 1: kernel.org, admin-guide/cgroup-v1. A table.
    static let legacy: [CounterFile] = [
        CounterFile(controller: "cpuacct", name: "cpuacct.usage") { $1.cpuNanoseconds = $0.number ?? 0 },
        CounterFile(controller: "cpuacct", name: "cpuacct.stat") {
            $1.cpuUserNanoseconds = ClockTicks.nanoseconds($0.value(of: "user") ?? 0)
            $1.cpuSystemNanoseconds = ClockTicks.nanoseconds($0.value(of: "system") ?? 0)
        },
        CounterFile(controller: "cpuacct", name: "cpuacct.usage_percpu") { $1.perCPUNanoseconds = $0.numbers },
        CounterFile(controller: "cpu", name: "cpu.stat") {
            $1.throttledPeriods = $0.value(of: "nr_throttled") ?? 0
            $1.throttledNanoseconds = $0.value(of: "throttled_time") ?? 0
        },
        CounterFile(controller: "memory", name: "memory.usage_in_bytes") { $1.memoryTotalBytes = $0.number ?? 0 },
        CounterFile(controller: "memory", name: "memory.max_usage_in_bytes") { $1.memoryPeakBytes = $0.number ?? 0 },
        CounterFile(controller: "memory", name: "memory.failcnt") { $1.memoryLimitHits = $0.number ?? 0 },
        CounterFile(controller: "memory", name: "memory.stat") {
            $1.memoryCounters = $0.counters
            $1.memoryInactiveFileBytes = $1.memoryCounters["total_inactive_file"] ?? 0
            // Of this cgroup and those above it; near 2⁶³ where none has a limit.
            limit($1.memoryLimitBytes, to: $1.memoryCounters["hierarchical_memory_limit"], &$1)
        },
        CounterFile(controller: "memory", name: "memory.oom_control") {
            $1.outOfMemoryKills = $0.value(of: "oom_kill") ?? 0
        },
        CounterFile(controller: "pids", name: "pids.current") { $1.pids = $0.number ?? 0 },
        CounterFile(controller: "pids", name: "pids.max") { $1.pidsLimit = $0.number },
        CounterFile(controller: "blkio", name: "blkio.throttle.io_service_bytes_recursive") {
            addServiceBytes($0, &$1)
        },
    ]

    /// Version 2: kernel.org, admin-guide/cgroup-v2. A table.
    static let unified: [CounterFile] = [
        CounterFile(controller: "cpu", name: "cpu.stat") {
            $1.cpuNanoseconds = ($0.value(of: "usage_usec") ?? 0) &* 1000
            $1.cpuUserNanoseconds = ($0.value(of: "user_usec") ?? 0) &* 1000
            $1.cpuSystemNanoseconds = ($0.value(of: "system_usec") ?? 0) &* 1000
            $1.throttledPeriods = $0.value(of: "nr_throttled") ?? 0
            $1.throttledNanoseconds = ($0.value(of: "throttled_usec") ?? 0) &* 1000
        },
        CounterFile(controller: "memory", name: "memory.current") { $1.memoryTotalBytes = $0.number ?? 0 },
        CounterFile(controller: "memory", name: "memory.stat") {
            $1.memoryCounters = $0.counters
            $1.memoryInactiveFileBytes = $1.memoryCounters["inactive_file"] ?? 0
        },
        CounterFile(controller: "memory", name: "memory.max") { limit($1.memoryLimitBytes, to: $0.number, &$1) },
        CounterFile(controller: "memory", name: "memory.events") {
            $1.outOfMemoryKills = $0.value(of: "oom_kill") ?? 0
        },
        CounterFile(controller: "pids", name: "pids.current") { $1.pids = $0.number ?? 0 },
        CounterFile(controller: "pids", name: "pids.max") { $1.pidsLimit = $0.number },
        CounterFile(controller: "io", name: "io.stat") { addDeviceBytes($0, &$1) },
    ]

    private static func limit(_ host: UInt64, to limit: UInt64?, _ stats: inout ContainerStats) {
        stats.memoryLimitBytes = min(host, limit ?? host)
    }

    /// Lines of `major:minor Read bytes`, one an operation; a line `Total bytes` at the end.
    private static func addServiceBytes(_ text: StatText, _ stats: inout ContainerStats) {
        text.forEachLine { line in
            var fields = line
            // The colon between major and minor parts words too.
            guard fields.nextNumber() != nil, fields.nextNumber() != nil, let operation = fields.next(),
                let bytes = fields.nextNumber()
            else { return }
            if StatText.equals(operation, "read") { stats.blockReadBytes &+= bytes }
            if StatText.equals(operation, "write") { stats.blockWriteBytes &+= bytes }
        }
    }

    /// Lines of `major:minor rbytes=1 wbytes=2 rios=…`, one a device.
    private static func addDeviceBytes(_ text: StatText, _ stats: inout ContainerStats) {
        text.forEachLine { line in
            var fields = line
            guard fields.next() != nil, fields.next() != nil else { return }
            while let name = fields.next(), let value = fields.nextNumber() {
                if StatText.equals(name, "rbytes") { stats.blockReadBytes &+= value }
                if StatText.equals(name, "wbytes") { stats.blockWriteBytes &+= value }
            }
        }
    }
}
