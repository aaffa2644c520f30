import Terminal

/// A style for each role, ready to draw with.
package struct Theme: Sendable {
    /// As it was asked for.
    package let name: String
    private var styles: [Style]
    /// What stands for the sixteen basic colours of programs; none: the terminal's own.
    private var ansi: [Color]

    private static let index: [Role: Int] = Dictionary(
        uniqueKeysWithValues: Role.allCases.enumerated().map { ($1, $0) })

    /// - Parameters:
    ///   - styles: what the file gives; a role without one is drawn as `text`.
    ///   - ansi: sixteen, or none.
    init(name: String, styles given: [Role: Style], ansi: [Color] = []) {
        self.ansi = ansi.count == 16 ? ansi : []
        self.name = name
        let text = given[.text] ?? .plain
        styles = Role.allCases.map { given[$0] ?? text }
    }

    /// The style to draw a role with.
    package subscript(role: Role) -> Style { Self.index[role].map { styles[$0] } ?? .plain }

    /// What a program printed, as it is drawn among what is the theme's.
    ///
    /// Basic colours are those that the theme has for its own background. Where a program chose the background alone, it
    /// reckons with text of its terminal's: whichever of the theme's two can be read there.
    package func printed(_ style: Style) -> Style {
        guard !ansi.isEmpty else { return style.over(self[.text]) }
        let text = self[.text]
        var style = style
        switch (style.foreground, style.background) {
        case (.palette(let index), .default) where index < 16: style.foreground = ansi[Int(index)]
        case (.default, .default): break
        case (.default, let background):
            let choices = [text.foreground, text.background].map { Style(foreground: $0, background: background) }
            let best = choices.max { (Contrast.ratio(of: $0) ?? 0) < (Contrast.ratio(of: $1) ?? 0) }
            style.foreground = best?.foreground ?? .default
        default: break
        }
        return style.over(text)
    }

    /// The theme as a terminal of this depth can tell its roles apart: with few colours or none, attributes stand in for
    /// the colours that have become the same.
    package func adapted(to depth: ColorDepth) -> Theme {
        guard depth <= .sixteen else { return self }
        var theme = self
        theme.ansi = []
        let base = Palette.reduce(self[.text], to: depth).background
        for (position, role) in Role.allCases.enumerated() {
            var style = Palette.reduce(styles[position], to: depth).readable
            if style.background == base {
                if Role.raised.contains(role) { style.attributes.insert(.reverse) }
                if Role.underlined.contains(role) { style.attributes.insert(.underline) }
            }
            theme.styles[position] = style
        }
        return theme
    }
}

extension Style {
    /// Black or white on the same background, where the foreground would hardly be seen on it: of few colours, some do
    /// not go together.
    fileprivate var readable: Style {
        guard let ratio = Contrast.ratio(of: self), ratio < 3 else { return self }
        let choices = [Color.palette(0), .palette(7)].map { color in
            Style(foreground: color, background: background, attributes: attributes.subtracting(.dim))
        }
        return choices.max { (Contrast.ratio(of: $0) ?? 0) < (Contrast.ratio(of: $1) ?? 0) } ?? self
    }
}
