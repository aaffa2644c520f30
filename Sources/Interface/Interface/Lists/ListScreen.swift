import EngineAPI

/// A list of what the engine has, over all of the panels.
struct ListScreen: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case images, networks, volumes, usage, events, commands
        case files(FilePlace)

        var keyContext: KeyContext {
            switch self {
            case .images: .images
            case .networks: .networks
            case .volumes: .volumes
            case .usage: .usage
            case .events: .events
            case .commands: .commands
            case .files: .files
            }
        }

        /// Asks the engine for what it shows; nil for what is known here.
        var refresh: Effect? {
            switch self {
            case .images: .refreshImages
            case .networks: .refreshNetworks
            case .volumes: .refreshVolumes(measuring: true)
            case .usage: .refreshUsage
            case .events: .refreshEvents
            case .commands: nil
            case .files(let place): .listFiles(place)
            }
        }
    }

    var kind: Kind
    var cursor = ListCursor<String>()
    /// Rows must hold each of its words.
    var filter = ""
    var isEditingFilter = false
    var sort = ListSort()

    init(_ kind: Kind) { self.kind = kind }
}

extension Model {
    /// The list on top.
    var listScreen: ListScreen? {
        if case .list(let screen)? = dialogs.last { return screen }
        return nil
    }

    mutating func open(_ kind: ListScreen.Kind) -> [Effect] {
        dialogs.append(.list(ListScreen(kind)))
        return [kind.refresh].compactMap { $0 }
    }

    /// What the rows of a list are known by, in their order.
    func rowIDs(of screen: ListScreen) -> [String] {
        switch screen.kind {
        case .images: imageRows(screen.filter, screen.sort).map(\.id)
        case .networks: networkRows(screen.filter).map(\.id)
        case .volumes: volumeRows(screen.filter, screen.sort).map(\.spec.name)
        case .usage: usageRows(screen.filter).map(\.id)
        case .events: eventRows.map(\.id)
        case .commands: commandRows(screen.filter).map { "\($0.number)" }
        case .files(let place): fileRows(place, screen.filter, screen.sort).map(\.name)
        }
    }

    /// Keeps what is chosen in each list while its rows change.
    mutating func followLists() {
        for index in dialogs.indices {
            guard case .list(var screen) = dialogs[index] else { continue }
            if screen.kind == .events { events.narrow(to: screen.filter) }
            let rows = rowIDs(of: screen)
            // Who looks at the newest of what is told by time sees those that come.
            let isAtNewest = [.events, .commands].contains(screen.kind) && screen.cursor.index == 0
            if let place = found(in: screen, rows) {
                screen.cursor.choose(place, of: rows)
                sought = nil
            } else if isAtNewest {
                screen.cursor.choose(0, of: rows)
            } else {
                screen.cursor.follow(rows)
            }
            if screen.filter.isEmpty, !screen.cursor.marked.isEmpty {
                screen.cursor.marked.formIntersection(rows)
            }
            screen.cursor.show(of: rows.count, page: max(1, layout.body.rows - 2))
            dialogs[index] = .list(screen)
        }
    }

    /// What open lists show and something has just changed.
    ///
    /// - Parameter usage: also the disk usage and what volumes take, for which every file is looked at, and directories,
    ///   which another engine may send whole: after what was done here alone.
    func openListRefreshes(usage: Bool = false) -> [Effect] {
        dialogs.flatMap { dialog -> [Effect] in
            guard case .list(let screen) = dialog else { return [] }
            let reading = [screen.kind.refresh].compactMap { $0 }
            return switch screen.kind {
            case .events: []
            case .volumes: [.refreshVolumes(measuring: usage)]
            case .usage: usage ? reading : []
            // Something was perhaps copied there, which the image has not.
            case .files(let place): usage ? reading + [.readChanges(place.container.id)] : []
            case .images, .networks, .commands: reading
            }
        }
    }
}

/// Filters: that of the list on top, or of the containers.
extension Model {
    var isEditingFilter: Bool { dialogs.isEmpty ? containers.isEditingFilter : listScreen?.isEditingFilter ?? false }

    var filterText: String { dialogs.isEmpty ? containers.filter : listScreen?.filter ?? "" }

    /// The line of the filter that is being typed.
    var filterLine: LineEditor {
        if case .logs(let screen)? = dialogs.last { return screen.filterEditor ?? LineEditor() }
        return LineEditor(filterText)
    }

    mutating func beginFilter() {
        if dialogs.isEmpty { focus = .containers }
        beginsFilterAnew = true
        setEditingFilter(true)
    }

    mutating func endFilter() { setEditingFilter(false) }

    /// Forgets the marks of the list on top; false where there are none.
    mutating func unmarkList() -> Bool {
        guard var screen = listScreen, !screen.cursor.marked.isEmpty else { return false }
        screen.cursor.marked = []
        replaceDialog(.list(screen))
        return true
    }

    mutating func setFilter(_ text: String) {
        guard var screen = listScreen else { return containers.filter = text }
        screen.filter = text
        replaceDialog(.list(screen))
    }

    private mutating func setEditingFilter(_ isEditing: Bool) {
        guard var screen = listScreen else { return containers.isEditingFilter = isEditing }
        screen.isEditingFilter = isEditing
        replaceDialog(.list(screen))
    }
}
