import CCurses

/// Puts runs of a frame into curses' own screen, with the colours and attributes that the terminal has.
@MainActor
struct CellPainter {
    private let colorDepth: ColorDepth
    private let repertoire: Repertoire
    private var pairs: ColorPairs
    private var buffer: [cchar_t] = []

    init(colorDepth: ColorDepth, repertoire: Repertoire) {
        self.colorDepth = colorDepth
        self.repertoire = repertoire
        pairs = ColorPairs(capacity: colorDepth == .none ? 0 : Int(gantry_curses_pair_count()) - 1)
    }

    /// Returns about how many bytes it takes to write them.
    mutating func paint(_ runs: [RowDiff.Run], of frame: Frame) -> Int {
        guard !runs.isEmpty else { return 0 }
        var bytes = 0
        pairs.beginFrame(using: pairs.isNearlyFull ? Set(frame.cells.map { reduced($0.style).colors }) : [])
        for run in runs {
            buffer.removeAll(keepingCapacity: true)
            var style: Style?
            var attributes: UInt32 = 0
            var pair: Int32 = 0
            bytes += Self.placeBytes
            for column in run.columns {
                let cell = frame[column: column, row: run.row]
                if cell.isContinuation { continue }
                if cell.style != style {
                    (attributes, pair) = look(of: cell.style)
                    style = cell.style
                    bytes += colorDepth == .trueColor ? 2 * Self.styleBytes : Self.styleBytes
                }
                bytes += cell.scalars[0] < 0x7F ? 1 : 3
                append(cell, attributes, pair)
            }
            gantry_curses_put(Int32(run.row), Int32(run.columns.lowerBound), buffer, Int32(buffer.count))
        }
        return bytes
    }

    /// What a place and a change of the looks take: `CSI 12;34 H` and `CSI 38;5;123;48;5;123 m`, about.
    private static let placeBytes = 8
    private static let styleBytes = 16

    private mutating func append(_ cell: Cell, _ attributes: UInt32, _ pair: Int32) {
        let scalars = cell.scalars
        var target = cchar_t()
        if let standIn = repertoire.standIn(for: scalars[0]) {
            gantry_curses_cell(&target, standIn, 0, 0, 0, attributes, pair)
            for _ in 0..<cell.width { buffer.append(target) }
            return
        }
        // Curses goes by the C library's width: where that is another, the rest of the row would shift.
        if scalars[0] < 0x7F || gantry_column_count(scalars[0]) == Int32(cell.width) {
            gantry_curses_cell(&target, scalars[0], scalars[1], scalars[2], scalars[3], attributes, pair)
            buffer.append(target)
            return
        }
        gantry_curses_cell(&target, 0xFFFD, 0, 0, 0, attributes, pair)
        buffer.append(target)
        if cell.width == 2 {
            gantry_curses_cell(&target, 0x20, 0, 0, 0, attributes, pair)
            buffer.append(target)
        }
    }

    private mutating func look(of style: Style) -> (attributes: UInt32, pair: Int32) {
        let (attributes, colors) = reduced(style)
        let (pair, isNew) = pairs.pair(for: colors)
        if isNew { init_extended_pair(Int32(pair), colors.foreground, colors.background) }
        return (attributes, Int32(pair))
    }

    private func reduced(_ style: Style) -> (attributes: UInt32, colors: ColorPairs.Colors) {
        let style = Palette.reduce(style, to: colorDepth)
        var attributes: UInt32 = 0
        let wanted: [(Style.Attributes, UInt32)] = [
            (.bold, gantry_attribute_bold), (.dim, gantry_attribute_dim), (.italic, gantry_attribute_italic),
            (.underline, gantry_attribute_underline), (.reverse, gantry_attribute_reverse),
            (.blink, gantry_attribute_blink),
        ]
        for (attribute, bit) in wanted where style.attributes.contains(attribute) { attributes |= bit }
        let colors = ColorPairs.Colors(
            foreground: Self.number(of: style.foreground), background: Self.number(of: style.background))
        return (attributes, colors)
    }

    /// The number that curses has for a colour: of the palette, or `0xRRGGBB`.
    private static func number(of color: Color) -> Int32 {
        switch color {
        case .default: return -1
        case .palette(let index): return Int32(index)
        case .rgb(let red, let green, let blue):
            let value = Int32(red) << 16 | Int32(green) << 8 | Int32(blue)
            // The first 256 numbers are the palette's: the darkest blues get one part in 255 of red.
            return value < 256 ? value | 1 << 16 : value
        }
    }
}
