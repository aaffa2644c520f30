import EngineAPI
import Terminal

/// What is told of a compose project as a whole, in place of one container's figures.
struct ProjectReport {
    private(set) var lines: [(text: String, role: Role)] = []

    init(_ project: ProjectLine, _ figures: [String: StatsHistory]) {
        let members = project.members
        let states = Dictionary(grouping: members) { Self.word($0.state) }.mapValues(\.count)
        let isWell = members.allSatisfy { $0.state.isAlive && !$0.state.isSick }
        add(
            "", states.sorted { (-$0.value, $0.key) < (-$1.value, $1.key) }.map { "\($0.value) \($0.key)" }, " · ",
            isWell ? .stateRunning : .text)
        let points = members.filter(\.state.isAlive).compactMap { figures[$0.id]?.latest }
        if !points.isEmpty {
            let cpu = Quantity.percent(points.compactMap(\.cpuPercent).reduce(0, +))
            let memory = Quantity.shortBytes(points.saturatedSum { $0.memoryBytes })
            add("", ["cpu \(cpu)", "mem \(memory)", "pids \(points.saturatedSum { $0.pids })"], "  ", .text)
        }
        add("services: ", members.compactMap { $0.composeLabel("service") }, " ", .text)
        add("ports: ", members.map(\.portText).filter { !$0.isEmpty }, " ", .text)
        add("directory: ", members.compactMap { $0.composeLabel("project.working_dir") }, " ", .muted)
        add("files: ", members.compactMap { $0.composeLabel("project.config_files") }, " ", .muted)
    }

    private mutating func add(_ lead: String, _ parts: [String], _ separator: String, _ role: Role) {
        var seen: Set<String> = []
        let parts = parts.filter { seen.insert($0).inserted }
        if !parts.isEmpty { lines.append((lead + parts.joined(separator: separator), role)) }
    }

    private static func word(_ state: ContainerState) -> String {
        if state.isSick { return "unhealthy" }
        guard state.status == .exited else { return state.status.rawValue }
        return state.oomKilled ? "out of memory" : "exited \(state.exitCode)"
    }
}

extension ContainerSummary {
    /// What docker's compose says of it; nil where that is nothing.
    fileprivate func composeLabel(_ name: String) -> String? {
        labels["com.docker.compose.\(name)"].flatMap { $0.isEmpty ? nil : $0 }
    }
}

extension Canvas {
    mutating func draw(_ report: ProjectReport, in region: Region) {
        var rest = region.inset(columns: 1, rows: 0)
        for line in report.lines {
            for text in TextWrap.lines(of: line.text, columns: rest.columns, limit: rest.rows) {
                put(text, line.role, in: rest.takeTop(1))
            }
        }
    }
}
