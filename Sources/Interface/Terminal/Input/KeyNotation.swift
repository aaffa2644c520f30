/// Keys as people write them: `q`, `G`, `ctrl-d`, `alt-x`, `F5`, `shift-tab`, `enter`, `space`, `pgup`.
extension Key {
    /// Reads the notation; nil for what is none. Names and modifiers in any case, `C-`, `M-` and `S-` too.
    package init?(_ notation: some StringProtocol) {
        var rest = Substring(notation)
        var modifiers: Modifiers = []
        while let dash = rest.firstIndex(of: "-"), dash != rest.startIndex, rest.index(after: dash) != rest.endIndex {
            guard let modifier = Self.modifierNames[rest[..<dash].lowercased()] else { return nil }
            modifiers.insert(modifier)
            rest = rest[rest.index(after: dash)...]
        }
        guard let code = Self.code(named: rest) else { return nil }
        self.init(code, modifiers)
        normalize()
    }

    private static let modifierNames: [String: Modifiers] = [
        "ctrl": .control, "c": .control, "alt": .alt, "meta": .alt, "m": .alt, "shift": .shift, "s": .shift,
    ]

    private static let names: [(name: String, code: Code)] = [
        ("enter", .enter), ("tab", .tab), ("backspace", .backspace), ("esc", .escape), ("insert", .insert),
        ("delete", .delete), ("home", .home), ("end", .end), ("pgup", .pageUp), ("pgdn", .pageDown), ("up", .up),
        ("down", .down), ("left", .left), ("right", .right), ("space", .character(" ")), ("return", .enter),
        ("escape", .escape), ("del", .delete), ("ins", .insert), ("pageup", .pageUp), ("pagedown", .pageDown),
    ]

    private static func code(named name: Substring) -> Code? {
        if name.count == 1, let character = name.first { return .character(character) }
        let lower = name.lowercased()
        if lower.first == "f", let number = Int(lower.dropFirst()), (1...24).contains(number) {
            return .function(number)
        }
        return names.first { $0.name == lower }?.code
    }

    /// Control with a letter is the small letter; shift on a character is its capital; and the three that share a byte.
    private mutating func normalize() {
        guard case .character(let character) = code else { return }
        if modifiers.contains(.control) {
            let small = Character(character.lowercased())
            let shared: [Character: Code] = ["i": .tab, "m": .enter, "[": .escape]
            if let code = shared[small] {
                self.code = code
                modifiers.remove(.control)
            } else {
                code = .character(small)
            }
        } else if modifiers.contains(.shift), character.isLetter {
            code = .character(Character(character.uppercased()))
            modifiers.remove(.shift)
        }
    }
}

extension Key: CustomStringConvertible {
    /// The notation, as hints and help show it.
    package var description: String {
        var text = ""
        if modifiers.contains(.control) { text += "ctrl-" }
        if modifiers.contains(.alt) { text += "alt-" }
        if modifiers.contains(.shift) { text += "shift-" }
        switch code {
        case .character(" "): return text + "space"
        case .character(let character): return text + String(character)
        case .function(let number): return text + "F\(number)"
        default: return text + (Self.names.first { $0.code == code }?.name ?? "")
        }
    }
}
