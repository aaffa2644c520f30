import EngineAPI
import Terminal

/// Figures of the containers' cgroups over time.
struct StatsPanel {
    /// By container id; bounded by the number of containers there are.
    private(set) var histories: [String: StatsHistory] = [:]
    /// All that is known of the selected container while it does not run: why that is so.
    var stopped: ContainerDetails?

    /// What was last asked for: the container, and which of its ends.
    var askedStop: Stop?

    struct Stop: Hashable, Sendable {
        private let id: String
        private let status: ContainerStatus
        private let finishedAt: Timestamp?

        init(_ container: ContainerSummary) {
            (id, status, finishedAt) = (container.id, container.state.status, container.state.finishedAt)
        }
    }

    mutating func add(_ samples: [ContainerStats]) {
        for sample in samples { histories[sample.id, default: StatsHistory()].add(sample) }
    }

    /// Forgets containers that are gone.
    mutating func keep(where isThere: (String) -> Bool) { histories = histories.filter { isThere($0.key) } }
}

/// One graph of the panel: its values and the words beside them.
struct StatsSeries {
    var label: String
    var value: String
    var note: String
    var values: [Double?]
    var maximum: Double
    var role: Role
    /// What is wrong; where there is little room, it stands in place of the note.
    var alert = ""
    /// The maximum in words.
    var top = ""
    /// Which values are marked, oldest first.
    var marks: [Bool] = []

    // A table of the graphs, the one most easily spared last: the processes are counted elsewhere, too.
    static func all(of history: StatsHistory, at point: StatsPoint) -> [StatsSeries] {
        let points = history.points
        let memory = points.map(\.memoryBytes)
        let isLimited = point.memoryLimitBytes > 0
        let share = isLimited ? Double(point.memoryBytes) / Double(point.memoryLimitBytes) * 100 : 0
        let io = points.map(\.blockBytesPerSecond)
        let throttled = point.throttledPeriods > 0 ? "throttled" : ""
        let kills = points.saturatedSum { $0.outOfMemoryKills }
        let cpuTop = Graph.scale(points.compactMap(\.cpuPercent), floor: 25)
        let memoryScale = Graph.scale(memory, floor: 1_048_576)
        let ioTop = Graph.scale(io.compactMap { $0 }, floor: 65536)
        let net = points.map(\.networkBytesPerSecond)
        let netTop = Graph.scale(net.compactMap { $0 }, floor: 65536)
        let pids = points.map(\.pids)
        let pidsTop = Graph.scale(pids, floor: 8)
        return [
            StatsSeries(
                label: "cpu", value: Quantity.percent(point.cpuPercent), note: "100% = one core",
                values: points.map(\.cpuPercent), maximum: cpuTop, role: .graphCPU, alert: throttled,
                top: "↥\(Quantity.whole(cpuTop))%",
                marks: points.map(\.isThrottled)),
            StatsSeries(
                label: "mem", value: Quantity.bytes(point.memoryBytes),
                note: "of \(Quantity.bytes(point.memoryLimitBytes)) \(Quantity.percent(share))",
                values: memory, maximum: memoryScale, role: .graphMemory,
                alert: kills > 0 ? "OOM kills: \(kills)" : "",
                top: "↥\(Quantity.bytes(memoryScale))", marks: points.map { $0.outOfMemoryKills > 0 }),
            StatsSeries(
                label: "io", value: "r \(Quantity.rate(point.readBytesPerSecond))",
                note: "w \(Quantity.rate(point.writeBytesPerSecond))", values: io, maximum: ioTop, role: .graphIO,
                top: "↥\(Quantity.rate(ioTop))"),
            StatsSeries(
                label: "net", value: "in \(Quantity.rate(point.receivedBytesPerSecond))",
                note: "out \(Quantity.rate(point.sentBytesPerSecond))", values: net, maximum: netTop,
                role: .graphIO, top: "↥\(Quantity.rate(netTop))"),
            StatsSeries(
                label: "pids", value: "\(point.pids)", note: point.pidsLimit.map { "of \($0)" } ?? "no limit",
                values: pids, maximum: pidsTop, role: .graphPids, top: "↥\(Quantity.whole(pidsTop))"),
        ]
    }
}
