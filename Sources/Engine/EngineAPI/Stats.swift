/// One sample of a container's cgroup. Counters only grow while the container runs; rates are the reader's to compute
/// from two samples.
public struct ContainerStats: Hashable, Sendable {
    public var id: String
    public var name: String
    public var time: Timestamp
    /// CPU time used by all processes.
    public var cpuNanoseconds: UInt64 = 0
    public var cpuUserNanoseconds: UInt64 = 0
    public var cpuSystemNanoseconds: UInt64 = 0
    /// CPU time of the whole host, all cores, for docker's percentage.
    public var hostCPUNanoseconds: UInt64 = 0
    public var onlineCPUs: Int = 1
    /// CPU time by processor, also of those that are not online; empty where the kernel does not say (cgroup v2).
    public var perCPUNanoseconds: [UInt64] = []
    public var throttledPeriods: UInt64 = 0
    public var throttledNanoseconds: UInt64 = 0
    /// Charged to the cgroup, page cache included.
    public var memoryTotalBytes: UInt64 = 0
    /// Page cache that can go without loss: `inactive_file` (v2), `total_inactive_file` (v1).
    public var memoryInactiveFileBytes: UInt64 = 0
    /// The limit, or the host's memory where there is none.
    public var memoryLimitBytes: UInt64 = 0
    /// The most that was ever charged; 0 where the kernel does not say (cgroup v2).
    public var memoryPeakBytes: UInt64 = 0
    /// How often the limit was run into; cgroup v1.
    public var memoryLimitHits: UInt64 = 0
    /// `memory.stat` by the kernel's names, which differ between v1 and v2.
    public var memoryCounters: [String: UInt64] = [:]
    public var pids: UInt64 = 0
    public var pidsLimit: UInt64?
    public var blockReadBytes: UInt64 = 0
    public var blockWriteBytes: UInt64 = 0
    public var networks: [String: NetworkStats] = [:]
    public var outOfMemoryKills: UInt64 = 0

    public init(id: String, name: String, time: Timestamp) {
        self.id = id
        self.name = name
        self.time = time
    }

    /// Memory as docker's CLI counts it: without the page cache that can go.
    public var memoryUsedBytes: UInt64 {
        memoryInactiveFileBytes < memoryTotalBytes ? memoryTotalBytes - memoryInactiveFileBytes : memoryTotalBytes
    }

    /// CPU since an earlier sample of the same container in per cent of one core, as docker's CLI counts it; nil where
    /// the samples do not follow one another.
    public func cpuPercent(since earlier: ContainerStats) -> Double? {
        let elapsed = time.nanoseconds(since: earlier.time)
        guard elapsed > 0, cpuNanoseconds >= earlier.cpuNanoseconds else { return nil }
        return Double(cpuNanoseconds - earlier.cpuNanoseconds) / Double(elapsed) * 100
    }
}

/// Counters of one network interface in the container.
public struct NetworkStats: Hashable, Sendable {
    public var receivedBytes: UInt64 = 0
    public var receivedPackets: UInt64 = 0
    public var sentBytes: UInt64 = 0
    public var sentPackets: UInt64 = 0

    public init() {}
}
