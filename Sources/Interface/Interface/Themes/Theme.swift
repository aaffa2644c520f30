import Terminal

/// A style for each role, ready to draw with.
package struct Theme: Sendable {
    /// As it was asked for.
    package let name: String
    private var styles: [Style]

    private static let index: [Role: Int] = Dictionary(
        uniqueKeysWithValues: Role.allCases.enumerated().map { ($1, $0) })

    /// - Parameter styles: what the file gives; a role without one is drawn as `text`.
    init(name: String, styles given: [Role: Style]) {
        self.name = name
        let text = given[.text] ?? .plain
        styles = Role.allCases.map { given[$0] ?? text }
    }

    /// The style to draw a role with.
    package subscript(role: Role) -> Style { Self.index[role].map { styles[$0] } ?? .plain }

    /// The theme as a terminal of this depth can tell its roles apart: with few colours or none, attributes stand in for
    /// the colours that have become the same.
    package func adapted(to depth: ColorDepth) -> Theme {
        guard depth <= .sixteen else { return self }
        var theme = self
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
