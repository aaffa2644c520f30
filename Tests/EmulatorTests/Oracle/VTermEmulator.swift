import CVTerm
import Terminal

@testable import Emulator

/// The same boundary on libvterm: the oracle that our own emulator is held against, and no part of the program, because
/// libvterm 0.1 cannot be fed just anything (see `VTermStreamFilter`).
///
/// Confined to one isolation, as `TerminalEmulator` says: libvterm calls back while it is fed, on the same thread.
final class VTermEmulator: TerminalEmulator {
    /// libvterm puts a run of text on its stack whole, so no more than this is fed at once.
    private static let pieceBytes = 16 << 10

    private let terminal: OpaquePointer
    private let screen: OpaquePointer
    private let state: OpaquePointer
    /// libvterm keeps the pointer, not what it points at.
    private let callbacks: UnsafeMutablePointer<VTermScreenCallbacks>
    private let sink: VTermSink
    private var filter = VTermStreamFilter()
    private var passed: [UInt8] = []
    private var rows: [[Cell]]

    init(size: Size, scrollback: ScrollbackLimit = ScrollbackLimit()) {
        let size = Self.usable(size)
        terminal = vterm_new(Int32(size.rows), Self.vtermColumns(size))
        screen = vterm_obtain_screen(terminal)
        state = vterm_obtain_state(terminal)
        sink = VTermSink(size: size, scrollback: Scrollback(limit: scrollback))
        rows = [[Cell]](repeating: [], count: size.rows)
        callbacks = UnsafeMutablePointer.allocate(capacity: 1)
        callbacks.initialize(to: VTermSink.callbacks)
        let context = Unmanaged.passUnretained(sink).toOpaque()
        vterm_set_utf8(terminal, 1)
        vterm_output_set_callback(terminal, VTermSink.output, context)
        vterm_screen_set_callbacks(screen, callbacks, context)
        vterm_screen_set_damage_merge(screen, VTERM_DAMAGE_SCROLL)
        vterm_screen_enable_altscreen(screen, 1)
        vterm_screen_reset(screen, 1)
    }

    deinit {
        vterm_free(terminal)
        callbacks.deallocate()
    }

    var size: Size { sink.size }
    var title: String { sink.title }
    var cursor: Position? { sink.isCursorVisible ? sink.cursor : nil }
    var cursorShape: Frame.CursorShape { sink.cursorShape }
    var modes: EmulatorModes { sink.modes }
    var generation: Int { sink.generation }

    func feed(_ bytes: some Collection<UInt8>) {
        let contiguous: Void? = bytes.withContiguousStorageIfAvailable(feedBuffer)
        if contiguous == nil { Array(bytes).withUnsafeBufferPointer(feedBuffer) }
        vterm_screen_flush_damage(screen)
    }

    private func feedBuffer(_ bytes: UnsafeBufferPointer<UInt8>) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Self.pieceBytes)
            rest = rest.dropFirst(piece.count)
            passed.removeAll(keepingCapacity: true)
            filter.pass(UnsafeBufferPointer(rebasing: piece), columns: size.columns, to: &passed)
            write(passed)
        }
    }

    private func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.pieceBytes))
                rest = rest.dropFirst(piece.count)
                _ = vterm_input_write(terminal, piece.bindMemory(to: CChar.self).baseAddress, piece.count)
            }
        }
    }

    func resize(to size: Size) {
        let size = Self.usable(size)
        guard size != sink.size else { return }
        sink.willResize(to: size)
        vterm_set_size(terminal, Int32(size.rows), Self.vtermColumns(size))
        vterm_screen_flush_damage(screen)
        sink.didResize(to: size)
        rows = [[Cell]](repeating: [], count: size.rows)
    }

    func reset() {
        filter = VTermStreamFilter()
        vterm_screen_reset(screen, 1)
        vterm_screen_flush_damage(screen)
        sink.damageAll()
    }

    var lines: Range<Int> {
        let first = sink.scrollback.dropped
        return first..<first + sink.scrollback.count + size.rows
    }

    func line(_ number: Int) -> [Cell] {
        let index = number - lines.lowerBound
        guard index >= 0 else { return [] }
        if index < sink.scrollback.count { return sink.scrollback.cells(at: index) }
        let row = index - sink.scrollback.count
        return row < size.rows ? liveRow(row) : []
    }

    func clearScrollback() {
        sink.scrollback.removeAll()
        sink.generation += 1
    }

    func takeOutput() -> [UInt8] {
        defer { sink.output = [] }
        return sink.output
    }

    func takeBells() -> Int {
        defer { sink.bells = 0 }
        return sink.bells
    }

    func send(_ key: Key) {
        if let bytes = KeyBytes.encode(key) {
            sink.output += bytes
        } else if let code = VTermKeyCode.code(for: key) {
            vterm_keyboard_key(terminal, code, VTermKeyCode.modifiers(key.modifiers))
        }
    }

    func paste(_ text: String) {
        vterm_keyboard_start_paste(terminal)
        sink.output += KeyBytes.encode(paste: text)
        vterm_keyboard_end_paste(terminal)
    }

    @discardableResult
    func send(_ mouse: MouseEvent) -> Bool {
        // libvterm tells of buttons whether the program asked or not.
        guard modes.mouse != .off else { return false }
        let before = sink.output.count
        let modifiers = VTermKeyCode.modifiers(mouse.modifiers)
        let column = min(max(0, mouse.position.column), size.columns - 1)
        let row = min(max(0, mouse.position.row), size.rows - 1)
        vterm_mouse_move(terminal, Int32(row), Int32(column), modifiers)
        if let (button, isPressed) = VTermKeyCode.button(for: mouse.action) {
            vterm_mouse_button(terminal, button, isPressed, modifiers)
        }
        return sink.output.count > before
    }

    func sendFocus(_ isFocused: Bool) {
        if isFocused { vterm_state_focus_in(state) } else { vterm_state_focus_out(state) }
    }

    /// A row of the live screen, read from libvterm only where it changed since it was last read.
    private func liveRow(_ row: Int) -> [Cell] {
        guard sink.damaged[row] else { return rows[row] }
        sink.damaged[row] = false
        var cells: [Cell] = []
        cells.reserveCapacity(size.columns)
        var source = VTermScreenCell()
        while cells.count < size.columns {
            let position = VTermPos(row: Int32(row), col: Int32(cells.count))
            guard vterm_screen_get_cell(screen, position, &source) != 0 else { break }
            VTermCells.append(source, to: &cells, limit: size.columns)
        }
        rows[row] = cells
        return cells
    }

    /// libvterm writes a wide character past the row where the row has one column: it gets two, and one is shown.
    private static func vtermColumns(_ size: Size) -> Int32 { Int32(max(2, size.columns)) }

    /// Sizes are of the user's making: nothing below 1, and no more than the kernel's own 16 bits.
    private static func usable(_ size: Size) -> Size {
        Size(columns: min(max(1, size.columns), 4096), rows: min(max(1, size.rows), 4096))
    }
}
