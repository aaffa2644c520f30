/// Why a terminal cannot be used.
package enum TerminalError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Input or output is no terminal.
    case notATerminal(stream: String)
    /// Neither the type nor any that it could be taken for has an entry.
    case noEntry(term: String)
    /// The type is of a terminal that can only go on writing lines.
    case dumb
    case notOpened(term: String, reason: String)
    /// The terminal is another process group's, and no shell is there that would give it to this one.
    case inBackground

    package var description: String {
        switch self {
        case .notATerminal(let stream):
            return "open the screen: \(stream) is not a terminal"
        case .noEntry(let term):
            return "open the screen: no terminfo entry for `\(term)` or any like it (install `ncurses-base`)"
        case .dumb:
            return "open the screen: TERM is `dumb`, a terminal that can place no cursor (where it can, say so: "
                + "`TERM=xterm-256color gantry`)"
        case .notOpened(let term, let reason):
            return "open the screen: terminal type `\(term)`: \(reason)"
        case .inBackground:
            return "open the screen: this process is in the background of its terminal, and no shell can change that "
                + "(under timeout(1): `timeout --foreground`)"
        }
    }
}
