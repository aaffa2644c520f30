import Terminal

/// Text and controls.
extension GridEmulator: ControlHandler {
    func print(_ text: UnsafeBufferPointer<UInt8>) {
        guard state.sets[state.activeSet] == .ascii, !state.inserts, state.wraps else {
            for byte in text { place(Cell(state.sets[state.activeSet].scalar(for: byte), style: state.style)) }
            return remember(text)
        }
        var rest = text[...]
        while !rest.isEmpty {
            if state.isWrapPending { wrap() }
            let count = state.grid.write(
                UnsafeBufferPointer(rebasing: rest), row: state.row, column: state.column, style: state.style)
            rest = rest.dropFirst(count)
            state.lastPosition = Position(column: state.column + count - 1, row: state.row)
            advance(count)
        }
        remember(text)
    }

    private func remember(_ text: UnsafeBufferPointer<UInt8>) {
        if let last = text.last { state.lastScalar = state.sets[state.activeSet].scalar(for: last) }
    }

    func print(_ scalar: Unicode.Scalar) {
        let columns = TextWidth.columns(of: scalar)
        switch columns {
        case -1: return
        case 0: combine(scalar)
        default:
            state.lastScalar = scalar
            place(Cell(scalar, columns: columns, style: state.style))
        }
    }

    /// Joins a mark to the character before it. Joiners and selectors change no column and are left out.
    private func combine(_ mark: Unicode.Scalar) {
        guard let last = state.lastPosition, !mark.properties.isDefaultIgnorableCodePoint else { return }
        state.grid.combine(mark, row: last.row, column: last.column)
    }

    private func place(_ cell: Cell) {
        let width = Int(cell.width)
        if state.isWrapPending { wrap() }
        if state.column + width > state.grid.size.columns {
            if state.wraps { wrap() } else { state.column = max(0, state.grid.size.columns - width) }
        }
        if state.inserts {
            state.grid.insertCells(width, row: state.row, column: state.column, style: state.eraseStyle)
        }
        state.grid.write(cell, row: state.row, column: state.column)
        state.lastPosition = Position(column: state.column, row: state.row)
        advance(width)
    }

    private func advance(_ count: Int) {
        state.column += count
        guard state.column >= state.grid.size.columns else { return }
        state.column = state.grid.size.columns - 1
        state.isWrapPending = state.wraps
    }

    private func wrap() {
        state.isWrapPending = false
        state.column = 0
        index()
    }

    func control(_ byte: UInt8) {
        switch byte {
        case 0x07: bells = min(bells + 1, 1000)
        case 0x08:
            state.column = max(0, state.column - 1)
            state.isWrapPending = false
        case 0x09: state.nextTab()
        case 0x0A...0x0C:
            index()
            if options.sendsLineFeed { state.column = 0 }
            state.isWrapPending = false
        case 0x0D:
            state.column = 0
            state.isWrapPending = false
        case 0x0E: state.activeSet = 1
        case 0x0F: state.activeSet = 0
        default: break
        }
    }

    /// IND: down a row; at the lower margin the rows scroll.
    func index() {
        if state.row == state.margins.upperBound - 1 {
            scrollUp(1)
        } else {
            state.row = min(state.row + 1, state.grid.size.rows - 1)
        }
    }

    /// Scrolls between the margins. What leaves the top of the primary screen goes to the scrollback.
    func scrollUp(_ count: Int) {
        let gone = state.grid.scrollUp(count, region: state.margins, style: state.eraseStyle)
        state.lastPosition = nil
        guard state.margins.lowerBound == 0, !options.isAlternateScreen else { return }
        // Rows that were blanked together are one array in memory, and one line here: a few bytes may scroll many of them.
        var last: (cells: UnsafePointer<Cell>?, line: ScrollbackLine)?
        for row in gone {
            let cells = row.withUnsafeBufferPointer { $0.baseAddress }
            let line = if let last, last.cells == cells { last.line } else { ScrollbackLine(row) }
            scrollback.append(line)
            last = (cells, line)
        }
    }

    func escape(intermediate: UInt8, final: UInt8) {
        switch (intermediate, final) {
        case (0, UInt8(ascii: "7")): state.save()
        case (0, UInt8(ascii: "8")): state.restore()
        case (0, UInt8(ascii: "D")): index()
        case (0, UInt8(ascii: "E")):
            index()
            state.column = 0
            state.isWrapPending = false
        case (0, UInt8(ascii: "H")): state.tabs[state.column] = true
        case (0, UInt8(ascii: "M")): reverseIndex()
        case (0, UInt8(ascii: "Z")): answer("\u{1B}[?62;22c")
        case (0, UInt8(ascii: "c")): resetState()
        case (UInt8(ascii: "#"), UInt8(ascii: "8")):
            state.grid.fillWithLetterE()
            state.move(row: 0, column: 0)
        case (UInt8(ascii: "("), let final): designate(0, final)
        case (UInt8(ascii: ")"), let final): designate(1, final)
        default: break
        }
    }

    private func designate(_ index: Int, _ designation: UInt8) {
        if let set = CharacterSet(designation: designation) { state.sets[index] = set }
    }

    private func reverseIndex() {
        state.isWrapPending = false
        if state.row == state.margins.lowerBound {
            state.grid.scrollDown(1, region: state.margins, style: state.eraseStyle)
        } else {
            state.row = max(0, state.row - 1)
        }
    }

    func systemCommand(_ text: [UInt8]) {
        guard let semicolon = text.firstIndex(of: UInt8(ascii: ";")), [[0x30], [0x32]].contains(text[..<semicolon])
        else { return }
        // A title is the program's to choose and the user's to see: no control characters, no more than fits a line.
        let scalars = String(decoding: text[(semicolon + 1)...], as: UTF8.self).unicodeScalars
        title = String(String.UnicodeScalarView(scalars.filter { TextWidth.columns(of: $0) >= 0 }.prefix(256)))
    }

    func answer(_ text: String) {
        // Who asks without reading the answers gets no more of them.
        if output.count < 1 << 16 { output += Array(text.utf8) }
    }
}
