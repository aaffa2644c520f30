import Terminal

/// Modes: SM and RM, DECSET and DECRST, and DECRQM, which asks for them.
extension GridEmulator {
    func setModes(_ sequence: ControlSequence, isOn: Bool) {
        for index in sequence.numbers.indices {
            switch sequence.number(index, or: 0) {
            case 4: state.inserts = isOn
            case 20: options.sendsLineFeed = isOn
            default: break
            }
        }
    }

    func setPrivateModes(_ sequence: ControlSequence, isOn: Bool) {
        for index in sequence.numbers.indices { setPrivateMode(sequence.number(index, or: 0), isOn) }
    }

    /// One mode. A table.
    private func setPrivateMode(_ number: Int, _ isOn: Bool) {
        switch number {
        case 1: options.hasApplicationCursorKeys = isOn
        case 5: options.isReversed = isOn
        case 6:
            state.isOrigin = isOn
            state.move(row: isOn ? state.margins.lowerBound : 0, column: 0)
        case 7:
            state.wraps = isOn
            state.isWrapPending = false
        case 25: options.isCursorVisible = isOn
        case 9, 1000: setMouse(.click, isOn)
        case 1002: setMouse(.drag, isOn)
        case 1003: setMouse(.motion, isOn)
        case 1004: options.tellsFocus = isOn
        case 1006: options.usesModernMouse = isOn
        case 47, 1047: setAlternateScreen(isOn, clears: number == 1047 && !isOn)
        case 1048: isOn ? state.save() : state.restore()
        case 1049:
            if isOn, !options.isAlternateScreen { options.cursorBeforeAlternate = savedNow() }
            let wasAlternate = options.isAlternateScreen
            setAlternateScreen(isOn, clears: isOn)
            if !isOn, wasAlternate { restore(options.cursorBeforeAlternate) }
        case 2004: options.bracketsPaste = isOn
        default: break
        }
    }

    private func setMouse(_ mouse: EmulatorModes.Mouse, _ isOn: Bool) {
        if isOn { options.mouse = mouse } else if options.mouse == mouse { options.mouse = .off }
    }

    /// The cursor stays where it is, the pen and the margins with it; the two screens have the rows alone.
    private func setAlternateScreen(_ isOn: Bool, clears: Bool) {
        if isOn != options.isAlternateScreen {
            if clears, !isOn { state.grid = ScreenGrid(size: size) }
            swap(&state.grid, &otherGrid)
            options.isAlternateScreen = isOn
            state.lastPosition = nil
        }
        if clears, isOn { state.grid.erase(rows: 0..<size.rows, style: state.eraseStyle) }
    }

    private func savedNow() -> SavedCursor {
        SavedCursor(
            row: state.row, column: state.column, style: state.style, sets: state.sets, activeSet: state.activeSet,
            isOrigin: state.isOrigin)
    }

    private func restore(_ cursor: SavedCursor) {
        let saved = state.saved
        state.saved = cursor
        state.restore()
        state.saved = saved
    }

    /// 1 for a mode that is set, 2 for one that is not, 0 for one that this terminal does not know.
    func answerModeRequest(_ sequence: ControlSequence) {
        let number = sequence.number(0, or: 0)
        let isPrivate = sequence.prefix == UInt8(ascii: "?")
        let value = (isPrivate ? privateMode(number) : number == 4 ? state.inserts : nil).map { $0 ? 1 : 2 } ?? 0
        answer("\u{1B}[\(isPrivate ? "?" : "")\(number);\(value)$y")
    }

    private func privateMode(_ number: Int) -> Bool? {
        switch number {
        case 1: return options.hasApplicationCursorKeys
        case 5: return options.isReversed
        case 6: return state.isOrigin
        case 7: return state.wraps
        case 25: return options.isCursorVisible
        case 1000: return options.mouse == .click
        case 1002: return options.mouse == .drag
        case 1003: return options.mouse == .motion
        case 1004: return options.tellsFocus
        case 1006: return options.usesModernMouse
        case 47, 1047, 1049: return options.isAlternateScreen
        case 2004: return options.bracketsPaste
        default: return nil
        }
    }
}
