import EngineAPI

/// A line of the container list: a container, or the compose project that the lines below it belong to.
enum ContainerLine: Hashable, Sendable {
    case project(ProjectLine)
    case container(ContainerSummary, isMember: Bool)

    /// What the list's cursor knows it by.
    var id: String {
        switch self {
        case .project(let project): project.id
        case .container(let container, _): container.id
        }
    }

    /// The containers that what is asked of the line is asked of.
    var containers: [ContainerSummary] {
        switch self {
        case .project(let project): project.members
        case .container(let container, _): [container]
        }
    }
}

/// A compose project: the containers that carry its name.
struct ProjectLine: Hashable, Sendable {
    let name: String
    /// Those of its containers that pass the filter.
    var members: [ContainerSummary]
    var isFolded: Bool

    static func id(_ name: String) -> String { "project/\(name)" }

    var id: String { Self.id(name) }
    var runningCount: Int { members.count { $0.state.isAlive } }
}

extension ContainerSummary {
    /// The compose project that it is part of; nil for none.
    var project: String? { labels["com.docker.compose.project"].flatMap { $0.isEmpty ? nil : $0 } }
}

extension ContainerLine {
    /// Containers in their order, those of a project together where its first one stands.
    static func lines(of rows: [ContainerSummary], folded: Set<String>) -> [ContainerLine] {
        var places: [String: Int] = [:]
        var projects: [ProjectLine] = []
        var order: [(container: ContainerSummary?, project: Int)] = []
        for row in rows {
            guard let name = row.project else {
                order.append((row, 0))
                continue
            }
            if let place = places[name] {
                projects[place].members.append(row)
            } else {
                places[name] = projects.count
                order.append((nil, projects.count))
                projects.append(ProjectLine(name: name, members: [row], isFolded: folded.contains(name)))
            }
        }
        return order.flatMap { container, place -> [ContainerLine] in
            if let container { return [.container(container, isMember: false)] }
            let project = projects[place]
            let members = project.isFolded ? [] : project.members.map { ContainerLine.container($0, isMember: true) }
            return [.project(project)] + members
        }
    }
}
