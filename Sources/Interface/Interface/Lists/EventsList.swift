import EngineAPI

/// What has happened to the engine's objects, the newest first, bounded.
struct EventHistory {
    static let capacity = 1000
    /// How far back the engine's journal is read.
    static let hours: Int64 = 24

    struct Entry: Hashable, Sendable {
        let number: Int
        var event: EngineEvent
    }

    private(set) var entries: [Entry] = []
    private var nextNumber = 0

    /// What the journal holds, in its own order, in place of what is known.
    mutating func replace(_ events: [EngineEvent]) {
        entries = []
        for event in events.suffix(Self.capacity) { add(event) }
    }

    /// What consoles and samples leave behind is of no interest, and would fill it.
    mutating func add(_ event: EngineEvent) {
        guard !event.isPassing else { return }
        entries.insert(Entry(number: nextNumber, event: event), at: 0)
        nextNumber += 1
        if entries.count > Self.capacity { entries.removeLast(entries.count - Self.capacity) }
    }
}

extension EngineEvent {
    /// The object's name, or its id in short.
    var objectName: String {
        if let name = attributes["name"], !name.isEmpty { return name }
        return String((actorID.split(separator: ":").last ?? "").prefix(kind == .volume ? 64 : 12))
    }

    /// What else is told of it, labels left out.
    var detail: String {
        let told = ["exitCode", "signal", "execID", "oldName", "container", "driver", "reclaimed", "image"]
        return told.compactMap { name in
            attributes[name].flatMap {
                $0.isEmpty ? nil : "\(name)=\($0.prefix(name == "container" || name == "execID" ? 12 : 80))"
            }
        }.joined(separator: " ")
    }

    /// It changes nothing of its object.
    var isPassing: Bool {
        ["exec_", "top", "resize", "attach", "detach"].contains { action.hasPrefix($0) }
    }

    fileprivate var role: Role? {
        switch action {
        case "die": attributes["exitCode"] == "0" ? nil : .warning
        case "oom", "health_status: unhealthy": .error
        case "start", "health_status: healthy": .success
        default: nil
        }
    }
}

extension Model {
    func eventRows(_ filter: String = "") -> [EventHistory.Entry] {
        let filter = ListFilter(filter)
        guard !filter.isEmpty else { return events.entries }
        return events.entries.filter { entry in
            let event = entry.event
            return filter.passes([event.kind.rawValue, event.action, event.objectName, event.detail])
        }
    }

    var selectedEvent: EngineEvent? {
        guard let screen = listScreen, screen.kind == .events else { return nil }
        let rows = eventRows(screen.filter)
        return rows.indices.contains(screen.cursor.index) ? rows[screen.cursor.index].event : nil
    }

    func eventTable(_ filter: String, width: Int) -> ListTable {
        let today = now.rfc3339Nano.prefix(10)
        let isWide = width >= 60
        let name = max(8, min(30, width / 4))
        let action = isWide ? 16 : 12
        let rest = width - (isWide ? 15 + 10 : 9) - action - name - 3
        let rows = eventRows(filter).map { entry in
            let event = entry.event
            let time = event.time.rfc3339Nano
            let clock = time.dropFirst(11).prefix(8)
            let day = time.prefix(10) == today ? "" : "\(time.dropFirst(5).prefix(5)) "
            return ListTable.Row(
                id: "\(entry.number)",
                texts: [
                    isWide ? day + clock : String(clock), event.kind.rawValue, event.action, event.objectName,
                    event.detail,
                ],
                roles: [.muted, .muted, event.role ?? .text, .text, .muted])
        }
        return ListTable(
            title: "events · \(events.entries.count)", note: "UTC",
            columns: [
                ListColumn("TIME", isWide ? 14 : 8, isRight: true), ListColumn("KIND", isWide ? 9 : 0),
                ListColumn("WHAT", action), ListColumn("OBJECT", name), ListColumn("MORE", max(0, rest)),
            ], rows: rows, empty: "nothing has happened in the last \(EventHistory.hours) hours")
    }

    /// From an event to its object.
    mutating func showEventObject() -> [Effect] {
        guard let event = selectedEvent else { return [] }
        switch event.kind {
        case .container:
            guard container(event.actorID) != nil else {
                say("\(event.objectName) is gone", .warning)
                return []
            }
            return showContainer(event.actorID)
        case .image: return open(.images)
        case .network: return open(.networks)
        case .volume: return open(.volumes)
        case .daemon: return []
        }
    }
}
