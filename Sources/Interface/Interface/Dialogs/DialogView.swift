import EngineAPI
import Terminal

extension Canvas {
    mutating func draw(_ dialog: Dialog, _ model: Model) {
        switch dialog {
        case .form(let form): draw(form, model)
        case .menu(let menu): draw(menu, model)
        case .confirmation(let question): draw(question, model)
        case .help(let pager): draw(pager, note: "", model)
        case .inspect(let screen): draw(screen.pager, note: "z folds", model)
        case .logs(let screen): draw(screen, model)
        case .file(let screen): draw(screen.pager, note: "", model)
        case .list(let screen): draw(screen, model)
        }
    }

    /// A screen's title row; returns what is below it.
    mutating func drawScreenTitle(_ title: String, _ note: String, _ model: Model) -> Region {
        var body = model.layout.body
        let row = body.takeTop(1)
        fill(row, .titleFocused)
        var left = row
        _ = left.takeRight(max(0, min(row.columns - 16, TextWidth.columns(of: note) + 3)))
        let end = put(" \(title)", .titleFocused, in: left)
        var rest = row
        _ = rest.takeLeft(end + 1)
        _ = rest.takeRight(1)
        putRight(note, .titleFocused, in: rest)
        return body
    }

    private mutating func draw(_ pager: Pager, note: String, _ model: Model) {
        let place = "\(min(pager.cursor + 1, pager.lines.count))/\(pager.lines.count)"
        var rest = drawScreenTitle(pager.title, note.isEmpty ? place : "\(note) · \(place)", model)
        let page = rest.rows
        let scroll = scrollToShow(pager.cursor, from: pager.scroll, count: pager.lines.count, page: page)
        for index in min(scroll, pager.lines.count)..<min(pager.lines.count, scroll + page) {
            let line = pager.lines[index]
            let row = rest.takeTop(1)
            let lead = String(line.text.prefix(line.leadCount))
            let end = line.leadCount > 0 ? put(lead, line.leadRole == .hintKey ? .header : line.leadRole, in: row) : 0
            put(String(line.text.dropFirst(line.leadCount + pager.column)), line.role, column: end, in: row)
            mark(pager.search, in: row)
            if index == pager.cursor { highlight(row, .selection) }
        }
    }

    /// Restyles what was searched for in a drawn row.
    mutating func mark(_ search: Search, in row: Region) {
        guard !search.needle.isEmpty, search.matches(frame.text(ofRow: row.row)) else { return }
        let needle = Array(search.needle.lowercased())
        let cells = (row.column..<row.endColumn).map { frame[column: $0, row: row.row].text.lowercased() }
        let style = theme[.match]
        var column = 0
        while column + needle.count <= cells.count {
            let isHere = needle.indices.allSatisfy { cells[column + $0] == String(needle[$0]) }
            if isHere {
                let found = Region(column: row.column + column, row: row.row, columns: needle.count, rows: 1)
                frame.restyle(found) { _ in style }
            }
            column += isHere ? needle.count : 1
        }
    }
}
