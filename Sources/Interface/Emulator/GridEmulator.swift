import Terminal

/// Our own terminal: what xterm does, as far as programs in containers use it. Written in Swift because libvterm 0.1 writes past
/// its arrays on sequences that any program may send; it also keeps dim text, and answers what it cannot do.
///
/// Confined to one isolation, as `TerminalEmulator` says. It does not reflow: a line keeps the width that it was written at.
package final class GridEmulator: TerminalEmulator {
    package private(set) var generation = 0
    package internal(set) var title = ""

    var state: ScreenState
    /// The state of the screen that is not shown: of the primary one while a program has the alternate one, and back.
    var otherGrid: ScreenGrid
    var options = TerminalOptions()
    var scrollback: Scrollback
    var output: [UInt8] = []
    var bells = 0
    private var parser = ControlParser()

    package init(size: Size, scrollback: ScrollbackLimit = ScrollbackLimit()) {
        let size = Self.usable(size)
        state = ScreenState(size: size)
        otherGrid = ScreenGrid(size: size)
        self.scrollback = Scrollback(limit: scrollback)
    }

    package var size: Size { state.grid.size }
    package var cursorShape: Frame.CursorShape { options.cursorShape }

    package var cursor: Position? {
        options.isCursorVisible ? Position(column: state.column, row: state.row) : nil
    }

    package var modes: EmulatorModes {
        var modes = EmulatorModes()
        modes.isAlternateScreen = options.isAlternateScreen
        modes.mouse = options.mouse
        return modes
    }

    package func feed(_ bytes: some Collection<UInt8>) {
        guard !bytes.isEmpty else { return }
        generation += 1
        let isDone: Void? = bytes.withContiguousStorageIfAvailable { parser.parse($0, into: self) }
        if isDone == nil { Array(bytes).withUnsafeBufferPointer { parser.parse($0, into: self) } }
    }

    package func resize(to size: Size) {
        let size = Self.usable(size)
        guard size != self.size else { return }
        generation += 1
        if options.isAlternateScreen {
            state.resize(to: size)
            resizeHidden(to: size)
        } else {
            state.resize(to: size, scrollback: &scrollback)
            otherGrid = ScreenGrid(size: size)
        }
    }

    /// The hidden primary screen keeps its own saved cursor, which goes with its rows.
    private func resizeHidden(to size: Size) {
        var hidden = ScreenState(size: otherGrid.size)
        hidden.grid = otherGrid
        hidden.row = options.cursorBeforeAlternate.row
        hidden.column = options.cursorBeforeAlternate.column
        hidden.resize(to: size, scrollback: &scrollback)
        otherGrid = hidden.grid
        options.cursorBeforeAlternate.row = hidden.row
        options.cursorBeforeAlternate.column = hidden.column
    }

    package func reset() {
        generation += 1
        parser = ControlParser()
        resetState()
    }

    /// RIS: all but the scrollback.
    func resetState() {
        state = ScreenState(size: size)
        otherGrid = ScreenGrid(size: size)
        options = TerminalOptions()
        title = ""
    }

    package var lines: Range<Int> {
        scrollback.dropped..<scrollback.dropped + scrollback.count + size.rows
    }

    package func line(_ number: Int) -> [Cell] {
        let index = number - scrollback.dropped
        guard index >= 0 else { return [] }
        if index < scrollback.count { return scrollback.cells(at: index) }
        let row = index - scrollback.count
        guard row < size.rows else { return [] }
        let cells = state.grid.visible(row)
        return options.isReversed ? cells.map(Self.reversed) : cells
    }

    private static func reversed(_ cell: Cell) -> Cell {
        var cell = cell
        cell.style.attributes.formSymmetricDifference(.reverse)
        return cell
    }

    package func clearScrollback() {
        scrollback.removeAll()
        generation += 1
    }

    package func takeOutput() -> [UInt8] {
        defer { output = [] }
        return output
    }

    package func takeBells() -> Int {
        defer { bells = 0 }
        return bells
    }

    package func send(_ key: Key) {
        output += KeyBytes.encode(
            key, applicationCursorKeys: options.hasApplicationCursorKeys, sendsLineFeed: options.sendsLineFeed)
    }

    package func paste(_ text: String) {
        let bytes = KeyBytes.encode(paste: text)
        output += options.bracketsPaste ? Array("\u{1B}[200~".utf8) + bytes + Array("\u{1B}[201~".utf8) : bytes
    }

    @discardableResult
    package func send(_ mouse: MouseEvent) -> Bool {
        guard let bytes = MouseBytes.encode(mouse, mode: options.mouse, isModern: options.usesModernMouse, size: size)
        else { return false }
        output += bytes
        return true
    }

    package func sendFocus(_ isFocused: Bool) {
        if options.tellsFocus { output += Array((isFocused ? "\u{1B}[I" : "\u{1B}[O").utf8) }
    }

    /// Sizes are of the user's making: nothing below 1, and no more than makes sense.
    private static func usable(_ size: Size) -> Size {
        Size(columns: min(max(1, size.columns), 4096), rows: min(max(1, size.rows), 4096))
    }
}
