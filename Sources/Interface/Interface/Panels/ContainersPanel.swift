import EngineAPI

/// The list of containers: what is known, which rows are shown in which order, which one is chosen.
struct ContainersPanel {
    /// As the engine lists them, newest first.
    private(set) var all: [ContainerSummary] = []
    /// Those that pass the filter, sorted.
    private(set) var rows: [ContainerSummary] = []
    /// Those rows with the projects over them, without those of a folded one.
    private(set) var lines: [ContainerLine] = []
    /// Containers of a compose project stand together.
    var groupsProjects = true { didSet { needsArranging = true } }
    private(set) var folded: Set<String> = [] { didSet { needsArranging = true } }
    private(set) var cursor = ListCursor<String>()
    var filter = "" { didSet { if filter != oldValue { needsArranging = true } } }
    /// The filter is being typed.
    var isEditingFilter = false
    var sort = ContainerSort.created { didSet { needsArranging = true } }
    var isReversed = false { didSet { needsArranging = true } }
    var hidesStopped = false { didSet { needsArranging = true } }
    /// Columns that are always shown, or never, whatever room there is.
    var columns: [ContainerColumn.Kind: Bool] = [:]
    private var needsArranging = false
    /// For so many samples yet the first row is chosen, whichever it turns out to be: until the figures of rows that were
    /// not seen before have come.
    private var samplesAtTop = 0
    /// Made by us, and perhaps not yet in the engine's list.
    private var inserted: [String: (container: ContainerSummary, time: Timestamp)] = [:]

    private var selectedLine: ContainerLine? { lines.indices.contains(cursor.index) ? lines[cursor.index] : nil }

    /// Nil on a project's line, too.
    var selected: ContainerSummary? {
        if case .container(let container, _)? = selectedLine { return container }
        return nil
    }

    var selectedProject: ProjectLine? {
        if case .project(let project)? = selectedLine { return project }
        return nil
    }

    /// Those that what is asked next is done to: the marked ones, shown or not, else the chosen one, or all of the chosen
    /// project.
    var targets: [ContainerSummary] {
        cursor.marked.isEmpty ? selectedLine?.containers ?? [] : all.filter { cursor.marked.contains($0.id) }
    }

    /// Those that pass the filter, hidden ones too.
    var matching: [ContainerSummary] {
        let words = filter.lowercased().split(separator: " ")
        return words.isEmpty ? all : all.filter { row in words.allSatisfy { row.matches($0) } }
    }

    private var ids: [String] { lines.map(\.id) }

    /// A project is marked by its containers.
    mutating func mark() {
        samplesAtTop = 0
        guard let project = selectedProject else { return cursor.mark(of: ids) }
        cursor.markAll(of: project.members.map(\.id))
        select(index: cursor.index + 1)
    }

    mutating func markAll() { cursor.markAll(of: rows.map(\.id)) }

    /// Shows the containers of the chosen project, or its line alone.
    mutating func foldProject() {
        if let name = selectedProject?.name { folded.formSymmetricDifference([name]) }
    }

    mutating func unmark() { cursor.marked = [] }

    mutating func replace(_ list: [ContainerSummary], at now: Timestamp) {
        // A list that was asked for before a container was made may come after it.
        let known = Set(list.map(\.id))
        inserted = inserted.filter { id, entry in
            !known.contains(id) && now.nanosecondsSinceEpoch - entry.time.nanosecondsSinceEpoch < 2_000_000_000
        }
        all = inserted.values.map(\.container) + list
        cursor.marked.formIntersection(all.map(\.id))
        needsArranging = true
    }

    /// Filters and sorts anew where something asked for it, or where the order depends on figures that have come.
    mutating func arrange(_ figures: [String: StatsHistory], figuresChanged: Bool = false) {
        guard needsArranging || (figuresChanged && sort.isMeasured) else { return }
        needsArranging = false
        let kept = matching.filter { !hidesStopped || $0.state.isActive }
        rows = sort.sorted(kept, figures, reversed: isReversed)
        lines =
            groupsProjects
            ? ContainerLine.lines(of: rows, folded: folded) : rows.map { .container($0, isMember: false) }
        // At first a container is looked at, not the line of its project.
        if cursor.id == nil || samplesAtTop > 0, lines.count > 1, case .project = lines[0], case .container = lines[1] {
            cursor.choose(1, of: ids)
        } else if samplesAtTop > 0 {
            cursor.choose(0, of: ids)
        } else {
            cursor.follow(ids)
        }
        if figuresChanged, samplesAtTop > 0 { samplesAtTop -= 1 }
    }

    mutating func select(index: Int) {
        samplesAtTop = 0
        cursor.choose(index, of: ids)
    }

    mutating func move(_ movement: Movement, page: Int) {
        samplesAtTop = 0
        cursor.move(movement, of: ids, page: page)
    }

    /// Who sorts by a figure asks which container has most of it.
    mutating func followTop() { samplesAtTop = sort.isMeasured ? 3 : 0 }

    mutating func stayWithChosen() { samplesAtTop = 0 }

