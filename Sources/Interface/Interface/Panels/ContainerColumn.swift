import EngineAPI
import Terminal

/// A column of the container list.
struct ContainerColumn {
    enum Kind: String, CaseIterable, Hashable, Sendable {
        case state, name, image, age, cpu, memory, pids, ports, address, id, command
    }

    var kind: Kind
    var title: String
    var columns: Int
    var isRight = false

    /// Those that fit into `width`, the most useful ones first to come and last to go; what is left goes to the names.
    ///
    /// - Parameters:
    ///   - choices: those that are there in any case, or in none.
    ///   - longestName: what the names need: those of a project often differ at their ends alone.
    static func fitting(
        _ width: Int, _ choices: [Kind: Bool] = [:], longestName: Int = 0
    ) -> [ContainerColumn] {
        var chosen: [ContainerColumn] = [ContainerColumn(kind: .state, title: "  STATE", columns: width < 60 ? 3 : 11)]
        let optional: [(least: Int, ContainerColumn)] = [
            (0, ContainerColumn(kind: .name, title: "NAME", columns: 12)),
            (60, ContainerColumn(kind: .image, title: "IMAGE", columns: 16)),
            (36, ContainerColumn(kind: .age, title: "AGE", columns: 4, isRight: true)),
            (30, ContainerColumn(kind: .cpu, title: "CPU%", columns: 6, isRight: true)),
            (38, ContainerColumn(kind: .memory, title: "MEM", columns: 6, isRight: true)),
            (48, ContainerColumn(kind: .pids, title: "PIDS", columns: 5, isRight: true)),
            (112, ContainerColumn(kind: .ports, title: "PORTS", columns: 14)),
            (140, ContainerColumn(kind: .id, title: "ID", columns: 12)),
            (158, ContainerColumn(kind: .address, title: "ADDRESS", columns: 15)),
            (126, ContainerColumn(kind: .command, title: "COMMAND", columns: 16)),
        ]
        chosen += optional.filter { choices[$0.1.kind] ?? (width >= $0.least) }.map(\.1)
        let used = chosen.reduce(0) { $0 + $1.columns + 1 } - 1
        var spare = max(0, width - used)
        for kind in [ContainerColumn.Kind.name, .image, .command] {
            guard let index = chosen.firstIndex(where: { $0.kind == kind }) else { continue }
            let wish =
                switch kind {
                case .command: spare
                case .name: max(8, spare / 2, longestName - chosen[index].columns)
                default: 24
                }
            let more = min(spare, wish)
            chosen[index].columns += more
            spare -= more
        }
        return chosen
    }
}

extension Model {
    /// As they stand in a list of this width. In steps, so that they do not move with each container that comes or goes.
    func containerColumns(_ width: Int) -> [ContainerColumn] {
        let longest = (containers.longestName + 3) / 4 * 4
        return ContainerColumn.fitting(width, containers.columns, longestName: longest)
    }
}

extension ContainerLine {
    var nameColumns: Int {
        switch self {
        case .project(let project): TextWidth.columns(of: project.name)
        case .container(let container, let isMember): TextWidth.columns(of: container.name) + (isMember ? 2 : 0)
        }
    }
}
