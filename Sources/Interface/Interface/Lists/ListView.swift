import Terminal

/// A column of a list: its title, and on which side of it texts stand.
struct ListColumn {
    var title: String
    var columns: Int
    var isRight = false

    init(_ title: String, _ columns: Int, isRight: Bool = false) {
        self.title = title
        self.columns = columns
        self.isRight = isRight
    }
}

/// What a list shows: its rows' texts, column by column, with a role where it is not the column's usual one. Of many rows
/// only those are made that are seen.
struct ListTable {
    struct Row {
        /// As the list's cursor knows it.
        var id: String
        var texts: [String]
        var roles: [Role?] = []
    }

    var title: String
    /// At the right of the title, in short.
    var note = ""
    var columns: [ListColumn]
    var count: Int
    var row: (Int) -> Row
    /// In place of rows where there are none.
    var empty: String
}

extension ListTable {
    init(title: String, note: String = "", columns: [ListColumn], rows: [Row], empty: String) {
        self.init(
            title: title, note: note, columns: columns, count: rows.count, row: { rows[$0] }, empty: empty)
    }
}

extension Model {
    func table(of screen: ListScreen, width: Int) -> ListTable {
        let (filter, sort) = (screen.filter, screen.sort)
        let table =
            switch screen.kind {
            case .images: imageTable(imageRows(filter, sort), width: width)
            case .networks: networkTable(filter, width: width)
            case .volumes: volumeTable(volumeRows(filter, sort), width: width)
            case .usage: usageTable(filter, width: width)
            case .events: eventTable(width: width)
            case .commands: commandTable(filter, width: width)
            case .files(let place): fileTable(place, fileRows(place, filter, sort), width: width)
            }
        return table.marked(sort, of: screen.kind)
    }
}

extension Canvas {
    mutating func draw(_ screen: ListScreen, _ model: Model) {
        draw(model.table(of: screen, width: model.layout.body.columns), screen, model)
    }

    private mutating func draw(_ table: ListTable, _ screen: ListScreen, _ model: Model) {
        let title = screen.filter.isEmpty ? table.title : "\(table.title) · /\(screen.filter)"
        var rest = drawScreenTitle(title, note(table, screen, page: model.layout.body.rows - 2), model)
        let hasMarks = !screen.cursor.marked.isEmpty
        var header = rest.takeTop(1)
        if hasMarks { _ = header.takeLeft(2) }
        drawHeader(table.columns, in: header)
        guard table.count > 0 else {
            let text = screen.filter.isEmpty ? table.empty : "nothing passes `\(screen.filter)`: \\ clears it"
            return putCentered(text, .muted, row: rest.rows / 3, in: rest)
        }
        let first = min(screen.cursor.scroll, table.count)
        for index in first..<min(table.count, first + rest.rows) {
            let row = table.row(index)
            let line = rest.takeTop(1)
            var cells = line
            if hasMarks {
                let mark = cells.takeLeft(2)
                if screen.cursor.marked.contains(row.id) { put("✓", .warning, in: mark) }
            }
            draw(row, table.columns, in: cells)
            if index == screen.cursor.index { highlight(line, .selection) }
        }
    }

    /// Where one is, once not all rows are seen.
    private func note(_ table: ListTable, _ screen: ListScreen, page: Int) -> String {
        let marks = screen.cursor.marked.count
        let marked = marks > 0 ? "\(marks) marked" : ""
        let place = table.count > page ? "\(screen.cursor.index + 1)/\(table.count)" : ""
        return [table.note, marked, place].filter { !$0.isEmpty }.joined(separator: " · ")
    }

    private mutating func drawHeader(_ columns: [ListColumn], in line: Region) {
        draw(columns.map(\.title), columns, in: line) { _ in .header }
    }

    private mutating func draw(_ row: ListTable.Row, _ columns: [ListColumn], in line: Region) {
        draw(row.texts, columns, in: line) { index in
            (row.roles.indices.contains(index) ? row.roles[index] : nil) ?? (index == 0 ? .text : .muted)
        }
    }

    private mutating func draw(_ texts: [String], _ columns: [ListColumn], in line: Region, role: (Int) -> Role) {
        var rest = line
        for (index, (text, column)) in zip(texts, columns).enumerated() where column.columns > 0 {
            let cell = rest.takeLeft(column.columns)
            if column.isRight { putRight(text, role(index), in: cell) } else { put(text, role(index), in: cell) }
            _ = rest.takeLeft(1)
        }
    }
}
