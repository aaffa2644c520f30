import CCurses
import Glibc

/// Which terminfo entry to open the terminal with, and what to tell the user about it.
struct TerminalType: Equatable {
    let name: String
    /// `colors` of the entry, -1 for none.
    let colors: Int
    /// One line, where it is not the entry that `TERM` names.
    let notice: String?

    /// The first of the candidates that `probe` finds fit; nil where none is. `probe` answers as `gantry_terminfo_colors`.
    static func choose(term: String, probe: (String) -> Int) -> TerminalType? {
        var reason = "is unknown here"
        for (index, name) in candidates(for: term).enumerated() {
            let colors = probe(name)
            if colors >= -1 {
                let notice = index == 0 ? nil : "terminal type `\(term)` \(reason): using `\(name)`"
                return TerminalType(name: name, colors: colors, notice: notice)
            }
            if index == 0, colors == -3 { reason = "cannot place the cursor" }
        }
        return nil
    }

    /// `term` itself, then what it resembles, then what nearly every terminal understands.
    static func candidates(for term: String) -> [String] {
        var names = [term]
        let modern = [
            "xterm", "kitty", "ghostty", "alacritty", "foot", "wezterm", "iterm", "rio", "contour", "st-", "vte",
        ]
        if term.hasPrefix("tmux") || term.hasPrefix("screen") {
            names += ["screen-256color", "screen"]
        } else if term.contains("256") || modern.contains(where: term.contains) {
            names += ["xterm-256color"]
        }
        names += ["xterm", "vt100", "ansi"]
        return names.reduce(into: []) { list, name in
            if !name.isEmpty, !list.contains(name) { list.append(name) }
        }
    }

    static func probe(_ name: String, output: Int32) -> Int { Int(gantry_terminfo_colors(name, output)) }
}
