import Terminal

extension Intent {
    /// What it is called in a file of keys: `pause-or-resume`, `move-down`.
    var name: String {
        let words = String(describing: self).split { !$0.isLetter && !$0.isNumber }
        let parts = words.count > 1 ? [words[0], words[words.count - 1]] : words
        return parts.map { part in
            part.reduce(into: "") { text, letter in
                if letter.isUppercase, !text.isEmpty { text += "-" }
                text += letter.lowercased()
            }
        }.joined(separator: "-")
    }
}

extension KeyContext {
    /// What the place is called in a file of keys.
    var fileName: String {
        switch self {
        case .leader: "leader"
        case .scrollback: "scrollback"
        case .usage: "usage"
        case .commands: "commands"
        default: rawValue
        }
    }

    /// Places by their names in a file of keys; `main` are the four panels.
    static let places: [String: Set<KeyContext>] = {
        var places = Dictionary(uniqueKeysWithValues: allCases.map { ($0.fileName, Set([$0])) })
        places["main"] = panels
        return places
    }()
}

extension Keymap {
    /// The table with a person's own keys in it. A key that they give to an action is taken from every other in the same
    /// place.
    ///
    /// - Returns: with what of the file could not be done.
    static func rebound(by file: KeyFile) -> (table: [KeyBinding], complaints: [String]) {
        var table = table
        var complaints = file.complaints
        /// By place in the table: the line that gave the keys.
        var lines: [Int: Int] = [:]
        for change in file.changes {
            let places = change.place.flatMap { KeyContext.places[$0] } ?? Set(KeyContext.allCases)
            let found = table.indices.filter { index in
                table[index].intent.name == change.action && !table[index].contexts.isDisjoint(with: places)
            }
            guard !found.isEmpty else {
                let place = change.place.map { " in `\($0)`" } ?? ""
                complaints.append("line \(change.line): there is no action `\(change.action)`\(place)")
                continue
            }
            let types = found.contains { table[$0].contexts.intersection(places).contains(where: \.typesText) }
            if types, let typed = change.keys.first(where: { $0.typed != nil }) {
                complaints.append("line \(change.line): `\(typed)` is typed there")
                continue
            }
            for index in found {
                guard !table[index].contexts.isSubset(of: places) else {
                    table[index].keys = change.keys
                    lines[index] = change.line
                    continue
                }
                var own = table[index]
                own.contexts.formIntersection(places)
                own.keys = change.keys
                table[index].contexts.subtract(places)
                // At the end, so that the places of the others stay.
                lines[table.count] = change.line
                table.append(own)
            }
        }
        complaints += settle(&table, lines)
        return (table, complaints)
    }

    /// Takes the keys that were given from those that had them; the first of two in the file keeps its own.
    private static func settle(_ table: inout [KeyBinding], _ lines: [Int: Int]) -> [String] {
        var complaints: [String] = []
        for (index, line) in lines.sorted(by: { $0.value < $1.value }) {
            for key in table[index].keys {
                let others = table.indices.filter { other in
                    table[other].keys.contains(key) && table[other].intent != table[index].intent
                        && !table[other].contexts.isDisjoint(with: table[index].contexts)
                        && !share(key, table[other].intent, table[index].intent)
                }
                for other in others {
                    guard let before = lines[other] else {
                        table[other].keys.removeAll { $0 == key }
                        continue
                    }
                    guard before < line else { continue }
                    table[index].keys.removeAll { $0 == key }
                    complaints.append(
                        "line \(line): `\(key)` is `\(table[other].intent.name)` already, by line \(before)")
                }
            }
        }
        return complaints
    }

    /// By itself the table gives a key to several actions where only one of them can be done at a time.
    private static func share(_ key: Key, _ first: Intent, _ second: Intent) -> Bool {
        let own = table.filter { $0.keys.contains(key) }
        return own.contains { one in
            one.intent == first
                && own.contains { $0.intent == second && !$0.contexts.isDisjoint(with: one.contexts) }
        }
    }

    /// All actions with their keys, as a file of keys that changes nothing.
    static func template(_ table: [KeyBinding]) -> String {
        var text = """
            # Keys of Gantry's screen. Take the # away from a line to change it; several keys are written as
            # ["n", "insert"], and [] takes all keys from an action.
            # Below [keys] an action has the same keys wherever it has some: move-down = ["j", "down"].
            #leader = "ctrl-]"

            """
        let isMain = Set(table.filter { $0.contexts.isSuperset(of: KeyContext.panels) }.map(\.intent.name))
        text += section("main", KeyContext.panels, table) { isMain.contains($0) }
        for context in KeyContext.allCases {
            let isPanel = KeyContext.panels.contains(context)
            text += section(context.fileName, [context], table) { name in
                // Movement is the same everywhere: it is changed below [keys].
                !name.hasPrefix("move-") && !(isPanel && isMain.contains(name))
            }
        }
        return text
    }

    private static func section(
        _ name: String, _ contexts: Set<KeyContext>, _ table: [KeyBinding], _ isWanted: (String) -> Bool
    ) -> String {
        let own = table.filter { !$0.contexts.isDisjoint(with: contexts) && isWanted($0.intent.name) }
        var seen: Set<String> = []
        var text = ""
        for binding in own where seen.insert(binding.intent.name).inserted {
            var keys: [Key] = []
            for key in own.filter({ $0.intent.name == binding.intent.name }).flatMap(\.keys) where !keys.contains(key) {
                keys.append(key)
            }
            let words = keys.map { "\"\($0)\"".replacingBackslashes }.joined(separator: ", ")
            text += "#\(binding.intent.name) = [\(words)]  # \(binding.label)\n"
        }
        return text.isEmpty ? "" : "\n[keys.\(name)]\n" + text
    }
}

extension String {
    /// As TOML wants them in its strings.
    fileprivate var replacingBackslashes: String {
        split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\\\")
    }
}
