import CCurses
import Glibc

/// Modes of the terminal that curses does not know: mouse, bracketed paste, cursor shape.
///
/// Written past curses, right after it has flushed or before it writes anything.
@MainActor
struct TerminalModes {
    private let output: SequenceOutput
    private let isPlain: Bool
    /// The Linux console has no such sequence, and prints its end.
    private let hasCursorShapes: Bool

    /// Sets up the guard too: the bytes that put the terminal back are known from here on.
    init(environment: [String: String], output: Int32) {
        self.output = SequenceOutput(output)
        // Real old terminals print what they do not know; they are few, and none of them has a mouse.
        let term = environment["TERM"] ?? ""
        isPlain = term.isEmpty || term == "dumb" || term.hasPrefix("vt1") || term.hasPrefix("vt5") || term == "ansi"
        hasCursorShapes = !isPlain && !term.hasPrefix("linux")
        let leaving = isPlain ? "" : Self.leaving + (hasCursorShapes ? Self.usualShape : "")
        let bytes = Array(leaving.utf8).map { CChar(bitPattern: $0) } + Self.entryBytes()
        gantry_guard_set_bytes(bytes, bytes.count)
    }

    /// Buttons with motion while held (1002), told in the modern form (1006); focus (1004); bracketed paste (2004).
    private static let entering = "\u{1B}[?1000h\u{1B}[?1002h\u{1B}[?1006h\u{1B}[?1004h\u{1B}[?2004h"
    private static let leaving = "\u{1B}[?2026l\u{1B}[?2004l\u{1B}[?1004l\u{1B}[?1006l\u{1B}[?1002l\u{1B}[?1000l"
    /// The shape that the user has chosen.
    private static let usualShape = "\u{1B}[0 q"

    func enter() {
        if !isPlain { write(Self.entering) }
    }

    func leave() {
        if !isPlain { write(Self.leaving) }
        if hasCursorShapes { write(Self.usualShape) }
    }

    func set(_ shape: Frame.CursorShape) {
        guard hasCursorShapes else { return }
        switch shape {
        case .block: write(Self.usualShape)
        case .underline: write("\u{1B}[4 q")
        case .bar: write("\u{1B}[6 q")
        }
    }

    /// What it has come to is known by its answer (`FramePacing`).
    static let statusQuestion = "\u{1B}[5n"

    /// Whether the terminal can be trusted to answer its questions, or at least to be silent on them.
    var canAsk: Bool { !isPlain }

    /// Runs `flush`, which writes a picture, so that a terminal which knows how shows all of it at once (2026, which
    /// others ignore).
    ///
    /// - Parameters:
    ///   - isWhole: nothing of it may be seen without the rest.
    ///   - isAsked: the terminal is asked for its status afterwards.
    func paint(isWhole: Bool, isAsked: Bool, flush: () -> Void) {
        output.settle()
        let isHeld = isWhole && !isPlain
        if isHeld { write("\u{1B}[?2026h") }
        flush()
        let after = (isHeld ? "\u{1B}[?2026l" : "") + (isAsked ? Self.statusQuestion : "")
        if !after.isEmpty { write(after) }
    }

    /// Whether the terminal has taken all of it.
    @discardableResult
    func write(_ text: String) -> Bool { output.write(text) }

    /// What undoes curses' own changes: keypad mode, attributes, colours, a hidden cursor, the alternate screen.
    private static func entryBytes() -> [CChar] {
        let names = ["rmkx", "sgr0", "op", "cnorm", "rmcup"]
        return names.flatMap { (name: String) -> [CChar] in
            [CChar](unsafeUninitializedCapacity: 64) { buffer, count in
                count = gantry_terminfo_bytes(name, buffer.baseAddress, 64)
            }
        }
    }
}
