/// Which characters a terminal has. What it lacks is drawn as something that resembles it, in as many columns.
package enum Repertoire: Hashable, Sendable {
    /// All of Unicode, as far as its font goes.
    case unicode
    /// The Linux console: its fonts hold what the IBM PC's held, and a few hundred more at most.
    case console
    /// The bytes 0x20 to 0x7E and nothing else.
    case ascii

    /// What is drawn alone in place of a scalar and its marks; nil where they are drawn themselves.
    package func standIn(for scalar: UInt32) -> UInt32? {
        switch self {
        case .unicode: nil
        case .console where scalar <= 0x7E: nil
        case .ascii where scalar <= 0x7E: scalar
        case .console:
            Self.graph(scalar, levels: [0x20, 0x5F, 0x2584, 0x2584, 0x2588]) ?? Self.consoleForms[scalar]
        case .ascii:
            Self.graph(scalar, levels: [0x20, 0x2E, 0x3A, 0x2B, 0x23])
                ?? Self.asciiForms[scalar] ?? Self.lines(scalar) ?? 0x3F
        }
    }

    /// A character of braille: of a graph by how much of it is filled, of the six dots that turn while something is waited
    /// for by their place in the turn.
    private static func graph(_ scalar: UInt32, levels: [UInt32]) -> UInt32? {
        guard (0x2800...0x28FF).contains(scalar) else { return nil }
        if let turn = turns.firstIndex(of: scalar) { return quarters[turn % quarters.count] }
        let dots = (scalar & 0xFF).nonzeroBitCount
        return levels[(dots + 1) / 2]
    }

    private static let turns: [UInt32] = [
        0x280B, 0x2819, 0x2839, 0x2838, 0x283C, 0x2834, 0x2826, 0x2827, 0x2807, 0x280F,
    ]
    private static let quarters: [UInt32] = table("|/-\\")

    /// Lines and blocks that are in no table of single forms.
    private static func lines(_ scalar: UInt32) -> UInt32? {
        switch scalar {
        case 0x2500, 0x2501, 0x2504, 0x2505, 0x2508, 0x2509, 0x254C, 0x254D, 0x2550: 0x2D
        case 0x2502, 0x2503, 0x2506, 0x2507, 0x250A, 0x250B, 0x254E, 0x254F, 0x2551: 0x7C
        case 0x2500...0x257F: 0x2B
        case 0x2580...0x259F: 0x23
        default: nil
        }
    }

    private static let consoleForms = forms("╭╮╰╯●◫✓✗▾▴▸▶▏▎▍▋▊▉…‹›×⏎↥↻⌫", "┌┐└┘•=√x▼▲►►▌▌▌██▌~<>x*↑&<")
        .merging(forms("▁▂▃▅▆▇", "__▄▄██")) { $1 }
    private static let asciiForms = forms("·…‹›×→↥↻⌫⏎■▲▴▶▸▼▾○●◫✓✗", "-~<>x>^&<*#!^>>vvo*=+x")
        .merging(forms("▏▎▁▂“”‘’–—\u{A0}", "||__\"\"''-- ")) { $1 }

    private static func forms(_ characters: String, _ standIns: String) -> [UInt32: UInt32] {
        Dictionary(zip(table(characters), table(standIns)), uniquingKeysWith: { $1 })
    }

    private static func table(_ text: String) -> [UInt32] { text.unicodeScalars.map(\.value) }
}
