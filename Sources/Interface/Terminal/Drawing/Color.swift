/// A colour as a view asks for it; `Palette` brings it down to what the terminal can show.
package enum Color: Hashable, Sendable {
    /// The terminal's own foreground or background.
    case `default`
    /// An entry of the terminal's palette: 0-7 the basic colours, 8-15 their bright forms, 16-231 the 6×6×6 cube,
    /// 232-255 greys.
    case palette(UInt8)
    case rgb(UInt8, UInt8, UInt8)

    /// The colour `0xRRGGBB`.
    package static func hex(_ value: UInt32) -> Color {
        .rgb(UInt8(value >> 16 & 0xFF), UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF))
    }

    /// Written out, since a frame is compared cell by cell and the compiler's own is not inlined between targets.
    @inlinable
    package static func == (left: Color, right: Color) -> Bool {
        switch (left, right) {
        case (.default, .default): return true
        case (.palette(let mine), .palette(let theirs)): return mine == theirs
        case (.rgb(let red, let green, let blue), .rgb(let otherRed, let otherGreen, let otherBlue)):
            return red == otherRed && green == otherGreen && blue == otherBlue
        default: return false
        }
    }
}
