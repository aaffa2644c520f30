/// One character position: a base scalar with the marks that combine with it, and a style.
///
/// A wide character takes two cells: its own with `width` 2, and a continuation with `width` 0 to the right of it.
/// A cell is a plain value without references, so that a whole frame compares and copies as memory does.
package struct Cell: Hashable, Sendable {
    /// The base scalar and up to three combining ones; 0 where there is none. A continuation has no base.
    package private(set) var scalars: SIMD4<UInt32>
    package private(set) var width: UInt8
    package var style: Style

    /// A space in `style`.
    package init(style: Style = .plain) {
        scalars = [0x20, 0, 0, 0]
        width = 1
        self.style = style
    }

    /// A cell with `base`. A scalar that a terminal would obey or not advance for (a control character, a lone
    /// combining mark) shows as U+FFFD.
    package init(_ base: Unicode.Scalar, style: Style = .plain) {
        let columns = TextWidth.columns(of: base)
        let isShown = columns > 0
        scalars = [isShown ? base.value : 0xFFFD, 0, 0, 0]
        width = isShown ? UInt8(columns) : 1
        self.style = style
    }

    /// A cell with `base`, whose `columns` (1 or 2) the caller has looked up.
    package init(_ base: Unicode.Scalar, columns: Int, style: Style) {
        scalars = SIMD4(base.value, 0, 0, 0)
        width = columns == 2 ? 2 : 1
        self.style = style
    }

    /// A printable ASCII character, 0x20 to 0x7E: the common case, without a look at any table.
    package init(ascii: UInt8, style: Style) {
        scalars = SIMD4(UInt32(ascii), 0, 0, 0)
        width = 1
        self.style = style
    }

    /// The right half of a wide character.
    package static func continuation(style: Style) -> Cell {
        var cell = Cell(style: style)
        cell.scalars = [0, 0, 0, 0]
        cell.width = 0
        return cell
    }

    package static let blank = Cell()

    package var isContinuation: Bool { width == 0 }

    /// Adds a zero-width scalar to the base; the fourth and later are dropped, as terminals do.
    package mutating func combine(_ mark: Unicode.Scalar) {
        for index in 1..<4 where scalars[index] == 0 {
            scalars[index] = mark.value
            return
        }
    }

    /// The cell's character as text; empty for a continuation.
    package var text: String {
        var text = String.UnicodeScalarView()
        for index in 0..<4 where scalars[index] != 0 {
            if let scalar = Unicode.Scalar(scalars[index]) { text.append(scalar) }
        }
        return String(text)
    }

    @inlinable
    package static func == (left: Cell, right: Cell) -> Bool {
        left.scalars == right.scalars && left.style == right.style && left.width == right.width
    }
}
