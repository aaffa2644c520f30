import EngineAPI

/// What the engine is asked to tell of by itself. The set follows from what is visible: what is not in it is neither
/// sampled nor followed.
enum Subscription: Hashable, Sendable {
    /// Connection, list and events; asked for again by itself when the connection is lost.
    case engine
    /// A sample of these containers each second, ids sorted.
    case stats([String])
    /// The process tree of a container every two seconds.
    case processes(String)
    case logs(LogSubscription)
    /// Once: read while it is looked at.
    case file(FileRequest)
    /// Once: lines of a log that its filter looks at.
    case sift(LogPiece)
}

/// A log that is being read.
struct LogSubscription: Hashable, Sendable {
    var containerID: String
    /// Nil: from the beginning.
    var tail: Int?
    /// Nil: however old.
    var since: Timestamp?
    /// Tells one reading from the next of the same log.
    var serial: Int
}

extension Model {
    /// What shall be followed while the screen looks like this, each once and in a steady order: it is compared after each
    /// message.
    var subscriptions: [Subscription] {
        var wanted: [Subscription] = [.engine]
        // Asks no engine.
        for case .logs(let screen) in dialogs {
            if let piece = screen.sieve?.piece { wanted.append(.sift(piece)) }
        }
        guard connection.isUp else { return wanted }
        let sampled = sampledContainers
        if !sampled.isEmpty { wanted.append(.stats(sampled)) }
        if showsPanel(.processes), let container = selectedContainer, container.state.isAlive {
            wanted.append(.processes(container.id))
        }
        for case .file(let screen) in dialogs where !screen.isRead {
            if let request = screen.request { wanted.append(.file(request)) }
        }
        for case .logs(let screen) in dialogs { wanted += screen.subscriptions.map { Subscription.logs($0) } }
        return wanted
    }

    /// The running containers whose figures are on the screen: rows of the list, and the graphs' own.
    private var sampledContainers: [String] {
        // Of all, and with them of the chosen one.
        if showsPanel(.containers), !coversPanels, containers.sort.isMeasured { return containers.measured }
        var ids: Set<String> = []
        if showsPanel(.stats), let container = selectedContainer, container.state.isAlive { ids.insert(container.id) }
        if dialogs.contains(where: { if case .list(let screen) = $0 { screen.kind == .networks } else { false } }) {
            for network in networks ?? [] { ids.formUnion(members(of: network).map(\.id)) }
        }
        if showsPanel(.containers), !coversPanels {
            let seen = containers.lines[visibleRows].flatMap(\.containers)
            for row in seen where row.state.isAlive { ids.insert(row.id) }
        }
        return ids.sorted()
    }

    /// How often the clock must be told; nil: not at all, nothing on the screen depends on it.
    var clockInterval: Duration? {
        if !jobs.isEmpty || reaching != nil { return .milliseconds(200) }
        if case .connecting = connection { return .milliseconds(500) }
        if status?.expires == true { return .seconds(1) }
        // One whose connection was lost is opened again after a while.
        if let console = shownConsole, console.isEnded, console.lostAt != nil { return .seconds(1) }
        if case .logs(let screen)? = dialogs.last, let interval = screen.ageInterval(at: now) { return interval }
        guard connection.isUp, !containers.all.isEmpty else { return nil }
        return containers.rows.contains { $0.isAgeInSeconds(at: now) } ? .seconds(1) : .seconds(30)
    }
}
