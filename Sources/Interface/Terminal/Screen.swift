/// A terminal: shows frames, tells what its user does. Main thread only, as curses is.
@MainActor
package protocol Screen: AnyObject {
    /// The size that the next frame must have.
    var size: Size { get }
    var colorDepth: ColorDepth { get }
    /// One line for the user on what had to be changed to make the terminal work; nil where nothing had.
    var notice: String? { get }
    /// Descriptors that become readable when `drainEvents` has something; for poll(2).
    var inputDescriptors: [Int32] { get }

    /// Whether the terminal has come to the frames before, about. While it has not, a frame would only wait behind them:
    /// a newer one is wanted once it has. An answer of the terminal makes an input descriptor readable; a look after a
    /// moment is needed, too, since it may never come.
    var isReady: Bool { get }

    /// Shows `frame`. Writes only what differs from the frame before; nothing at all where nothing does. A frame of
    /// another size than the screen's is cut or filled with spaces.
    func present(_ frame: Frame)
    /// All events that have arrived, without waiting for more. (An escape byte at the end of the input is waited upon for
    /// 25 ms, since it may begin a key.)
    func drainEvents() -> [InputEvent]
    /// Forgets what the terminal shows, so that the next frame is written whole.
    func invalidate()
    /// Gives the terminal back to the shell and stops the process (ctrl-z); returns when it is continued.
    func suspend()
    /// Runs `body` with the terminal as it was before `open`: for child programs that use it. What their user sends them
    /// by ctrl-c or ctrl-\ is not for this process; ctrl-z stops it with them where it may.
    func lend(mayStop: Bool, _ body: () -> Void)
    func bell()
    /// Gives text to the clipboard of the user's terminal (OSC 52), whole or not at all; false where the terminal has not
    /// taken it. What it does with it, it does not say.
    func copyToClipboard(_ text: String) -> Bool
    /// Restores the terminal. Nothing else may be called afterwards.
    func close()
}
