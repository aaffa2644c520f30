/// The cells of a text: wide characters with their continuation, marks joined to their base.
///
/// What a terminal cannot hold in one character position is brought to what it can: emoji joined by U+200D stand side by
/// side, and skin tones and variation selectors are dropped, because terminals disagree on their columns.
/// A tab is one space; other control characters and lone marks are U+FFFD.
package struct TextCells: Sequence, IteratorProtocol {
    private var scalars: Substring.UnicodeScalarView
    private let style: Style
    private var pendingContinuation = false

    package init(_ text: some StringProtocol, style: Style) {
        scalars = Substring(text).unicodeScalars
        self.style = style
    }

    package mutating func next() -> Cell? {
        if pendingContinuation {
            pendingContinuation = false
            return .continuation(style: style)
        }
        guard let base = scalars.popFirst() else { return nil }
        var cell = base == "\t" ? Cell(style: style) : Cell(base, style: style)
        absorbMarks(into: &cell)
        pendingContinuation = cell.width == 2
        return cell
    }

    /// Takes what belongs to the same character off the front.
    private mutating func absorbMarks(into cell: inout Cell) {
        while let scalar = scalars.first {
            if scalar.value < 0x300 { return }
            let isTone = (0x1F3FB...0x1F3FF).contains(scalar.value) && cell.width == 2
            if isTone {
                scalars.removeFirst()
            } else if TextWidth.columns(of: scalar) == 0 {
                scalars.removeFirst()
                if !isSelector(scalar) { cell.combine(scalar) }
            } else {
                return
            }
        }
    }

    /// Variation selectors and other formats change how a base looks, not where the next one stands.
    private func isSelector(_ scalar: Unicode.Scalar) -> Bool {
        (0xFE00...0xFE0F).contains(scalar.value) || scalar.properties.generalCategory == .format
    }
}
