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

    /// A container that is shown, with what the user calls it.
    private struct Shown: Hashable {
        let container: String
        let id: String
        let name: String
    }

    func run() async throws {
        let engine = try await CommandEnvironment.connect()
        var shown = containers.isEmpty ? try await listed(engine) : try await asked(engine)
        var earlier: [String: ContainerStats] = [:]
        while let others = try await show(shown, of: engine, &earlier) { shown = others }
    }

    private func listed(_ engine: any Engine) async throws(EngineError) -> [Shown] {
        try await engine.containers(ContainerFilter(all: all)).map {
            Shown(container: $0.id.shortID, id: $0.id, name: $0.name)
        }
    }

    private func asked(_ engine: any Engine) async throws(EngineError) -> [Shown] {
        var shown: [Shown] = []
        for reference in containers {
            let details = try await engine.inspect(reference)
            shown.append(Shown(container: reference, id: details.id, name: details.name))
        }
        return shown
    }

    /// Shows what these use, until there are others to be shown: those are given; nil at the end.
    private func show(
        _ shown: [Shown], of engine: any Engine, _ earlier: inout [String: ContainerStats]
    ) async throws -> [Shown]? {
        let stream: EngineStream<[ContainerStats]>
        do throws(EngineError) { stream = try await engine.stats(shown.map(\.id), every: .seconds(1)) } catch {
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
            let known = Dictionary(samples.map { ($0.id, $0) }) { first, _ in first }
            guard try show(shown.map { row($0, known[$0.id], earlier[$0.id]) }), !noStream else { return nil }
            earlier = known
            guard containers.isEmpty else { continue }
            let others = try await listed(engine)
            if others != shown { return others }
        }
        return nil
    }

    /// False where nobody looks any more.
    private func show(_ rows: [[String: String]]) throws -> Bool {
        let listing = Listing(
            columns: [
                ("Container", "CONTAINER"), ("ID", "CONTAINER ID"), ("Name", "NAME"), ("CPUPerc", "CPU %"),
                ("MemUsage", "MEM USAGE / LIMIT"), ("MemPerc", "MEM %"), ("NetIO", "NET I/O"),
                ("BlockIO", "BLOCK I/O"), ("PIDs", "PIDS"),
            ], rows: rows)
        let text = try listing.text(
            format: format, usual: ["ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs"])
        // Home and clear, as a screen that is looked at; as plain tables where it is piped.
        return Console.offer((!noStream && format == nil && Console.outputIsTerminal ? "\u{1B}[2J\u{1B}[H" : "") + text)
    }

    /// One that does not run uses nothing.
    private func row(_ shown: Shown, _ sample: ContainerStats?, _ earlier: ContainerStats?) -> [String: String] {
        var row =
            sample.map { figures($0, earlier) } ?? [
                "CPUPerc": Units.percent(0), "MemUsage": "0B / 0B", "MemPerc": Units.percent(0), "NetIO": "0B / 0B",
                "BlockIO": "0B / 0B", "PIDs": "0",
            ]
        row["Container"] = shown.container
        row["ID"] = noTrunc ? shown.id : shown.id.shortID
        row["Name"] = shown.name
        return row
    }

    private func figures(_ sample: ContainerStats, _ earlier: ContainerStats?) -> [String: String] {
        let used = sample.memoryUsedBytes
        let received = sample.networks.values.saturatedSum { $0.receivedBytes }
        let sent = sample.networks.values.saturatedSum { $0.sentBytes }
        let share = sample.memoryLimitBytes > 0 ? Double(used) / Double(sample.memoryLimitBytes) * 100 : 0
        return [
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
