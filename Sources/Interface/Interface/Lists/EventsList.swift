import EngineAPI

/// What has happened to the engine's objects, bounded in number and in bytes, and which of it a filter lets through.
struct EventHistory {
    static let capacity = 10_000
    /// How far back the engine's journal is read.
    static let hours: Int64 = 24

    struct Entry: Hashable, Sendable {
        let number: Int
        /// The number, as a list's cursor knows it.
        let id: String
        var event: EngineEvent

        init(number: Int, event: EngineEvent) {
            (self.number, self.event) = (number, event.reduced)
            id = "\(number)"
        }
    }

    /// The oldest first: what comes is put at the end.
    private(set) var entries: [Entry] = []
    /// Those that pass the filter.
    private(set) var passing: [Entry] = []
    private var filter = ListFilter("")
    private var filterText = ""
    private var nextNumber = 0
    /// There was more than is kept.
    private(set) var isCut = false

    /// What the journal holds, in its own order, in place of what is known; what has come since it was read stays.
    mutating func replace(_ events: [EngineEvent]) {
        let kept = events.filter { !$0.isPassing }
        let later = known(since: events)
        (entries, passing, isCut) = ([], [], kept.count > Self.capacity)
        for event in kept.suffix(Self.capacity) + later { add(event) }
    }

    private func known(since journal: [EngineEvent]) -> [EngineEvent] {
        guard let end = journal.last?.time else { return entries.map(\.event) }
        let last = Set(journal.reversed().prefix { $0.time == end }.map(\.reduced))
        return entries.map(\.event).filter { $0.time > end || $0.time == end && !last.contains($0) }
    }

    /// What consoles and samples leave behind is of no interest, and would fill it.
    mutating func add(_ event: EngineEvent) {
        guard !event.isPassing else { return }
        let entry = Entry(number: nextNumber, event: event)
        nextNumber += 1
        entries.append(entry)
        if entry.passes(filter) { passing.append(entry) }
        // Somewhat more than needed, so that not each event moves all the others.
        guard entries.count > Self.capacity + Self.capacity / 8 else { return }
        isCut = true
        entries.removeFirst(entries.count - Self.capacity)
        let first = entries[0].number
        passing.removeFirst(passing.firstIndex { $0.number >= first } ?? passing.count)
    }

    /// Keeps in `passing` what passes; looks at all anew where the filter is another one.
    mutating func narrow(to text: String) {
        guard text != filterText else { return }
        (filterText, filter) = (text, ListFilter(text))
        passing = entries.filter { $0.passes(filter) }
    }
}

extension EventHistory.Entry {
    fileprivate func passes(_ filter: ListFilter) -> Bool {
        filter.isEmpty || filter.passes([event.kind.rawValue, event.action, event.objectName, event.detail])
    }
}

extension EngineEvent {
    /// The object's name, or its id in short.
    var objectName: String {
        if let name = attributes["name"], !name.isEmpty { return name }
        return String((actorID.split(separator: ":").last ?? "").prefix(kind == .volume ? 64 : 12))
    }

    private static let toldAttributes = [
        "exitCode", "signal", "execID", "oldName", "container", "driver", "reclaimed", "image",
    ]

    /// What is shown of it, and no more than is shown: whoever makes a container or an image writes labels of any length,
    /// and all of them stand in each of its events.
    var reduced: EngineEvent {
        var kept: [String: String] = [:]
        for name in Self.toldAttributes + ["name"] { kept[name] = attributes[name].map(Self.cut) }
        return EngineEvent(
            kind: kind, action: Self.cut(action), actorID: Self.cut(actorID), attributes: kept, time: time)
    }

    /// Longer than any id or name.
    private static let lengthLimit = 256

    private static func cut(_ text: String) -> String {
        text.utf8.count <= lengthLimit ? text : String(decoding: text.utf8.prefix(lengthLimit), as: UTF8.self)
    }

    /// What else is told of it, labels left out.
    var detail: String {
        Self.toldAttributes.compactMap { name in
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
    /// The newest first; `narrow` has been told of the filter by then.
    var eventRows: some RandomAccessCollection<EventHistory.Entry> { events.passing.reversed() }

    var selectedEvent: EngineEvent? {
        guard let screen = listScreen, screen.kind == .events else { return nil }
        let place = events.passing.count - 1 - screen.cursor.index
        return events.passing.indices.contains(place) ? events.passing[place].event : nil
    }

    func eventTable(width: Int) -> ListTable {
        let isWide = width >= 60
        let name = max(8, min(30, width / 4))
        let action = isWide ? 16 : 12
        let rest = width - (isWide ? 15 + 10 : 9) - action - name - 3
        let (rows, last) = (events.passing, events.passing.count - 1)
        func row(_ place: Int) -> ListTable.Row {
            let event = rows[last - place].event
            return ListTable.Row(
                id: rows[last - place].id,
                texts: [
                    String(wall.time(event.time, today: now).suffix(isWide ? 14 : 8)), event.kind.rawValue,
                    event.action, event.objectName, event.detail,
                ],
                roles: [.muted, .muted, event.role ?? .text, .text, .muted])
        }
        return ListTable(
            title: "events · \(events.isCut ? "the newest " : "")\(events.entries.count)", note: wall.zone(at: now),
            columns: [
                ListColumn("TIME", isWide ? 14 : 8, isRight: true), ListColumn("KIND", isWide ? 9 : 0),
                ListColumn("WHAT", action), ListColumn("OBJECT", name), ListColumn("MORE", max(0, rest)),
            ], count: rows.count, row: row, empty: "nothing has happened in the last \(EventHistory.hours) hours")
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
        case .image: return show(.images, at: event.actorID)
        case .network: return show(.networks, at: event.actorID)
        case .volume: return show(.volumes, at: event.actorID)
        case .daemon: return []
        }
    }
}
