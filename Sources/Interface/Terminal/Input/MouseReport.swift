/// What a terminal tells of its mouse: the modern form (`CSI < b;x;y M`, mode 1006) or the old one (`CSI M` and three
/// bytes, which reaches to column 223).
struct MouseReport {
    private let code: Int
    private let position: Position
    private let isRelease: Bool

    init?(_ sequence: EscapeSequence) {
        guard sequence.introducer == .csi else { return nil }
        let letter = sequence.final
        if sequence.prefix == UInt8(ascii: "<"), letter == UInt8(ascii: "M") || letter == UInt8(ascii: "m"),
            sequence.parameters.count >= 3
        {
            code = sequence.parameters[0]
            position = Position(column: max(0, sequence.parameters[1] - 1), row: max(0, sequence.parameters[2] - 1))
            isRelease = letter == UInt8(ascii: "m")
        } else if sequence.payload.count == 3 {
            code = Int(sequence.payload[0]) - 32
            position = Position(
                column: max(0, Int(sequence.payload[1]) - 33), row: max(0, Int(sequence.payload[2]) - 33))
            isRelease = code & 0b1100_0011 == 3 && code & 32 == 0
        } else {
            return nil
        }
    }

    /// The event. The old form does not say which button was released: it is the one `held`.
    func event(held: inout MouseEvent.Button?) -> MouseEvent? {
        guard let action = action(&held) else { return nil }
        var modifiers: Key.Modifiers = []
        if code & 4 != 0 { modifiers.insert(.shift) }
        if code & 8 != 0 { modifiers.insert(.alt) }
        if code & 16 != 0 { modifiers.insert(.control) }
        return MouseEvent(action, at: position, modifiers: modifiers)
    }

    private func action(_ held: inout MouseEvent.Button?) -> MouseEvent.Action? {
        if code & 64 != 0 {
            let wheels: [MouseEvent.Action] = [.wheelUp, .wheelDown, .wheelLeft, .wheelRight]
            return isRelease ? nil : wheels[code & 3]
        }
        // Buttons beyond the third (backward, forward) have no meaning here.
        guard code >= 0, code & 128 == 0 else { return nil }
        let buttons: [MouseEvent.Button?] = [.left, .middle, .right, nil]
        let button = buttons[code & 3]
        if code & 32 != 0 { return button.map(MouseEvent.Action.drag) ?? .move }
        if isRelease {
            defer { held = nil }
            return (button ?? held).map(MouseEvent.Action.release)
        }
        held = button
        return button.map(MouseEvent.Action.press)
    }
}
