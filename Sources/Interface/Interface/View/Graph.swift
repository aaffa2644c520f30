/// Values over time as characters, newest at the right.
enum Graph {
    /// Characters that a graph is made of.
    enum Symbols: Hashable, Sendable {
        /// Two values by four levels in a character.
        case braille
        /// One value by eight levels.
        case blocks
    }

    /// The most that a scale must hold for `values`, rounded up to a step that reads well; at least `floor`.
    static func scale(_ values: some Sequence<Double>, floor: Double) -> Double {
        let top = values.max() ?? 0
        guard top > floor else { return floor }
        var step = floor
        while step < top { step *= 2 }
        return step
    }

    /// `rows` strings of exactly `columns` characters, the top one first. A value above nothing shows at least as a dot.
    static func rows(
        _ values: [Double?], columns: Int, rows: Int, maximum: Double, symbols: Symbols = .braille
    ) -> [[Unicode.Scalar]] {
        guard columns > 0, rows > 0 else { return [] }
        let across = symbols == .braille ? 2 : 1
        let levels = (symbols == .braille ? 4 : 8) * rows
        let heights = heights(values, count: columns * across, levels: levels, maximum: maximum)
        return (0..<rows).map { row in
            let base = (rows - 1 - row) * (levels / rows)
            return (0..<columns).map { column in
                symbols == .braille
                    ? braille(heights[column * 2] - base, heights[column * 2 + 1] - base)
                    : block(heights[column] - base)
            }
        }
    }

    /// The newest `count` values as levels; where there are fewer, the left stays empty.
    static func heights(_ values: [Double?], count: Int, levels: Int, maximum: Double) -> [Int] {
        let shown = values.suffix(count)
        let missing = [Int](repeating: 0, count: count - shown.count)
        return missing
            + shown.map { value in
                guard let value, value > 0, maximum > 0 else { return 0 }
                return min(levels, max(1, Int((value / maximum * Double(levels)).rounded())))
            }
    }

    /// Two bars of 0...4 dots, filled from below.
    private static func braille(_ left: Int, _ right: Int) -> Unicode.Scalar {
        let leftBits: [UInt32] = [0x00, 0x40, 0x44, 0x46, 0x47]
        let rightBits: [UInt32] = [0x00, 0x80, 0xA0, 0xB0, 0xB8]
        let bits = leftBits[min(4, max(0, left))] | rightBits[min(4, max(0, right))]
        return Unicode.Scalar(0x2800 + bits) ?? " "
    }

    private static func block(_ height: Int) -> Unicode.Scalar {
        let level = UInt32(min(8, max(0, height)))
        return level == 0 ? " " : Unicode.Scalar(0x2580 + level) ?? " "
    }
}
