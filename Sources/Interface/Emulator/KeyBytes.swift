import Terminal

/// The bytes that a terminal sends for keys and pastes, as xterm does.
enum KeyBytes {
    /// - Parameters:
    ///   - applicationCursorKeys: DECCKM, which full-screen programs set.
    ///   - sendsLineFeed: LNM.
    static func encode(_ key: Key, applicationCursorKeys: Bool, sendsLineFeed: Bool) -> [UInt8] {
        if key.code == .enter, sendsLineFeed { return [0x0D, 0x0A] }
        if let bytes = encode(key) { return bytes }
        let modifier =
            1 + (key.modifiers.contains(.shift) ? 1 : 0) + (key.modifiers.contains(.alt) ? 2 : 0)
            + (key.modifiers.contains(.control) ? 4 : 0)
        if let letter = letters[key.code] {
            if modifier > 1 { return Array("\u{1B}[1;\(modifier)\(letter)".utf8) }
            var isShifted = applicationCursorKeys
            if case .function = key.code { isShifted = true }
            return Array("\u{1B}\(isShifted ? "O" : "[")\(letter)".utf8)
        }
        guard let number = numbers[key.code] else { return [] }
        return Array("\u{1B}[\(number)\(modifier > 1 ? ";\(modifier)" : "")~".utf8)
    }

    private static let letters: [Key.Code: Character] = [
        .up: "A", .down: "B", .right: "C", .left: "D", .home: "H", .end: "F", .function(1): "P", .function(2): "Q",
        .function(3): "R", .function(4): "S",
    ]

    private static let numbers: [Key.Code: Int] = [
        .insert: 2, .delete: 3, .pageUp: 5, .pageDown: 6, .function(5): 15, .function(6): 17, .function(7): 18,
        .function(8): 19, .function(9): 20, .function(10): 21, .function(11): 23, .function(12): 24,
    ]

    /// Nil for keys whose bytes depend on the modes: arrows, Home and End, function keys.
    static func encode(_ key: Key) -> [UInt8]? {
        guard let bytes = bytes(of: key) else { return nil }
        return key.modifiers.contains(.alt) ? [0x1B] + bytes : bytes
    }

    private static func bytes(of key: Key) -> [UInt8]? {
        let isControl = key.modifiers.contains(.control)
        switch key.code {
        case .enter: return [0x0D]
        case .escape: return [0x1B]
        case .backspace: return [isControl ? 0x08 : 0x7F]
        case .tab: return key.modifiers.contains(.shift) ? Array("\u{1B}[Z".utf8) : [0x09]
        case .character(let character):
            if isControl, let byte = controlByte(of: character) { return [byte] }
            return Array(String(character).utf8)
        default: return nil
        }
    }

    /// What a keyboard sends for control with a key: the five low bits, and the places that DEC gave to digits and signs.
    private static func controlByte(of character: Character) -> UInt8? {
        guard let byte = character.asciiValue else { return nil }
        switch byte {
        case 0x40...0x5F, 0x61...0x7A: return byte & 0x1F
        case UInt8(ascii: " "), UInt8(ascii: "2"): return 0
        case UInt8(ascii: "3")...UInt8(ascii: "7"): return byte - UInt8(ascii: "3") + 0x1B
        case UInt8(ascii: "/"), UInt8(ascii: "-"): return 0x1F
        case UInt8(ascii: "8"), UInt8(ascii: "?"): return 0x7F
        default: return nil
        }
    }

    /// A paste as typed: line ends are carriage returns, other control characters are left out but the tab.
    static func encode(paste text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var previous: Unicode.Scalar = " "
        for scalar in text.unicodeScalars {
            defer { previous = scalar }
            if scalar == "\n" && previous == "\r" { continue }
            if scalar == "\n" || scalar == "\r" {
                bytes.append(0x0D)
            } else if scalar == "\t" || TextWidth.columns(of: scalar) >= 0 {
                bytes.append(contentsOf: String(scalar).utf8)
            }
        }
        return bytes
    }
}
