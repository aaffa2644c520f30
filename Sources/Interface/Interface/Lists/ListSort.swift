import EngineAPI

/// What the rows of a list are sorted by.
struct ListSort: Hashable, Sendable {
    enum Key: String, Hashable, Sendable {
        case name, size, age, use

        /// The title of its column, as the lists that have it write it.
        var titles: [String] {
            switch self {
            case .name: ["NAME"]
            case .size: ["SIZE"]
            case .age: ["AGE", "CHANGED"]
            case .use: ["USED", "USED BY"]
            }
        }
    }

    var key = Key.name
    var isReversed = false

    /// What there is to sort a row by beside its name.
    struct Facts {
        var bytes: Int64 = 0
        var time: Timestamp?
        var users = 0
    }

    /// Rows that stand in the order of their names. What is large, new or much used comes first, and equal ones stay as
    /// they are.
    func sorted<Row>(_ rows: [Row], by facts: (Row) -> Facts) -> [Row] {
        guard key != .name else { return isReversed ? rows.reversed() : rows }
        let weighed = rows.enumerated().map { (place: $0, weight: weight(facts($1)), row: $1) }
        let sorted = weighed.sorted { ($1.weight, $0.place) < ($0.weight, $1.place) }.map(\.row)
        return isReversed ? sorted.reversed() : sorted
    }

    private func weight(_ facts: Facts) -> Int64 {
        switch key {
        case .name: 0
        case .size: facts.bytes
        case .age: facts.time?.nanosecondsSinceEpoch ?? .min
        case .use: Int64(facts.users)
        }
    }
}

extension ListScreen.Kind {
    /// What its rows can be sorted by; empty where they have an order of their own.
    var sorts: [ListSort.Key] {
        switch self {
        case .images, .volumes: [.name, .size, .age, .use]
        case .files: [.name, .size, .age]
        case .networks, .usage, .events, .commands: []
        }
    }
}

extension Model {
    /// Sorts the list on top by the next of its keys.
    mutating func sortListByNext() {
        guard let screen = listScreen, let place = screen.kind.sorts.firstIndex(of: screen.sort.key) else { return }
        sortList(by: screen.kind.sorts[(place + 1) % screen.kind.sorts.count])
    }

    /// By what is the list's order already, the other way round.
    mutating func sortList(by key: ListSort.Key) {
        guard var screen = listScreen, screen.kind.sorts.contains(key) else { return }
        screen.sort = ListSort(key: key, isReversed: screen.sort.key == key && !screen.sort.isReversed)
        replaceDialog(.list(screen))
        say("sorted by \(key.rawValue)")
    }

    mutating func reverseList() {
        guard var screen = listScreen else { return }
        screen.sort.isReversed.toggle()
        replaceDialog(.list(screen))
    }

    var listSortMenu: Menu {
        Menu(
            title: "sort by",
            items: (listScreen?.kind.sorts ?? []).map {
                Menu.Item(label: $0.rawValue, detail: "", intent: .sortList($0))
            })
    }

    /// A click on a column's title, as in the list of containers.
    mutating func sortList(byColumnAt column: Int) {
        guard let screen = listScreen else { return }
        let table = table(of: screen, width: layout.body.columns)
        let shift = screen.cursor.marked.isEmpty ? 0 : 2
        if let key = table.sortKey(at: column - shift, of: screen.kind) { sortList(by: key) }
    }
}

extension ListTable {
    /// With a sign at the column that the rows are sorted by.
    func marked(_ sort: ListSort, of kind: ListScreen.Kind) -> ListTable {
        guard kind.sorts.count > 1 else { return self }
        var table = self
        if let place = columns.firstIndex(where: { sort.key.titles.contains($0.title) }) {
            table.columns[place].title += sort.isReversed ? "▴" : "▾"
        }
        return table
    }

    /// What the column at a place is sorted by; nil for one that is not.
    func sortKey(at column: Int, of kind: ListScreen.Kind) -> ListSort.Key? {
        var start = 0
        for listed in columns where listed.columns > 0 {
            if (start..<start + listed.columns).contains(column) {
                return kind.sorts.first { key in key.titles.contains { listed.title.hasPrefix($0) } }
            }
            start += listed.columns + 1
        }
        return nil
    }
}
