import EngineAPI

/// A row that a list is about to get by what was done here: the cursor goes to it, so that one sees what one has made.
struct Sought: Hashable, Sendable {
    let kind: ListScreen.Kind
    /// What it will be known by, where that is known; it may be there already.
    let id: String?
    /// The rows of before: what is not among them is new. Nil where nothing new is sought.
    let known: Set<String>?
}

extension Model {
    /// What an action will add to a list that is open; nil for one that adds nothing to any.
    func sought(by action: EngineAction) -> Sought? {
        guard let (kind, id) = action.addition else { return nil }
        let isOpen = dialogs.contains { if case .list(let screen) = $0 { screen.kind == kind } else { false } }
        guard isOpen else { return nil }
        // All of them, whatever the filter shows.
        return Sought(kind: kind, id: id, known: Set(rowIDs(of: ListScreen(kind))))
    }

    /// The row of a list that is sought, once it is there.
    func found(in screen: ListScreen, _ rows: [String]) -> Int? {
        guard let sought, sought.kind == screen.kind else { return nil }
        if let known = sought.known, let new = rows.firstIndex(where: { !known.contains($0) }) { return new }
        guard let id = sought.id else { return nil }
        // A container knows its image by the id, and the list has a row for each name.
        let image = sought.kind == .images ? images?.first { $0.id == id || $0.shortID == id } : nil
        return rows.firstIndex(of: image.map { $0.tags.min() ?? $0.id } ?? id)
    }
}

extension EngineAction {
    /// The list that it adds a row to, and what the row is known by, where that can be told before.
    fileprivate var addition: (ListScreen.Kind, String?)? {
        switch self {
        case .createNetwork: (.networks, nil)
        case .createVolume(let spec): (.volumes, spec.name.isEmpty ? nil : spec.name)
        case .load: (.images, nil)
        case .tagImage(_, let name), .pull(let name): (.images, Self.tagged(name))
        default: nil
        }
    }

    /// A name without a tag means `latest`.
    private static func tagged(_ name: String) -> String {
        let last = name.split(separator: "/").last ?? ""
        return last.contains(":") || last.contains("@") ? name : "\(name):latest"
    }
}
