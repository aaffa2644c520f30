import CVTerm
import Terminal

@testable import Emulator

/// What libvterm reports while it is fed, collected.
final class VTermSink {
    private(set) var size: Size
    /// Rows of the live screen that were not read since they changed.
    var damaged: [Bool]
    var scrollback: Scrollback
    var output: [UInt8] = []
    var bells = 0
    var generation = 0
    private(set) var title = ""
    private(set) var cursor = Position(column: 0, row: 0)
    private(set) var isCursorVisible = true
    private(set) var cursorShape = Frame.CursorShape.block
    private(set) var modes = EmulatorModes()

    init(size: Size, scrollback: Scrollback) {
        self.size = size
        self.scrollback = scrollback
        damaged = [Bool](repeating: true, count: size.rows)
    }

    /// Callbacks come during a resize, with rows of either size.
    func willResize(to size: Size) {
        damaged = [Bool](repeating: true, count: max(size.rows, self.size.rows))
    }

    func didResize(to size: Size) {
        self.size = size
        damaged = [Bool](repeating: true, count: size.rows)
        cursor.row = min(cursor.row, size.rows - 1)
        cursor.column = min(cursor.column, size.columns - 1)
        generation += 1
    }

    func damageAll() {
        for row in damaged.indices { damaged[row] = true }
        generation += 1
    }

    private func damage(_ rect: VTermRect) {
        let first = max(0, Int(rect.start_row))
        for row in first..<max(first, min(Int(rect.end_row), damaged.count)) { damaged[row] = true }
        generation += 1
    }

    private func move(to position: VTermPos) {
        cursor = Position(column: min(Int(position.col), size.columns - 1), row: Int(position.row))
        generation += 1
    }

    private func set(_ property: VTermProp, _ value: VTermValue) {
        switch property {
        case VTERM_PROP_CURSORVISIBLE: isCursorVisible = value.boolean != 0
        case VTERM_PROP_ALTSCREEN: modes.isAlternateScreen = value.boolean != 0
        case VTERM_PROP_TITLE: title = value.string.map { Self.printable(String(cString: $0)) } ?? ""
        case VTERM_PROP_MOUSE:
            let mice: [EmulatorModes.Mouse] = [.off, .click, .drag, .motion]
            modes.mouse = mice.indices.contains(Int(value.number)) ? mice[Int(value.number)] : .off
        case VTERM_PROP_CURSORSHAPE:
            let shapes: [Frame.CursorShape] = [.block, .underline, .bar]
            let index = Int(value.number) - 1
            cursorShape = shapes.indices.contains(index) ? shapes[index] : .block
        default: return
        }
        generation += 1
    }

    /// A title is the program's to choose and the user's to see: no control characters, no more than fits a line.
    private static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { TextWidth.columns(of: $0) >= 0 }.prefix(256)))
    }
}

/// The C side. Each function finds its sink in the context pointer, which the emulator keeps alive.
extension VTermSink {
    private static func sink(_ context: UnsafeMutableRawPointer?) -> VTermSink? {
        context.map { Unmanaged<VTermSink>.fromOpaque($0).takeUnretainedValue() }
    }

    static let output: @convention(c) (UnsafePointer<CChar>?, Int, UnsafeMutableRawPointer?) -> Void = {
        bytes, count, context in
        guard let bytes else { return }
        let buffer = UnsafeRawBufferPointer(start: bytes, count: count)
        VTermSink.sink(context)?.output.append(contentsOf: buffer)
    }

    /// Built anew for each emulator.
    static var callbacks: VTermScreenCallbacks {
        var callbacks = VTermScreenCallbacks()
        callbacks.damage = { rect, context in
            VTermSink.sink(context)?.damage(rect)
            return 1
        }
        callbacks.moverect = { target, _, context in
            VTermSink.sink(context)?.damage(target)
            return 1
        }
        callbacks.movecursor = { position, _, _, context in
            VTermSink.sink(context)?.move(to: position)
            return 1
        }
        callbacks.settermprop = { property, value, context in
            if let value { VTermSink.sink(context)?.set(property, value.pointee) }
            return 1
        }
        callbacks.bell = { context in
            VTermSink.sink(context)?.bells += 1
            return 1
        }
        callbacks.sb_pushline = { count, cells, context in
            guard let cells, let sink = VTermSink.sink(context) else { return 0 }
            sink.scrollback.append(VTermCells.line(UnsafeBufferPointer(start: cells, count: Int(count))))
            return 1
        }
        callbacks.sb_popline = { count, cells, context in
            guard let cells, let line = VTermSink.sink(context)?.scrollback.removeLast() else { return 0 }
            VTermCells.fill(UnsafeMutableBufferPointer(start: cells, count: Int(count)), with: line)
            return 1
        }
        return callbacks
    }
}
