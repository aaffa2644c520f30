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
        let base = Palette.reduce(self[.text].background, to: depth)
        for (position, role) in Role.allCases.enumerated() {
            var style = styles[position]
            style.foreground = Palette.reduce(style.foreground, to: depth)
            style.background = Palette.reduce(style.background, to: depth)
            if style.foreground == style.background, style.foreground != .default {
                style.foreground = Palette.reduce(self[.text].foreground, to: depth)
            }
            if style.background == base {
                if Role.raised.contains(role) { style.attributes.insert(.reverse) }
                if Role.underlined.contains(role) { style.attributes.insert(.underline) }
            }
            theme.styles[position] = style
        }
        return theme
    }
}
