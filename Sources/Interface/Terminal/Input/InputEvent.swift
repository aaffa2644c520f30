/// What the person at the terminal, or the terminal itself, did.
package enum InputEvent: Hashable, Sendable {
    case key(Key)
    /// Text from the clipboard, whole, as the terminal bracketed it.
    case paste(String)
    case mouse(MouseEvent)
    /// The terminal has a new size; the next frame must have it.
    case resize(Size)
    case focus(Bool)
    /// Back from a suspension: present again, everything is written anew.
    case resumed
    /// SIGTERM, SIGINT or SIGHUP arrived: end in order. A second one restores the terminal and ends the process.
    case terminate(signal: Int32)
    /// The terminal is gone: nothing more will come, nothing can be shown.
    case hangup
}

/// A mouse button pressed, released or turned at a position of the screen.
package struct MouseEvent: Hashable, Sendable {
    package enum Action: Hashable, Sendable {
        case press(Button)
        case release(Button)
        /// Moved with the button held.
        case drag(Button)
        /// Moved with none held; only while all motion is asked for.
        case move
        case wheelUp, wheelDown, wheelLeft, wheelRight
    }

    package enum Button: Hashable, Sendable { case left, middle, right }

    package var action: Action
    package var position: Position
    package var modifiers: Key.Modifiers

    package init(_ action: Action, at position: Position, modifiers: Key.Modifiers = []) {
        self.action = action
        self.position = position
        self.modifiers = modifiers
    }
}
