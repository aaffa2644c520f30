/// What a piece of the screen is for; a theme gives each role a style. The raw value is the role's name in theme files.
package enum Role: String, CaseIterable, Sendable {
    case text, muted, header
    case title
    case titleFocused = "title-focused"
    /// The console's title while it takes every key.
    case titleCaptured = "title-captured"
    case rule, selection
    case selectionUnfocused = "selection-unfocused"
    case match
    case hintKey = "hint-key"
    case hintLabel = "hint-label"
    case status, success, warning, error
    case stateRunning = "state-running"
    case statePaused = "state-paused"
    case stateCreated = "state-created"
    case stateExited = "state-exited"
    case stateFailed = "state-failed"
    case graphCPU = "graph-cpu"
    case graphMemory = "graph-memory"
    case graphIO = "graph-io"
    case graphPids = "graph-pids"
    case graphMark = "graph-mark"
    case dialog
    case dialogTitle = "dialog-title"
    case dialogMuted = "dialog-muted"
    case field
    case fieldFocused = "field-focused"
    case fieldError = "field-error"
    case button
    case buttonFocused = "button-focused"

    /// Roles that must stand out by their background; without colours they are shown in reverse.
    static let raised: Set<Role> = [
        .titleFocused, .titleCaptured, .selection, .match, .fieldFocused, .buttonFocused,
    ]

    /// Where several unraised bars meet without colours, an underline parts them.
    static let underlined: Set<Role> = [.title, .selectionUnfocused, .field, .button]
}
