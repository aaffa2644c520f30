import Terminal

extension Keymap {
    /// The table with commands of the user's own in it. A key that they have is taken from what had it in the same place;
    /// the first of two in the file keeps its own.
    ///
    /// - Returns: with what could not be done.
    static func adding(
        _ commands: [CustomCommand], to table: [KeyBinding]
    ) -> (table: [KeyBinding], complaints: [String]) {
        var table = table
        var added: [KeyBinding] = []
        var complaints: [String] = []
        for command in commands {
            var binding = KeyBinding(command)
            for key in command.keys {
                let other = added.first { $0.keys.contains(key) && !$0.contexts.isDisjoint(with: binding.contexts) }
                if let other {
                    binding.keys.removeAll { $0 == key }
                    complaints.append("line \(command.line): `\(key)` is \(other.label) already")
                }
            }
            for index in table.indices where !table[index].contexts.isDisjoint(with: binding.contexts) {
                guard table[index].keys.contains(where: binding.keys.contains) else { continue }
                // Elsewhere it keeps its keys.
                var own = table[index]
                own.contexts.formIntersection(binding.contexts)
                own.keys.removeAll(where: binding.keys.contains)
                table[index].contexts.subtract(binding.contexts)
                table.append(own)
            }
            added.append(binding)
        }
        return (table.filter { !$0.contexts.isEmpty } + added, complaints)
    }
}

extension Keymap {
    /// Those that a file of keys can name.
    static func withoutCommands(_ table: [KeyBinding]) -> [KeyBinding] {
        table.filter { if case .custom = $0.intent { false } else { true } }
    }
}

extension KeyBinding {
    fileprivate init(_ command: CustomCommand) {
        let contexts = command.subjects.reduce(into: Set<KeyContext>()) { $0.formUnion($1.contexts) }
        let kinds = command.subjects.map(\.rawValue).joined(separator: " or ")
        let condition = KeyCondition(
            { !$0.subjects(of: command).isEmpty }, else: { _ in "\(command.label): no \(kinds) is chosen" })
        self.init("", contexts, command.label, when: condition, .custom(command.name))
        keys = command.keys
    }
}
