import EngineAPI
import Terminal

/// A list to choose one line of; typing narrows it.
struct Menu: Hashable, Sendable {
    struct Item: Hashable, Sendable {
        var label: String
        /// The key that does the same, or what the line is about.
        var detail: String
        var intent: Intent
    }

    var title: String
    /// The containers that it was opened for, by id; nil where it is about none.
    var about: Set<String>?
    private let items: [Item]
    var filter = LineEditor() { didSet { selection = 0 } }
    var selection = 0
    var scroll = 0

    init(title: String, items: [Item]) {
        self.title = title
        self.items = items
    }

    /// Those that hold every word typed: first one that is just that, then those that begin so, then the others.
    var shown: [Item] {
        let typed = filter.text.lowercased().trimmingSpaces
        let words = typed.split(separator: " ")
        guard !words.isEmpty else { return items }
        var ranks: [[Item]] = [[], [], []]
        for item in items {
            let label = item.label.lowercased()
            guard words.allSatisfy({ label.contains($0) }) else { continue }
            ranks[label == typed ? 0 : label.hasPrefix(typed) ? 1 : 2].append(item)
        }
        return ranks.flatMap { $0 }
    }

    var chosen: Item? { shown.indices.contains(selection) ? shown[selection] : nil }

    /// Goes to the line that asks for this, where it is shown.
    mutating func choose(_ intent: Intent) {
        guard let index = shown.firstIndex(where: { $0.intent == intent }) else { return }
        selection = index
    }

    mutating func move(_ movement: Movement, page: Int) {
        let (old, count) = (selection, shown.count)
        selection = movement.applied(to: old, count: count, page: page)
        scroll = movement.scroll(scroll, from: old, to: selection, count: count, page: page)
    }
}

extension Menu {
    /// What can be done now with the selected container.
    static func actions(_ model: Model) -> Menu {
        let wanted: [Intent] =
            [
                .attach, .shell, .shellAsking, .logs, .files, .inspect, .related, .openPort, .start, .stop, .restart,
                .pauseOrResume,
                .signals, .limits, .rename, .recreate, .remove, .removeWithVolumes, .copyMenu, .new,
            ] + model.customCommands.map { .custom($0.name) }
        let bindings = wanted.compactMap { intent in
            model.bindings.first {
                $0.intent == intent && $0.contexts.contains(.containers) && $0.condition.holds(model)
            }
        }
        var menu = Menu(title: model.actionTitle, items: bindings.map(item))
        menu.about = Set(model.containers.targets.map(\.id))
        return menu
    }

    /// What can be done now in the list on top, beside going through it.
    static func listActions(_ model: Model) -> Menu {
        let shared = Set(Keymap.screenKeys.map(\.intent)).union([.back, .mark, .markAll])
        let bindings = model.bindings.filter { binding in
            guard binding.contexts.contains(model.keyContext), binding.condition.holds(model) else { return false }
            if case .move = binding.intent { return false }
            return !shared.contains(binding.intent)
        }
        return Menu(title: "actions", items: bindings.map(item))
    }

    /// Everything the main screen can do now.
    static func palette(_ model: Model) -> Menu {
        var seen: Set<Intent> = [.palette, .back]
        let bindings = model.bindings.filter { binding in
            guard binding.contexts.contains(model.keyContext), binding.condition.holds(model) else { return false }
            if case .move = binding.intent { return false }
            return seen.insert(binding.intent).inserted
        }
        let orders = sorts(model).items.map {
            Item(label: "sort by \($0.label)", detail: "", intent: $0.intent)
        }
        return Menu(title: "commands", items: bindings.map(item) + orders)
    }

    /// What the containers can be sorted by, the largest or newest first.
    static func sorts(_ model: Model) -> Menu {
        var menu = Menu(
            title: "sort by",
            items: ContainerSort.allCases.map { Item(label: $0.rawValue, detail: "", intent: .sortBy($0)) })
        menu.choose(.sortBy(model.containers.sort))
        return menu
    }

    static func signals(_ targets: [ContainerSummary]) -> Menu {
        let known = [
            ("TERM", "end in order"), ("KILL", "end at once"), ("INT", "as ctrl-c"),
            ("HUP", "terminal gone, or reload"),
            ("QUIT", "end with a core dump"), ("USR1", "the program's own"), ("USR2", "the program's own"),
            ("STOP", "halt"), ("CONT", "go on"), ("WINCH", "window changed"), ("ALRM", "timer"), ("ABRT", "abort"),
        ]
        var menu = Menu(
            title: "signal to \(targets.count == 1 ? targets[0].name : "\(targets.count) containers")",
            items: known.map { Item(label: "SIG\($0)", detail: $1, intent: .kill(signal: $0)) })
        menu.about = Set(targets.map(\.id))
        return menu
    }

    private static func item(_ binding: KeyBinding) -> Item {
        Item(label: binding.label, detail: binding.notation, intent: binding.intent)
    }
}

extension Model {
    /// Whom the lines of the menu of actions are about: what takes several is done to the marked ones.
    fileprivate var actionTitle: String {
        let chosen = selectedContainer?.name ?? containers.selectedProject?.name ?? "actions"
        let marked = containers.cursor.marked.count
        return marked == 0 ? chosen : "\(marked) marked · chosen: \(chosen)"
    }
}
