/// What the graphs keep of a second. A few bytes, where a `StatsPoint` has more than a hundred: a list that is sorted by a
/// figure samples a thousand containers, and each has minutes of these.
struct GraphPoint: Hashable, Sendable {
    /// Negative for none, as no figure is.
    private let cpu: Float
    private let block: Float
    private let network: Float
    private let memory: Float
    private let processes: Float
    private let kills: UInt16
    /// The cgroup was held back for want of quota.
    let isThrottled: Bool

    init(_ point: StatsPoint) {
        cpu = point.cpuPercent.map(Float.init) ?? -1
        block = point.blockBytesPerSecond.map(Float.init) ?? -1
        network = point.networkBytesPerSecond.map(Float.init) ?? -1
        memory = Float(point.memoryBytes)
        processes = Float(point.pids)
        kills = UInt16(clamping: point.outOfMemoryKills)
        isThrottled = point.throttledPeriods > 0
    }

    var cpuPercent: Double? { Self.figure(cpu) }
    /// Read and written together.
    var blockBytesPerSecond: Double? { Self.figure(block) }
    /// Received and sent together.
    var networkBytesPerSecond: Double? { Self.figure(network) }
    var memoryBytes: Double { Double(memory) }
    var pids: Double { Double(processes) }
    var outOfMemoryKills: UInt64 { UInt64(kills) }

    private static func figure(_ value: Float) -> Double? { value < 0 ? nil : Double(value) }
}
