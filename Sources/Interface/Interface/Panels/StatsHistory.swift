import EngineAPI

/// What one second of a container's cgroup came to.
struct StatsPoint: Hashable, Sendable {
    var time: Timestamp
    /// Per cent of one core; nil where no sample came before.
    var cpuPercent: Double?
    var memoryBytes: UInt64 = 0
    var memoryLimitBytes: UInt64 = 0
    var readBytesPerSecond: Double?
    var writeBytesPerSecond: Double?
    /// Of all devices together; nil where there are none, or no sample came before.
    var receivedBytesPerSecond: Double?
    var sentBytesPerSecond: Double?
    var pids: UInt64 = 0
    var pidsLimit: UInt64?
    /// The cgroup was held back for want of quota since the sample before.
    var throttledPeriods: UInt64 = 0
    /// Processes killed for want of memory since the sample before.
    var outOfMemoryKills: UInt64 = 0
}

/// The last minutes of one container, bounded.
struct StatsHistory: Hashable, Sendable {
    static let capacity = 600

    /// The oldest first.
    private(set) var points: [GraphPoint] = []
    private(set) var latest: StatsPoint?
    private var last: ContainerStats?
    /// Of the last second, by device.
    private(set) var networkRates: [String: NetworkRate] = [:]

    mutating func add(_ sample: ContainerStats) {
        let earlier = last.flatMap { $0.time < sample.time ? $0 : nil }
        guard last.map({ $0.time < sample.time }) ?? true else { return }
        networkRates = earlier.map { NetworkRate.rates(sample, since: $0) } ?? [:]
        var point = StatsPoint(sample, since: earlier)
        if !networkRates.isEmpty {
            let sum = networkRates.values.reduce(NetworkRate()) { $0 + $1 }
            (point.receivedBytesPerSecond, point.sentBytesPerSecond) = (sum.receivedBytes, sum.sentBytes)
        }
        points.append(GraphPoint(point))
        (latest, last) = (point, sample)
        // A block at a time, so that not each sample moves all the others.
        if points.count > Self.capacity + 60 { points.removeFirst(points.count - Self.capacity) }
    }
}

extension StatsPoint {
    /// Read and written together.
    var blockBytesPerSecond: Double? { readBytesPerSecond.map { $0 + (writeBytesPerSecond ?? 0) } }

    /// Received and sent together.
    var networkBytesPerSecond: Double? { receivedBytesPerSecond.map { $0 + (sentBytesPerSecond ?? 0) } }

    init(_ sample: ContainerStats, since earlier: ContainerStats?) {
        self.init(time: sample.time)
        memoryBytes = sample.memoryUsedBytes
        memoryLimitBytes = sample.memoryLimitBytes
        pids = sample.pids
        pidsLimit = sample.pidsLimit
        guard let earlier else { return }
        let seconds = Double(sample.time.nanoseconds(since: earlier.time)) / 1e9
        cpuPercent = sample.cpuPercent(since: earlier)
        // Counters that went back belong to a new start of the container.
        guard seconds > 0, sample.cpuNanoseconds >= earlier.cpuNanoseconds else { return }
        readBytesPerSecond = Self.rate(earlier.blockReadBytes, sample.blockReadBytes, seconds)
        writeBytesPerSecond = Self.rate(earlier.blockWriteBytes, sample.blockWriteBytes, seconds)
        throttledPeriods = Self.growth(earlier.throttledPeriods, sample.throttledPeriods)
        outOfMemoryKills = Self.growth(earlier.outOfMemoryKills, sample.outOfMemoryKills)
    }

    private static func rate(_ before: UInt64, _ after: UInt64, _ seconds: Double) -> Double {
        Double(growth(before, after)) / seconds
    }

    private static func growth(_ before: UInt64, _ after: UInt64) -> UInt64 { after > before ? after - before : 0 }
}
