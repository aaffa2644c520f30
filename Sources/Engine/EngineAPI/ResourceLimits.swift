/// Limits of a container's cgroup; nil is unlimited, or as the kernel has it.
public struct ResourceLimits: Hashable, Sendable, Codable {
    public var memoryBytes: Int64?
    public var memoryReservationBytes: Int64?
    /// Memory and swap together; -1 for unlimited swap.
    public var memorySwapBytes: Int64?
    /// How readily the kernel swaps, 0 to 100; version 1 of cgroups alone.
    public var memorySwappiness: Int64?
    /// Let processes wait for memory instead of killing them; version 1 of cgroups alone.
    public var oomKillDisabled: Bool?
    /// 1,000,000,000 is one core.
    public var nanoCPUs: Int64?
    public var cpuShares: Int64?
    public var cpuPeriodMicroseconds: Int64?
    public var cpuQuotaMicroseconds: Int64?
    public var cpuRealtimePeriodMicroseconds: Int64?
    public var cpuRealtimeRuntimeMicroseconds: Int64?
    /// `0-2,4`
    public var cpusetCPUs: String?
    public var cpusetMemoryNodes: String?
    /// -1: unlimited, said expressly.
    public var pids: Int64?
    /// 10 to 1000, against other cgroups.
    public var blockIOWeight: Int64?
    public var blockIODeviceWeights: [DeviceRate]?
    public var blockIOReadBytesPerSecond: [DeviceRate]?
    public var blockIOWriteBytesPerSecond: [DeviceRate]?
    public var blockIOReadsPerSecond: [DeviceRate]?
    public var blockIOWritesPerSecond: [DeviceRate]?

    public init() {}
}

/// A weight or a rate for one block device of the host.
public struct DeviceRate: Hashable, Sendable, Codable {
    /// The device's node: `/dev/sda`.
    public var path: String
    public var rate: UInt64

    public init(path: String, rate: UInt64) {
        self.path = path
        self.rate = rate
    }
}
