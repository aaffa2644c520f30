/// Where one is in a list whose rows come and go: which row is chosen, and which is the first on the screen.
///
/// The choice belongs to a row, not to a place: it moves with its row, and stays near where that was once it is gone.
struct ListCursor<ID: Hashable & Sendable>: Hashable, Sendable {
    private(set) var id: ID?
    /// Where the chosen row stands; 0 where there are no rows.
    private(set) var index = 0
    private(set) var scroll = 0
    /// What is to be done next is done to all of these.
    var marked: Set<ID> = []

    mutating func choose(_ place: Int, of rows: [ID]) {
        index = min(max(0, place), max(0, rows.count - 1))
        id = rows.indices.contains(index) ? rows[index] : nil
    }

    mutating func move(_ movement: Movement, of rows: [ID], page: Int) {
        let old = index
        choose(movement.applied(to: old, count: rows.count, page: page), of: rows)
        scroll = movement.scroll(scroll, from: old, to: index, count: rows.count, page: page)
    }

    /// Marks the chosen row, or no longer, and goes to the next.
    mutating func mark(of rows: [ID]) {
        guard rows.indices.contains(index) else { return }
        marked.formSymmetricDifference([rows[index]])
        choose(index + 1, of: rows)
    }

    /// Marks all rows, or none where all are marked.
    mutating func markAll(of rows: [ID]) {
        if marked.isSuperset(of: rows) { marked = [] } else { marked.formUnion(rows) }
    }

    /// Finds the chosen row among the rows as they have become.
    mutating func follow(_ rows: [ID]) {
        if rows.indices.contains(index), rows[index] == id { return }
        if let id, let found = rows.firstIndex(of: id) { index = found } else { choose(index, of: rows) }
    }

    /// Scrolls so that the chosen row is seen, as little as possible.
    mutating func show(of count: Int, page: Int) {
        scroll = scrollToShow(index, from: scroll, count: count, page: page)
    }
}
