/// Brings colours down to what a terminal can show. Pure: the same colour always gives the same answer.
package enum Palette {
    /// `color` as the terminal can show it: unchanged at full depth; one of 256 or 16 entries; `default` without colour.
    package static func reduce(_ color: Color, to depth: ColorDepth) -> Color {
        switch (color, depth) {
        case (.default, _), (_, .trueColor): return color
        case (_, .none): return .default
        case (.palette, .palette256): return color
        case (.rgb(let red, let green, let blue), .palette256): return .palette(nearest256(red, green, blue))
        case (.palette(let index), .sixteen): return index < 16 ? color : .palette(sixteenOf256[Int(index)])
        case (.rgb(let red, let green, let blue), .sixteen): return .palette(nearest16(red, green, blue))
        }
    }

    /// Red, green and blue of a palette entry, in xterm's own palette for the first sixteen.
    package static func channels(of index: UInt8) -> (red: UInt8, green: UInt8, blue: UInt8) {
        switch index {
        case 0..<16:
            let value = basic[Int(index)]
            return (UInt8(value >> 16), UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF))
        case 16..<232:
            let place = Int(index) - 16
            return (cubeLevels[place / 36], cubeLevels[place / 6 % 6], cubeLevels[place % 6])
        default:
            let grey = 8 + (index - 232) * 10
            return (grey, grey, grey)
        }
    }

    /// The nearest of the cube and the greys. The first sixteen are not used: users give these colours of their own.
    static func nearest256(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
        let steps = [red, green, blue].map(cubeStep)
        let cube = UInt8(16 + 36 * steps[0] + 6 * steps[1] + steps[2])
        let mean = (Int(red) + Int(green) + Int(blue)) / 3
        let grey = UInt8(232 + min(23, max(0, (mean - 3) / 10)))
        let wanted = (red, green, blue)
        return distance(wanted, channels(of: grey)) < distance(wanted, channels(of: cube)) ? grey : cube
    }

    static func nearest16(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
        (UInt8(0)..<16).min {
            distance((red, green, blue), channels(of: $0)) < distance((red, green, blue), channels(of: $1))
        }
            ?? 7
    }

    private static let basic: [UInt32] = [
        0x000000, 0xCD0000, 0x00CD00, 0xCDCD00, 0x0000EE, 0xCD00CD, 0x00CDCD, 0xE5E5E5,
        0x7F7F7F, 0xFF0000, 0x00FF00, 0xFFFF00, 0x5C5CFF, 0xFF00FF, 0x00FFFF, 0xFFFFFF,
    ]

    private static let cubeLevels: [UInt8] = [0, 95, 135, 175, 215, 255]

    private static let sixteenOf256: [UInt8] = (0..<256).map { index in
        let (red, green, blue) = channels(of: UInt8(index))
        return index < 16 ? UInt8(index) : nearest16(red, green, blue)
    }

    /// The nearest level of the cube: the borders lie half way between the levels.
    private static func cubeStep(_ value: UInt8) -> Int { value < 48 ? 0 : value < 115 ? 1 : (Int(value) - 35) / 40 }

    /// Squared and weighted by how the eye takes the three: T. Riemersma, "Colour metric", the low-cost form.
    private static func distance(
        _ left: (red: UInt8, green: UInt8, blue: UInt8), _ right: (red: UInt8, green: UInt8, blue: UInt8)
    ) -> Int {
        let mean = (Int(left.red) + Int(right.red)) / 2
        let red = Int(left.red) - Int(right.red)
        let green = Int(left.green) - Int(right.green)
        let blue = Int(left.blue) - Int(right.blue)
        return ((512 + mean) * red * red) / 256 + 4 * green * green + ((767 - mean) * blue * blue) / 256
    }
}
