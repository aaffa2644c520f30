import Terminal

/// One line of the keymap: the keys, where they hold, what they are called, when they make sense, what they ask for.
package struct KeyBinding: Sendable {
    /// Any of them.
    package var keys: [Key]
    var contexts: Set<KeyContext>
    /// For the help: what it does.
    package let label: String
    /// For the hint bar; nil where it is not shown there.
    let hint: String?
    let condition: KeyCondition
    let intent: Intent

    init(
        _ keys: String, _ contexts: Set<KeyContext>, _ label: String, hint: String? = nil,
        when condition: KeyCondition = .always, _ intent: Intent
    ) {
        self.keys = keys.split(separator: " ").compactMap { Key($0) }
        self.contexts = contexts
        self.label = label
        self.hint = hint
        self.condition = condition
        self.intent = intent
    }

    /// The keys as people write them.
    package var notation: String { keys.map(\.description).joined(separator: " ") }
}

/// The one table of keys: what they do, the hint bar, the help and the README's list come from it.
package enum Keymap {
    /// What a key asks for now; nil where it has no meaning, or not now.
    static func intent(of key: Key, in context: KeyContext, _ model: Model) -> Intent? {
        binding(of: key, in: context, model)?.intent
    }

    static func binding(of key: Key, in context: KeyContext, _ model: Model) -> KeyBinding? {
        model.bindings.first { $0.contexts.contains(context) && $0.keys.contains(key) && $0.condition.holds(model) }
    }

    /// The bindings that the hint bar shows, most useful first, with the keys that ask for just that now.
    static func hints(in context: KeyContext, _ model: Model) -> [KeyBinding] {
        var taken: Set<Key> = []
        return model.bindings.compactMap { binding in
            guard binding.contexts.contains(context), binding.condition.holds(model) else { return nil }
            var shown = binding
            shown.keys.removeAll { taken.contains($0) }
            taken.formUnion(binding.keys)
            return binding.hint == nil || shown.keys.isEmpty ? nil : shown
        }
    }

    /// The README's table: a line of Markdown for each place, with its keys.
    package static var readmeRows: [String] {
        var seen: Set<String> = []
        let places: [(name: String, context: KeyContext, part: [KeyBinding])] = [
            ("containers", .containers, containerKeys), ("main screen", .containers, screenKeys),
            ("any list", .containers, movementKeys), ("console, after `ctrl-]`", .leader, table),
            ("scrollback", .scrollback, table), ("log", .logs, table), ("inspection", .inspect, table),
            ("images", .images, table), ("networks", .networks, table), ("volumes", .volumes, table),
            ("disk usage", .usage, table), ("events", .events, table), ("command log", .commands, table),
            ("files", .files, table),
        ]
        return places.map { name, context, part in
            let own = part.filter { $0.contexts.contains(context) && seen.insert($0.notation + $0.label).inserted }
            let words = own.map { "\($0.keys.map { "`\($0)`" }.joined(separator: " ")) \($0.label)" }
            return "| \(name) | \(words.joined(separator: " · ")) |"
        }
    }

    /// Keys and what they do by place, for the help: first those of the place where one is, and of the four panels
    /// together (nil).
    static func sections(
        of table: [KeyBinding], at place: KeyContext
    ) -> [(context: KeyContext?, bindings: [KeyBinding])] {
        let table = table.filter { !$0.keys.isEmpty }
        let shared = table.filter { $0.contexts.isSuperset(of: KeyContext.panels) }
        let isPanel = KeyContext.panels.contains(place)
        var sections: [(KeyContext?, [KeyBinding])] = [(nil, shared)]
        for context in [place] + KeyContext.allCases.filter({ $0 != place }) {
            // What holds on all panels, and nearly everywhere else, is told once, and at the place where one is.
            let isTold = context != place || isPanel
            let own = table.filter {
                $0.contexts.contains(context) && !(isTold && $0.contexts.isSuperset(of: KeyContext.panels))
            }
            guard !own.isEmpty else { continue }
            sections.insert((context, own), at: context == place && !isPanel ? 0 : sections.count)
        }
        return sections
    }
}

extension Model {
    /// The key that asks for something on the main screen, as it is bound.
    func key(_ intent: Intent) -> String {
        let binding = bindings.first {
            $0.intent == intent && $0.contexts.isSuperset(of: KeyContext.panels) && !$0.keys.isEmpty
        }
        return binding?.keys.first?.description ?? "-"
    }
}
