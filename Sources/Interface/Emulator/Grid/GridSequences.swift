import Terminal

/// Control sequences.
extension GridEmulator {
    func perform(_ sequence: ControlSequence) {
        switch (sequence.prefix, sequence.intermediate) {
        case (0, 0): performPlain(sequence)
        case (UInt8(ascii: "?"), 0): performPrivate(sequence)
        case (UInt8(ascii: ">"), 0) where sequence.final == UInt8(ascii: "c"): answer("\u{1B}[>1;100;0c")
        case (0, UInt8(ascii: " ")) where sequence.final == UInt8(ascii: "q"): setCursorShape(sequence.number(0, or: 0))
        case (0, UInt8(ascii: "!")) where sequence.final == UInt8(ascii: "p"): softReset()
        case (_, UInt8(ascii: "$")) where sequence.final == UInt8(ascii: "p"): answerModeRequest(sequence)
        default: break
        }
    }

    /// A table.
    private func performPlain(_ sequence: ControlSequence) {
        let count = sequence.count()
        switch Unicode.Scalar(sequence.final) {
        case "A": state.moveVertically(-count)
        case "B", "e": state.moveVertically(count)
        case "C", "a": moveTo(column: state.column + count)
        case "D": moveTo(column: state.column - count)
        case "E", "F":
            state.moveVertically(sequence.final == UInt8(ascii: "E") ? count : -count)
            moveTo(column: 0)
        case "G", "`": moveTo(column: count - 1)
        case "d": moveTo(row: count - 1)
        case "H", "f":
            moveTo(row: count - 1)
            moveTo(column: sequence.count(1) - 1)
        case "I": for _ in 0..<min(count, size.columns) { state.nextTab() }
        case "Z": for _ in 0..<min(count, size.columns) { state.previousTab() }
        case "J": eraseDisplay(sequence.number(0, or: 0))
        case "K": eraseLine(sequence.number(0, or: 0))
        case "L": insertLines(count)
        case "M": deleteLines(count)
        case "@": state.grid.insertCells(count, row: state.row, column: state.column, style: state.eraseStyle)
        case "P": state.grid.deleteCells(count, row: state.row, column: state.column, style: state.eraseStyle)
        case "X":
            let end = min(size.columns, state.column + count)
            state.grid.erase(row: state.row, columns: state.column..<end, style: state.eraseStyle)
        case "S": scrollUp(count)
        case "T" where sequence.numbers.count <= 1:
            state.grid.scrollDown(count, region: state.margins, style: state.eraseStyle)
        case "b": repeatLast(count)
        case "c" where sequence.number(0, or: 0) == 0: answer("\u{1B}[?62;22c")
        case "g": clearTabs(sequence.number(0, or: 0))
        case "h", "l": setModes(sequence, isOn: sequence.final == UInt8(ascii: "h"))
        case "m": state.style.apply(sequence)
        case "n": answerStatus(sequence.number(0, or: 0), isPrivate: false)
        case "r": state.setMargins(top: sequence.count(0), bottom: sequence.number(1, or: size.rows))
        case "s": state.save()
        case "u": state.restore()
        case "t" where sequence.number(0, or: 0) == 18: answer("\u{1B}[8;\(size.rows);\(size.columns)t")
        default: break
        }
    }

    private func performPrivate(_ sequence: ControlSequence) {
        switch Unicode.Scalar(sequence.final) {
        case "h", "l": setPrivateModes(sequence, isOn: sequence.final == UInt8(ascii: "h"))
        case "n": answerStatus(sequence.number(0, or: 0), isPrivate: true)
        // DECSED and DECSEL: nothing here is protected.
        case "J": eraseDisplay(sequence.number(0, or: 0))
        case "K": eraseLine(sequence.number(0, or: 0))
        default: break
        }
    }

    private func moveTo(column: Int) {
        state.column = min(max(0, column), size.columns - 1)
        state.isWrapPending = false
    }

    private func moveTo(row: Int) {
        state.move(row: row + (state.isOrigin ? state.margins.lowerBound : 0), column: state.column)
    }

    private func eraseDisplay(_ part: Int) {
        let style = state.eraseStyle
        switch part {
        case 0:
            eraseLine(0)
            state.grid.erase(rows: state.row + 1..<max(state.row + 1, size.rows), style: style)
        case 1:
            eraseLine(1)
            state.grid.erase(rows: 0..<state.row, style: style)
        case 2: state.grid.erase(rows: 0..<size.rows, style: style)
        case 3: clearScrollback()
        default: break
        }
    }

    private func eraseLine(_ part: Int) {
        let columns = part == 0 ? state.column..<size.columns : part == 1 ? 0..<state.column + 1 : 0..<size.columns
        guard part <= 2 else { return }
        state.grid.erase(row: state.row, columns: columns, style: state.eraseStyle)
        state.isWrapPending = false
    }

    private func insertLines(_ count: Int) {
        guard state.margins.contains(state.row) else { return }
        state.grid.scrollDown(count, region: state.row..<state.margins.upperBound, style: state.eraseStyle)
        moveTo(column: 0)
    }

    private func deleteLines(_ count: Int) {
        guard state.margins.contains(state.row) else { return }
        state.grid.scrollUp(count, region: state.row..<state.margins.upperBound, style: state.eraseStyle)
        moveTo(column: 0)
    }

    /// REP: no more than fills a row, which is all that programs use it for. Eight bytes that filled the screen would let
    /// a program's output hold up the keys.
    private func repeatLast(_ count: Int) {
        guard let scalar = state.lastScalar else { return }
        let count = min(count, max(1, size.columns / max(1, TextWidth.columns(of: scalar))))
        guard scalar.isASCII, state.sets[state.activeSet] == .ascii else {
            for _ in 0..<count { print(scalar) }
            return
        }
        [UInt8](repeating: UInt8(ascii: scalar), count: count).withUnsafeBufferPointer { print($0) }
    }

    private func clearTabs(_ part: Int) {
        if part == 0 { state.tabs[state.column] = false }
        if part == 3 { state.tabs = [Bool](repeating: false, count: size.columns) }
    }

    private func setCursorShape(_ number: Int) {
        options.cursorShape = number >= 5 ? .bar : number >= 3 ? .underline : .block
    }

    /// DECSTR.
    private func softReset() {
        options.isCursorVisible = true
        options.hasApplicationCursorKeys = false
        options.sendsLineFeed = false
        state.inserts = false
        state.isOrigin = false
        state.wraps = true
        state.style = .plain
        state.sets = [.ascii, .ascii]
        state.activeSet = 0
        state.margins = 0..<size.rows
        state.saved = SavedCursor()
    }

    private func answerStatus(_ number: Int, isPrivate: Bool) {
        let top = state.isOrigin ? state.margins.lowerBound : 0
        let mark = isPrivate ? "?" : ""
        if number == 5, !isPrivate { answer("\u{1B}[0n") }
        if number == 6 { answer("\u{1B}[\(mark)\(state.row - top + 1);\(state.column + 1)R") }
    }
}
