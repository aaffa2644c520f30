/// The 94-character sets that a program may choose for the codes 0x20 to 0x7E.
enum CharacterSet {
    case ascii
    /// DEC Special Graphics, in which lines and boxes are drawn.
    case graphics
    case british

    init?(designation: UInt8) {
        switch designation {
        case UInt8(ascii: "B"), UInt8(ascii: "1"): self = .ascii
        case UInt8(ascii: "0"), UInt8(ascii: "2"): self = .graphics
        case UInt8(ascii: "A"): self = .british
        default: return nil
        }
    }

    func scalar(for byte: UInt8) -> Unicode.Scalar {
        switch self {
        case .ascii: break
        case .british where byte == UInt8(ascii: "#"): return "£"
        case .british: break
        case .graphics where (0x5F...0x7E).contains(byte): return Self.graphicScalars[Int(byte - 0x5F)]
        case .graphics: break
        }
        return Unicode.Scalar(byte)
    }

    private static let graphicScalars: [Unicode.Scalar] = [
        " ", "◆", "▒", "␉", "␌", "␍", "␊", "°", "±", "␤", "␋", "┘", "┐", "┌", "└", "┼", "⎺", "⎻", "─", "⎼", "⎽", "├",
        "┤", "┴", "┬", "│", "≤", "≥", "π", "≠", "£", "·",
    ]
}
