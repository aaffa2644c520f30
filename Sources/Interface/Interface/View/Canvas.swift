import Terminal

/// A frame being drawn with a theme.
struct Canvas {
    var frame: Frame
    let theme: Theme

    init(size: Size, theme: Theme) {
        frame = Frame(size: size, style: theme[.text])
        self.theme = theme
    }

    /// Draws text on row `row` of `region`, from `column` in it; returns the column after it.
    @discardableResult
    mutating func put(
        _ text: some StringProtocol, _ role: Role = .text, column: Int = 0, row: Int = 0, in region: Region
    ) -> Int {
        column + frame.put(text, column: column, row: row, in: region, style: theme[role], truncation: .ellipsis)
    }

    /// As `put`, with a style made from the role's.
    @discardableResult
    mutating func put(
        _ text: some StringProtocol, style: Style, column: Int = 0, row: Int = 0, in region: Region
    ) -> Int {
        column + frame.put(text, column: column, row: row, in: region, style: style, truncation: .ellipsis)
    }

    mutating func putRight(_ text: some StringProtocol, _ role: Role = .text, row: Int = 0, in region: Region) {
        frame.put(text, aligned: .right, row: row, in: region, style: theme[role])
    }

    mutating func putCentered(_ text: some StringProtocol, _ role: Role = .text, row: Int = 0, in region: Region) {
        frame.put(text, aligned: .center, row: row, in: region, style: theme[role])
    }

    /// Draws a line that is being typed, the part of it around the cursor where it is longer than `region`; returns the
    /// cursor's column in it.
    mutating func putTyped(_ editor: LineEditor, _ role: Role, in region: Region) -> Int {
        let before = editor.cursorColumn
        let hidden = max(0, before - region.columns + 1)
        guard hidden > 0 else {
            put(editor.text, role, in: region)
            return before
        }
        var skipped = 0
        let rest = editor.text.drop { character in
            guard skipped < hidden else { return false }
            skipped += TextWidth.columns(of: String(character))
            return true
        }
        put(rest, role, in: region)
        return before - skipped
    }

    /// A sentence for a panel that has nothing to show, in its middle.
    mutating func putNotice(_ text: String, in region: Region) {
        let lines = TextWrap.lines(of: text, columns: min(56, region.columns - 2))
        let top = max(0, (region.rows - lines.count) / 2)
        for (index, line) in lines.enumerated() where top + index < region.rows {
            putCentered(line, .muted, row: top + index, in: region)
        }
    }

    mutating func fill(_ region: Region, _ role: Role) { frame.fill(region, style: theme[role]) }

    /// Lays a role over what is drawn, as the bar of the selected row.
    mutating func highlight(_ region: Region, _ role: Role) {
        let style = theme[role]
        let base = theme[.text]
        frame.restyle(region) { old in
            var new = style
            // A coloured word keeps its colour on the bar where the bar has one of its own.
            if style.background != base.background, old.foreground != base.foreground {
                new.foreground = old.foreground
            }
            new.attributes.formUnion(old.attributes)
            return new
        }
    }
}
