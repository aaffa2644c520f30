import EngineAPI

/// The list of containers: what is known, which rows are shown in which order, which one is chosen.
struct ContainersPanel {
    /// As the engine lists them, newest first.
    private(set) var all: [ContainerSummary] = [] {
        didSet { places = Dictionary(zip(all.map(\.id), all.indices), uniquingKeysWith: { first, _ in first }) }
    }
    /// Where in `all` each is, by its id.
    private var places: [String: Int] = [:]
    /// Those that pass the filter, sorted.
    private(set) var rows: [ContainerSummary] = []
    /// The ids of those rows that run, in their own order, where the list is sorted by figures; otherwise none.
    private(set) var measured: [String] = []
    /// Those rows with the projects over them, without those of a folded one.
    private(set) var lines: [ContainerLine] = [] {
        didSet { longestName = lines.reduce(0) { max($0, $1.nameColumns) } }
    }
    /// What the names of all lines need, in columns: known beforehand, for it is asked at each picture.
    private(set) var longestName = 0
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

    func container(_ id: String) -> ContainerSummary? { places[id].map { all[$0] } }

    func holds(_ id: String) -> Bool { places[id] != nil }

    /// Those that pass the filter, hidden ones too.
    var matching: [ContainerSummary] {
        let filter = ListFilter(filter)
        return filter.isEmpty ? all : all.filter { row in filter.passes { row.matches($0) } }
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
        let running = sort.isMeasured ? rows.filter(\.state.isAlive).map(\.id).sorted() : []
        // The same array as long as it is, so that it costs nothing to compare.
        if running != measured { measured = running }
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
        guard !holds(container.id) else { return }
        all.insert(container, at: 0)
        needsArranging = true
    }

    mutating func keepSelectionVisible(page: Int) { cursor.show(of: lines.count, page: page) }
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
            || networks.contains { $0.networkName.lowercased() == word || $0.ipv4Address == word }
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
