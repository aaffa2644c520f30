/// Brings colours down to what a terminal can show. Pure: the same colour always gives the same answer.
package enum Palette {
    /// `style` as the terminal can show it: of its colours those that it has, and attributes for what they lose.
    ///
    /// Of few colours a foreground becomes the one of its hue, since words are told apart by it, and a background the
    /// nearest one, which keeps it dark or light.
    package static func reduce(_ style: Style, to depth: ColorDepth) -> Style {
        var style = style
        style.foreground = reduce(style.foreground, to: depth) { nearestOfHue($0, $1, $2) }
        style.background = reduce(style.background, to: depth) { nearest16($0, $1, $2, of: 0..<16) }
        return depth == .eight ? withoutBright(style) : style
    }

    /// One of 256 or 16 entries, `default` without colour.
    private static func reduce(
        _ color: Color, to depth: ColorDepth, _ basic: (UInt8, UInt8, UInt8) -> UInt8
    ) -> Color {
        switch (color, depth) {
        case (.default, _), (_, .trueColor), (.palette, .palette256), (.palette(0..<16), .sixteen),
            (.palette(0..<16), .eight):
            return color
        case (_, .none): return .default
        case (.rgb(let red, let green, let blue), .palette256): return .palette(nearest256(red, green, blue))
        case (.palette(let index), .sixteen), (.palette(let index), .eight):
            let (red, green, blue) = channels(of: index)
            return .palette(basic(red, green, blue))
        case (.rgb(let red, let green, let blue), .sixteen), (.rgb(let red, let green, let blue), .eight):
            return .palette(basic(red, green, blue))
        }
    }

    /// Eight colours: a bright one is a bold one, a bright background its plain form. Dark grey is what a bold black
    /// would be, which many terminals show as black: it becomes the colour of faint text.
    private static func withoutBright(_ style: Style) -> Style {
        var style = style
        if case .palette(let index) = style.background, index >= 8 {
            style.background = .palette(index == 8 ? 0 : index - 8)
        }
        switch style.foreground {
        case .palette(8):
            style.foreground = style.background == .default ? .default : .palette(7)
            style.attributes.insert(.dim)
        case .palette(let index) where index > 8:
            style.foreground = .palette(index - 8)
            style.attributes.insert(.bold)
        default: break
        }
        if style.foreground == style.background, style.foreground != .default {
            style.foreground = .palette(style.background == .palette(0) ? 7 : 0)
        }
        return style
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

    private static func nearest16(
        _ red: UInt8, _ green: UInt8, _ blue: UInt8, of entries: some Sequence<UInt8>
    ) -> UInt8 {
        entries.min {
            distance((red, green, blue), channels(of: $0)) < distance((red, green, blue), channels(of: $1))
        }
            ?? 7
    }

    /// The plain or the bright colour of the same hue; of pale colours, which have none, the nearest grey.
    private static func nearestOfHue(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
        let (red, green, blue) = (Int(red), Int(green), Int(blue))
        let (top, bottom) = (max(red, green, blue), min(red, green, blue))
        let chroma = top - bottom
        let bytes = (UInt8(red), UInt8(green), UInt8(blue))
        guard chroma >= 48 else { return nearest16(bytes.0, bytes.1, bytes.2, of: [0, 8, 7, 15]) }
        // In degrees of the colour circle: red 0, green 120, blue 240.
        let turn = red == top ? 60 * (green - blue) : green == top ? 60 * (blue - red) : 60 * (red - green)
        let hue = (turn / chroma + (red == top ? 360 : green == top ? 120 : 240)) % 360
        let entry: UInt8 =
            switch hue {
            case 20..<90: 3
            case 90..<150: 2
            case 150..<200: 6
            case 200..<256: 4
            case 256..<330: 5
            default: 1
            }
        return nearest16(bytes.0, bytes.1, bytes.2, of: [entry, entry + 8])
    }

    private static let basic: [UInt32] = [
        0x000000, 0xCD0000, 0x00CD00, 0xCDCD00, 0x0000EE, 0xCD00CD, 0x00CDCD, 0xE5E5E5,
        0x7F7F7F, 0xFF0000, 0x00FF00, 0xFFFF00, 0x5C5CFF, 0xFF00FF, 0x00FFFF, 0xFFFFFF,
    ]

    private static let cubeLevels: [UInt8] = [0, 95, 135, 175, 215, 255]

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