    /// Chooses a container of the rows.
    mutating func select(id: String) {
        if let name = rows.first(where: { $0.id == id })?.project, folded.remove(name) != nil { arrange([:]) }
        guard let found = lines.firstIndex(where: { $0.id == id }) else { return }
        select(index: found)
    }

    /// Adds a container that the engine has just made, before the next list comes.
    mutating func insert(_ container: ContainerSummary, at now: Timestamp) {
        inserted[container.id] = (container, now)
        guard !all.contains(where: { $0.id == container.id }) else { return }
        all.insert(container, at: 0)
        needsArranging = true
    }

    mutating func keepSelectionVisible(page: Int) { cursor.show(of: lines.count, page: page) }
}

/// What the list is sorted by.
enum ContainerSort: String, CaseIterable, Hashable, Sendable {
    case created, name, image, state, cpu, memory, pids

    var isMeasured: Bool { self == .cpu || self == .memory || self == .pids }

    var next: ContainerSort {
        let all = Self.allCases
        return all[((all.firstIndex(of: self) ?? 0) + 1) % all.count]
    }

    func sorted(
        _ rows: [ContainerSummary], _ figures: [String: StatsHistory], reversed: Bool
    ) -> [ContainerSummary] {
        let sorted = rows.sorted { left, right in
            // Equal ones by name, then id, so that rows do not change places by themselves.
            order(left, right, figures) ?? ((left.name, left.id) < (right.name, right.id))
        }
        return reversed ? sorted.reversed() : sorted
    }

    /// Whether the left one comes first; nil where they are equal.
    private func order(
        _ left: ContainerSummary, _ right: ContainerSummary, _ figures: [String: StatsHistory]
    ) -> Bool? {
        func by<Value: Comparable>(_ key: (ContainerSummary) -> Value) -> Bool? {
            let (first, second) = (key(left), key(right))
            return first == second ? nil : first < second
        }
        /// The largest first; those that do not run last.
        func byFigure(_ key: (StatsPoint) -> Double) -> Bool? {
            by { row in -(row.state.isAlive ? figures[row.id]?.latest.map(key) ?? 0 : -1) }
        }
        return switch self {
        case .created: by { -$0.createdAt.nanosecondsSinceEpoch }
        case .name: by(\.name)
        case .image: by(\.image)
        case .state: by(\.state.status.rank)
        case .cpu: byFigure { $0.cpuPercent ?? 0 }
        case .memory: byFigure { Double($0.memoryBytes) }
        case .pids: byFigure { Double($0.pids) }
        }
    }
}

extension ContainerState {
    /// It runs, and its health checks say that it does not do well.
    var isSick: Bool { isAlive && health?.status == .unhealthy }
}

extension ContainerStatus {
    /// Those that run first.
    var rank: Int {
        switch self {
        case .running: 0
        case .restarting: 1
        case .paused: 2
        case .created: 3
        case .removing: 4
        case .exited: 5
        case .dead: 6
        }
    }

    /// One letter, so that the state is told without colour.
    var letter: Character {
        switch self {
        case .running: "R"
        case .restarting: "S"
        case .paused: "P"
        case .created: "C"
        case .removing: "D"
        case .exited: "E"
        case .dead: "X"
        }
    }

    /// A shape for each state.
    var shape: Character {
        switch self {
        case .running: "●"
        case .restarting: "↻"
        case .paused: "◫"
        case .created: "○"
        case .removing: "⌫"
        case .exited: "■"
        case .dead: "✗"
        }
    }

    func role(exitCode: Int32) -> Role {
        switch self {
        case .running, .restarting: .stateRunning
        case .paused: .statePaused
        case .created: .stateCreated
        case .exited: exitCode == 0 ? .stateExited : .stateFailed
        case .removing, .dead: .stateFailed
        }
    }
}

extension ContainerSummary {
    /// Whether name, image, compose project, state, health or a published port holds the word, which is in small letters;
    /// or a label, where the word has a `=` in it; or the id begins with it, where it is long enough to be meant for one.
    func matches(_ word: Substring) -> Bool {
        name.lowercased().contains(word) || image.lowercased().contains(word)
            || (word.count >= 4 && id.hasPrefix(word)) || state.status.rawValue.hasPrefix(word)
            || (state.isAlive && state.health.map { $0.status.rawValue == word } ?? false)
            || ports.contains { $0.hostPort != 0 && String($0.hostPort) == word }
            || project?.lowercased().contains(word) ?? false
            || (word.contains("=") && labels.contains { "\($0.key)=\($0.value)".lowercased().contains(word) })
    }

    /// Since when it is as it is: started, ended, or made.
    var stateSince: Timestamp {
        switch state.status {
        case .running, .paused, .restarting: state.startedAt ?? createdAt
        case .exited, .dead, .removing: state.finishedAt ?? createdAt
        case .created: createdAt
        }
    }

    func isAgeInSeconds(at now: Timestamp) -> Bool { now.secondsSinceEpoch - stateSince.secondsSinceEpoch < 120 }
}
