import CVTerm
import Terminal

@testable import Emulator

/// Cells of libvterm as ours and back.
enum VTermCells {
    /// libvterm's mark of the right half of a wide character.
    private static let continuationMark = UInt32.max

    /// Adds `source` and, for a wide character, its continuation; never more than `limit` cells in all.
    static func append(_ source: VTermScreenCell, to cells: inout [Cell], limit: Int) {
        let style = style(of: source)
        let first = source.chars.0
        guard first != continuationMark, first > 0x20 else { return cells.append(Cell(style: style)) }
        let width = source.width == 2 && cells.count + 1 < limit ? 2 : 1
        var cell = Cell(Unicode.Scalar(first) ?? "\u{FFFD}", style: style)
        // The two tables of widths differ in a few scalars; the program's idea of the row must hold.
        if cell.width != width {
            cell = Cell(width == 2 && cell.width == 1 ? cellBase(cell) : "\u{FFFD}", style: style)
        }
        addMarks(source, to: &cell)
        cells.append(cell)
        if width == 2 { cells.append(cell.width == 2 ? .continuation(style: style) : Cell(style: style)) }
    }

    private static func cellBase(_ cell: Cell) -> Unicode.Scalar { Unicode.Scalar(cell.scalars[0]) ?? "\u{FFFD}" }

    private static func addMarks(_ source: VTermScreenCell, to cell: inout Cell) {
        guard source.chars.1 != 0 else { return }
        for value in [source.chars.1, source.chars.2, source.chars.3, source.chars.4, source.chars.5] {
            guard value != 0, let mark = Unicode.Scalar(value) else { return }
            if TextWidth.columns(of: mark) == 0, !mark.properties.isDefaultIgnorableCodePoint { cell.combine(mark) }
        }
    }

    /// A line that scrolls off, without the blank cells at its end.
    static func line(_ source: UnsafeBufferPointer<VTermScreenCell>) -> ScrollbackLine {
        var cells: [Cell] = []
        cells.reserveCapacity(source.count)
        while cells.count < source.count { append(source[cells.count], to: &cells, limit: source.count) }
        return ScrollbackLine(cells)
    }

    /// Hands a line of the scrollback back, cut to or filled up to the width of now.
    static func fill(_ target: UnsafeMutableBufferPointer<VTermScreenCell>, with line: ScrollbackLine) {
        let cells = line.cells
        for index in target.indices {
            var cell = VTermScreenCell()
            // libvterm steps by the width: it must never be 0, nor reach past the end.
            cell.width = 1
            setColors(&cell, index < cells.count ? cells[index].style : .plain)
            if index < cells.count, cells[index].width > 0, index + Int(cells[index].width) <= target.count {
                let source = cells[index]
                cell.width = CChar(source.width)
                cell.chars.0 = source.scalars[0]
                cell.chars.1 = source.scalars[1]
                cell.chars.2 = source.scalars[2]
                cell.chars.3 = source.scalars[3]
                setAttributes(&cell, source.style.attributes)
            }
            target[index] = cell
        }
    }

    private static func style(of cell: VTermScreenCell) -> Style {
        var attributes: Style.Attributes = []
        if cell.attrs.bold != 0 { attributes.insert(.bold) }
        if cell.attrs.italic != 0 { attributes.insert(.italic) }
        if cell.attrs.underline != 0 { attributes.insert(.underline) }
        if cell.attrs.reverse != 0 { attributes.insert(.reverse) }
        if cell.attrs.strike != 0 { attributes.insert(.strike) }
        if cell.attrs.blink != 0 { attributes.insert(.blink) }
        return Style(foreground: color(cell.fg), background: color(cell.bg), attributes: attributes)
    }

    private static func color(_ color: VTermColor) -> Color {
        if color.type & UInt8(VTERM_COLOR_DEFAULT_MASK.rawValue) != 0 { return .default }
        if color.type & UInt8(VTERM_COLOR_TYPE_MASK.rawValue) == UInt8(VTERM_COLOR_INDEXED.rawValue) {
            return .palette(color.indexed.idx)
        }
        return .rgb(color.rgb.red, color.rgb.green, color.rgb.blue)
    }

    private static func setAttributes(_ cell: inout VTermScreenCell, _ attributes: Style.Attributes) {
        cell.attrs.bold = attributes.contains(.bold) ? 1 : 0
        cell.attrs.italic = attributes.contains(.italic) ? 1 : 0
        cell.attrs.underline = attributes.contains(.underline) ? 1 : 0
        cell.attrs.reverse = attributes.contains(.reverse) ? 1 : 0
        cell.attrs.strike = attributes.contains(.strike) ? 1 : 0
        cell.attrs.blink = attributes.contains(.blink) ? 1 : 0
    }

    private static func setColors(_ cell: inout VTermScreenCell, _ style: Style) {
        cell.fg = color(style.foreground, defaultMark: VTERM_COLOR_DEFAULT_FG)
        cell.bg = color(style.background, defaultMark: VTERM_COLOR_DEFAULT_BG)
    }

    private static func color(_ color: Color, defaultMark: VTermColorType) -> VTermColor {
        var result = VTermColor()
        switch color {
        case .default: result.type = UInt8(defaultMark.rawValue)
        case .palette(let index): vterm_color_indexed(&result, index)
        case .rgb(let red, let green, let blue): vterm_color_rgb(&result, red, green, blue)
        }
        return result
    }
}
