import Glibc
import Terminal

/// How well a foreground is told from its background: WCAG 2.2's contrast ratio, from 1 to 21.
enum Contrast {
    /// Nil where a colour is the terminal's to choose. The palette is taken to be xterm's.
    static func ratio(of style: Style) -> Double? {
        guard let foreground = luminance(style.foreground), let background = luminance(style.background) else {
            return nil
        }
        let (high, low) = (max(foreground, background), min(foreground, background))
        return (high + 0.05) / (low + 0.05)
    }

    private static func luminance(_ color: Color) -> Double? {
        let (red, green, blue): (UInt8, UInt8, UInt8)
        switch color {
        case .default: return nil
        case .palette(let index): (red, green, blue) = Palette.channels(of: index)
        case .rgb(let r, let g, let b): (red, green, blue) = (r, g, b)
        }
        return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    private static func linear(_ component: UInt8) -> Double {
        let value = Double(component) / 255
        return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
    }
}
