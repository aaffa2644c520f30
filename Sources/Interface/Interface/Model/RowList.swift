/// Which way a key moves in a list or a text.
enum Movement: Hashable, Sendable {
    case up, down, pageUp, pageDown, halfUp, halfDown, top, bottom

    /// The new index in `0..<count` when a page has `page` rows.
    func applied(to index: Int, count: Int, page: Int) -> Int {
        guard count > 0 else { return 0 }
        let target =
            switch self {
            case .up: index - 1
            case .down: index + 1
            case .pageUp: index - max(1, page - 1)
            case .pageDown: index + max(1, page - 1)
            case .halfUp: index - max(1, page / 2)
            case .halfDown: index + max(1, page / 2)
            case .top: 0
            case .bottom: count - 1
            }
        return min(max(0, target), count - 1)
    }

    /// Moves what is shown, and not only what is chosen in it.
    private var turnsPages: Bool {
        switch self {
        case .pageUp, .pageDown, .halfUp, .halfDown: true
        case .up, .down, .top, .bottom: false
        }
    }

    /// The first row to show after this has led from one row to another.
    func scroll(_ scroll: Int, from old: Int, to new: Int, count: Int, page: Int) -> Int {
        scrollToShow(new, from: turnsPages ? scroll + new - old : scroll, count: count, page: page)
    }
}

/// The first row to show so that `selected` is seen, moving as little as possible from `scroll`.
func scrollToShow(_ selected: Int, from scroll: Int, count: Int, page: Int) -> Int {
    guard page > 0 else { return max(0, selected) }
    let last = max(0, count - page)
    let lowest = selected - page + 1
    return max(0, min(last, min(selected, max(lowest, scroll))))
}
