import Terminal

/// Mouse events as xterm tells them to a program.
enum MouseBytes {
    /// Nil where the program did not ask for such an event.
    ///
    /// - Parameter isModern: mode 1006; without it the old form, which cannot tell of columns and rows past 223.
    static func encode(_ event: MouseEvent, mode: EmulatorModes.Mouse, isModern: Bool, size: Size) -> [UInt8]? {
        guard isAsked(event.action, mode), var code = code(of: event.action) else { return nil }
        if event.modifiers.contains(.shift) { code += 4 }
        if event.modifiers.contains(.alt) { code += 8 }
        if event.modifiers.contains(.control) { code += 16 }
        let column = min(max(0, event.position.column), size.columns - 1) + 1
        let row = min(max(0, event.position.row), size.rows - 1) + 1
        var isRelease = false
        if case .release = event.action { isRelease = true }
        if isModern { return Array("\u{1B}[<\(code);\(column);\(row)\(isRelease ? "m" : "M")".utf8) }
        guard column <= 223, row <= 223 else { return nil }
        if isRelease { code = code & ~3 | 3 }
        return [0x1B, UInt8(ascii: "["), UInt8(ascii: "M"), UInt8(32 + code), UInt8(32 + column), UInt8(32 + row)]
    }

    private static func isAsked(_ action: MouseEvent.Action, _ mode: EmulatorModes.Mouse) -> Bool {
        switch (action, mode) {
        case (_, .off): return false
        case (.drag, .click), (.move, .click), (.move, .drag): return false
        default: return true
        }
    }

    private static func code(of action: MouseEvent.Action) -> Int? {
        switch action {
        case .press(let button), .release(let button): return number(of: button)
        case .drag(let button): return number(of: button) + 32
        case .move: return 35
        case .wheelUp: return 64
        case .wheelDown: return 65
        case .wheelLeft: return 66
        case .wheelRight: return 67
        }
    }

    private static func number(of button: MouseEvent.Button) -> Int {
        switch button {
        case .left: return 0
        case .middle: return 1
        case .right: return 2
        }
    }
}
