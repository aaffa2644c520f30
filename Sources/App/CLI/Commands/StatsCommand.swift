import EngineAPI
import Linux

struct StatsCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Show what containers use, once a second.")
    @Flag("no-stream", help: "One table, then end.") var noStream = false
    @Flag("a|all", help: "Those that do not run too.") var all = false
    @Flag("no-trunc", help: "Do not shorten ids.") var noTrunc = false
    @Option("format", help: "table, json, or a template such as '{{.Name}} {{.CPUPerc}}'.") var format: String?
    @Argument("CONTAINER") var containers: [String] = []

    func run() async throws {
        let engine = try await CommandEnvironment.connect()
        var names = containers.isEmpty ? try await listed(engine) : containers
        var earlier: [String: ContainerStats] = [:]
        while let others = try await show(names, of: engine, &earlier) { names = others }
    }

    private func listed(_ engine: any Engine) async throws -> [String] {
        try await engine.containers(ContainerFilter(all: all)).map(\.id)
    }

    /// Shows what these use, until there are others to be shown: those are given; nil at the end.
    private func show(
        _ names: [String], of engine: any Engine, _ earlier: inout [String: ContainerStats]
    ) async throws -> [String]? {
        let stream: EngineStream<[ContainerStats]>
        do throws(EngineError) { stream = try await engine.stats(names, every: .seconds(1)) } catch {
            guard containers.isEmpty, error.kind == .notFound else { throw error }
            // Removed since it was listed.
            return try await listed(engine)
        }
        // Two samples make a rate: the first array only begins it, for those that are new.
        var isFirst = true
        for try await samples in stream {
            if isFirst, !samples.isEmpty {
                for sample in samples where earlier[sample.id] == nil { earlier[sample.id] = sample }
                isFirst = false
                continue
            }
            isFirst = false
            guard try show(samples, earlier), !noStream else { return nil }
            earlier = Dictionary(samples.map { ($0.id, $0) }) { first, _ in first }
            guard containers.isEmpty else { continue }
            let others = try await listed(engine)
            if others != names { return others }
        }
        return nil
    }

    /// False where nobody looks any more.
    private func show(_ samples: [ContainerStats], _ earlier: [String: ContainerStats]) throws -> Bool {
        let listing = Listing(
            columns: [
                ("Container", "CONTAINER"), ("ID", "CONTAINER ID"), ("Name", "NAME"), ("CPUPerc", "CPU %"),
                ("MemUsage", "MEM USAGE / LIMIT"), ("MemPerc", "MEM %"), ("NetIO", "NET I/O"),
                ("BlockIO", "BLOCK I/O"), ("PIDs", "PIDS"),
            ], rows: samples.map { row($0, earlier[$0.id]) })
        let text = try listing.text(
            format: format, usual: ["ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs"])
        // Home and clear, as a screen that is looked at; as plain tables where it is piped.
        return Console.offer((!noStream && format == nil && Console.outputIsTerminal ? "\u{1B}[2J\u{1B}[H" : "") + text)
    }

    private func row(_ sample: ContainerStats, _ earlier: ContainerStats?) -> [String: String] {
        let used = sample.memoryUsedBytes
        let received = sample.networks.values.saturatedSum { $0.receivedBytes }
        let sent = sample.networks.values.saturatedSum { $0.sentBytes }
        let share = sample.memoryLimitBytes > 0 ? Double(used) / Double(sample.memoryLimitBytes) * 100 : 0
        return [
            "Container": sample.id.shortID, "ID": noTrunc ? sample.id : sample.id.shortID, "Name": sample.name,
            "CPUPerc": Units.percent(earlier.flatMap { sample.cpuPercent(since: $0) }),
            "MemUsage": "\(Units.binary(used)) / \(Units.binary(sample.memoryLimitBytes))",
            "MemPerc": Units.percent(share),
            "NetIO": "\(Units.decimal(Int64(clamping: received))) / \(Units.decimal(Int64(clamping: sent)))",
            "BlockIO": Units.decimal(Int64(clamping: sample.blockReadBytes)) + " / "
                + Units.decimal(Int64(clamping: sample.blockWriteBytes)),
            "PIDs": String(sample.pids),
        ]
    }
}
