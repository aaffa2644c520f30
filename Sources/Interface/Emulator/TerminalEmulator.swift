import Terminal

/// The terminal that a container's process believes to be on: bytes in, a grid of cells out.
///
/// An emulator belongs to one isolation: it is not `Sendable`, and everything on it runs where it was made (in the front
/// end, the main thread). Nothing here waits, reads or writes; what the program is to receive is collected for
/// `takeOutput`.
package protocol TerminalEmulator: AnyObject {
    var size: Size { get }
    /// As the program set it; empty until it does.
    var title: String { get }
    /// Where the cursor stands in the live screen; nil while the program hides it.
    var cursor: Position? { get }
    var cursorShape: Frame.CursorShape { get }
    /// What the program asked the terminal for.
    var modes: EmulatorModes { get }
    /// Another number whenever anything that can be seen has changed: equal numbers, nothing to draw.
    var generation: Int { get }

    /// Takes output of the program: any bytes, cut anywhere.
    func feed(_ bytes: some Collection<UInt8>)
    /// Sets a new size; less than 1×1 is taken as 1×1.
    func resize(to size: Size)
    /// Back to the state of a new terminal; the scrollback stays.
    func reset()

    /// The lines that can be read: the scrollback, then the live screen as the last `size.rows` of them. A line keeps its
    /// number while it is kept, so that a view of the scrollback stands still while output goes on.
    var lines: Range<Int> { get }
    /// The cells of a line: `size.columns` of them, or what was written in a line of the scrollback, at the width of then.
    func line(_ number: Int) -> [Cell]
    /// Forgets the scrollback.
    func clearScrollback()

    /// Bytes that the program is to receive, and forgets them: answers to its questions, keys, pastes, mouse.
    func takeOutput() -> [UInt8]
    /// How many bells rang since the last call.
    func takeBells() -> Int
    /// Encodes a key for the modes that the program has set.
    func send(_ key: Key)
    /// Encodes a paste, bracketed where the program asked for it, without the control characters that could end the
    /// bracket; line ends become carriage returns, as if typed.
    func paste(_ text: String)
    /// Encodes a mouse event with its position in the live screen; false where the program did not ask for such.
    @discardableResult
    func send(_ mouse: MouseEvent) -> Bool
    /// Tells of focus gained or lost, where the program asked for it.
    func sendFocus(_ isFocused: Bool)
}

/// What a program asked its terminal for, as far as it matters outside of the emulator.
package struct EmulatorModes: Hashable, Sendable {
    package enum Mouse: Hashable, Sendable {
        case off, click, drag, motion
    }

    /// A full-screen program: no scrollback, and a wheel that it did not ask for should send arrow keys.
    package var isAlternateScreen = false
    package var mouse = Mouse.off

    package init() {}
}

/// How much of what scrolled off an emulator keeps; the oldest lines go first.
package struct ScrollbackLimit: Hashable, Sendable {
    package var lines: Int
    package var bytes: Int

    package init(lines: Int = 10_000, bytes: Int = 4 << 20) {
        self.lines = lines
        self.bytes = bytes
    }
}
