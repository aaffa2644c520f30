/// Which key a sequence stands for, as xterm, rxvt, the Linux console and those that follow them send it.
extension EscapeSequence {
    var isPasteStart: Bool { introducer == .csi && final == UInt8(ascii: "~") && parameters.first == 200 }

    /// `CSI 0 n`: the terminal works, and has come to the question. With 3 it is out of order, which no emulator is.
    var isStatusReport: Bool {
        introducer == .csi && prefix == 0 && final == UInt8(ascii: "n") && (parameters == [0] || parameters == [3])
    }

    /// `CSI > kind ; version ; 0 c`, the secondary device attributes: what kind of terminal this is; nil for anything else.
    var deviceKind: Int? {
        guard introducer == .csi, prefix == UInt8(ascii: ">"), final == UInt8(ascii: "c") else { return nil }
        return parameters.first ?? 0
    }

    /// Focus gained or lost (mode 1004).
    var focus: Bool? {
        guard introducer == .csi, prefix == 0, parameters.isEmpty else { return nil }
        return final == UInt8(ascii: "I") ? true : final == UInt8(ascii: "O") ? false : nil
    }

    /// The key; nil for what is none, such as the answer to a question.
    var key: Key? {
        if prefix == UInt8(ascii: "[") { return consoleFunctionKey }
        guard prefix == 0 else { return nil }
        switch Unicode.Scalar(final) {
        case "~", "^", "$", "@": return numberedKey
        case "u": return characterKey(parameter(0))
        case "Z": return Key(.tab, modifiers.union(.shift))
        case "a", "b", "c", "d": return rxvtArrow
        default: return letterKey
        }
    }

    /// F1 to F5 of the Linux console: `CSI [ A` and on.
    private var consoleFunctionKey: Key? {
        (0x41...0x45).contains(final) ? Key(.function(Int(final) - 0x40)) : nil
    }

    private var letterKey: Key? {
        let letters: [Unicode.Scalar: Key.Code] = [
            "A": .up, "B": .down, "C": .right, "D": .left, "H": .home, "F": .end, "P": .function(1),
            "Q": .function(2), "R": .function(3), "S": .function(4), "M": .enter,
        ]
        if let code = letters[Unicode.Scalar(final)], introducer == .ss3 || final != UInt8(ascii: "M") {
            // `CSI row ; column R` answers a question about the cursor; with 1 as its row it is F3 to everybody.
            return Key(code, modifiers)
        }
        guard introducer == .ss3, let character = keypad else { return nil }
        return .character(character)
    }

    /// The keypad in application mode: `SS3 j` to `SS3 y` for `*` to `9`.
    private var keypad: Character? {
        if final == UInt8(ascii: "X") { return "=" }
        guard (0x6A...0x79).contains(final) else { return nil }
        return Character(Unicode.Scalar(final - 0x40))
    }

    private var rxvtArrow: Key? {
        let arrows: [Key.Code] = [.up, .down, .right, .left]
        return Key(arrows[Int(final) - 0x61], introducer == .csi ? .shift : .control)
    }

    private var numberedKey: Key? {
        let number = parameter(0)
        if number == 27 { return characterKey(parameter(2)) }
        guard let code = Self.numbered[number] else { return nil }
        var modifiers = modifiers
        if final == UInt8(ascii: "^") || final == UInt8(ascii: "@") { modifiers.insert(.control) }
        if final == UInt8(ascii: "$") || final == UInt8(ascii: "@") { modifiers.insert(.shift) }
        return Key(code, modifiers)
    }

    /// A character by its code point, as terminals send it that tell all modifiers (`CSI 97;5u`, `CSI 27;5;97~`).
    private func characterKey(_ value: Int) -> Key? {
        let named: [Int: Key.Code] = [9: .tab, 13: .enter, 27: .escape, 127: .backspace, 8: .backspace]
        if let code = named[value] { return Key(code, modifiers) }
        // Above U+E000 stand the protocol's own keys, such as a modifier pressed alone.
        guard value >= 0x20, !(0xE000...0xF8FF).contains(value), let scalar = UInt32(exactly: value),
            let scalar = Unicode.Scalar(scalar)
        else { return nil }
        var character = Character(scalar)
        var modifiers = modifiers
        if modifiers.contains(.shift), modifiers.isDisjoint(with: [.control, .alt]) {
            character = character.uppercased().first ?? character
        }
        modifiers.remove(.shift)
        return Key(.character(character), modifiers)
    }

    private static let numbered: [Int: Key.Code] = [
        1: .home, 2: .insert, 3: .delete, 4: .end, 5: .pageUp, 6: .pageDown, 7: .home, 8: .end,
        11: .function(1), 12: .function(2), 13: .function(3), 14: .function(4), 15: .function(5), 17: .function(6),
        18: .function(7), 19: .function(8), 20: .function(9), 21: .function(10), 23: .function(11),
        24: .function(12), 25: .function(13), 26: .function(14), 28: .function(15), 29: .function(16),
        31: .function(17), 32: .function(18), 33: .function(19), 34: .function(20),
    ]

    private func parameter(_ index: Int) -> Int { index < parameters.count ? parameters[index] : -1 }

    /// The second number is one more than a sum of 1 shift, 2 alt, 4 control, 8 meta.
    private var modifiers: Key.Modifiers {
        let sum = max(0, (introducer == .ss3 && parameters.count == 1 ? parameter(0) : parameter(1)) - 1)
        var modifiers: Key.Modifiers = []
        if sum & 1 != 0 { modifiers.insert(.shift) }
        if sum & 10 != 0 { modifiers.insert(.alt) }
        if sum & 4 != 0 { modifiers.insert(.control) }
        return modifiers
    }
}
