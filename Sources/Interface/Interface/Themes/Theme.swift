import Terminal

/// A style for each role, ready to draw with.
package struct Theme: Sendable {
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

    package subscript(role: Role) -> Style { Self.index[role].map { styles[$0] } ?? .plain }

    /// The theme as a terminal of this depth can tell its roles apart: without colours, by attributes alone.
    package func adapted(to depth: ColorDepth) -> Theme {
        guard depth == .none else { return self }
        var theme = self
        for (position, role) in Role.allCases.enumerated() {
            var style = Style(attributes: styles[position].attributes)
            if Role.raised.contains(role) { style.attributes.insert(.reverse) }
            if Role.underlined.contains(role) { style.attributes.insert(.underline) }
            theme.styles[position] = style
        }
        return theme
    }
}
