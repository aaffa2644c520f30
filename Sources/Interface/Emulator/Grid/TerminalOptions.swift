import Terminal

/// What a program has set of its terminal, apart from the screen.
struct TerminalOptions {
    var isAlternateScreen = false
    var isCursorVisible = true
    var cursorShape = Frame.CursorShape.block
    /// DECSCNM: the whole screen reversed.
    var isReversed = false
    var hasApplicationCursorKeys = false
    /// LNM: a return key sends a line feed too, and a line feed returns.
    var sendsLineFeed = false
    var bracketsPaste = false
    var tellsFocus = false
    var mouse = EmulatorModes.Mouse.off
    /// Mode 1006.
    var usesModernMouse = false
    var cursorBeforeAlternate = SavedCursor()
}

/// What DECSC keeps.
struct SavedCursor {
    var row = 0
    var column = 0
    var style = Style.plain
    var sets: [CharacterSet] = [.ascii, .ascii]
    var activeSet = 0
    var isOrigin = false
}
