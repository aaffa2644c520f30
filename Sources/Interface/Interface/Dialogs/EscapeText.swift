import Terminal

/// A line of output taken apart: its text, and the colours that escape sequences in it asked for. Everything else that a
/// terminal would obey is left out, so that a log can never move the cursor.
struct EscapeText {
    struct Run: Hashable {
        var bytes: [UInt8]
        var style: Style
    }

    private(set) var runs: [Run] = []
    /// In which what follows would be written.
    private(set) var lastStyle: Style
    /// How many bytes at the end begin an escape sequence, or a character, that they do not end.
    private(set) var unfinishedCount = 0

    private enum State { case text, escape, csi, string, stringEscape }

    init(_ bytes: [UInt8], from firstStyle: Style = .plain) {
        var state = State.text
        var style = firstStyle
        var sequenceStart = 0
        var parameters: [UInt8] = []
        var current = Run(bytes: [], style: style)
        var column = 0
        var returned = false
        for (index, byte) in bytes.enumerated() {
            if byte == 0x0A { returned = false }
            if returned, byte != 0x0D {
                // What follows a carriage return is written over the line, as progress bars and prompts do.
                (returned, column, runs, current) = (false, 0, [], Run(bytes: [], style: style))
            }
            switch state {
            case .text where byte == 0x1B: (state, sequenceStart) = (.escape, index)
            case .text where byte == 0x0D: returned = true
            case .text where byte == 0x09:
                let fill = 8 - column % 8
                current.bytes += [UInt8](repeating: 0x20, count: fill)
                column += fill
            case .text:
                guard byte >= 0x20, byte != 0x7F else { continue }
                current.bytes.append(byte)
                // Bytes that continue a character do not begin a column.
                column += byte & 0xC0 == 0x80 ? 0 : 1
            case .escape:
                parameters = []
                state = byte == 0x5B ? .csi : [0x5D, 0x50, 0x5E, 0x5F, 0x58].contains(byte) ? .string : .text
            case .csi where byte >= 0x40 && byte <= 0x7E:
                state = .text
                guard byte == 0x6D else { continue }
                style = Self.applying(parameters, to: style)
                if !current.bytes.isEmpty { runs.append(current) }
                current = Run(bytes: [], style: style)
            case .csi: if parameters.count < 64 { parameters.append(byte) }
            case .string: state = byte == 0x07 ? .text : byte == 0x1B ? .stringEscape : .string
            case .stringEscape: state = .text
            }
        }
        if !current.bytes.isEmpty { runs.append(current) }
        lastStyle = style
        unfinishedCount = state == .text ? Self.openCharacter(bytes) : bytes.count - sequenceStart
    }

    /// How many of the last bytes begin a character of UTF-8 that lacks others.
    private static func openCharacter(_ bytes: [UInt8]) -> Int {
        guard let lead = bytes.suffix(3).lastIndex(where: { $0 & 0xC0 != 0x80 }) else { return 0 }
        let length =
            switch bytes[lead] {
            case 0xC2...0xDF: 2
            case 0xE0...0xEF: 3
            case 0xF0...0xF4: 4
            default: 1
            }
        return bytes.count - lead < length ? bytes.count - lead : 0
    }

    var plain: [UInt8] { runs.flatMap(\.bytes) }

    /// ECMA-48's select graphic rendition.
    private static func applying(_ parameters: [UInt8], to old: Style) -> Style {
        let numbers = parameters.split(omittingEmptySubsequences: false) { $0 == 0x3B || $0 == 0x3A }
            .map { Int(String(decoding: $0, as: UTF8.self)) ?? 0 }
        var style = old
        var index = 0
        while index < numbers.count {
            let number = numbers[index]
            switch number {
            case 0: style = .plain
            case 1: style.attributes.insert(.bold)
            case 2: style.attributes.insert(.dim)
            case 3: style.attributes.insert(.italic)
            case 4: style.attributes.insert(.underline)
            case 7: style.attributes.insert(.reverse)
            case 22: style.attributes.subtract([.bold, .dim])
            case 23: style.attributes.remove(.italic)
            case 24: style.attributes.remove(.underline)
            case 27: style.attributes.remove(.reverse)
            case 30...37: style.foreground = .palette(UInt8(number - 30))
            case 39: style.foreground = .default
            case 40...47: style.background = .palette(UInt8(number - 40))
            case 49: style.background = .default
            case 90...97: style.foreground = .palette(UInt8(number - 82))
            case 100...107: style.background = .palette(UInt8(number - 92))
            case 38, 48:
                let (color, used) = extended(numbers[(index + 1)...])
                if let color { if number == 38 { style.foreground = color } else { style.background = color } }
                index += used
            default: break
            }
            index += 1
        }
        return style
    }

    /// `5;n` or `2;r;g;b`, and how many numbers it took.
    private static func extended(_ rest: ArraySlice<Int>) -> (Color?, Int) {
        let numbers = Array(rest)
        if numbers.count >= 2, numbers[0] == 5 { return (.palette(UInt8(clamping: numbers[1])), 2) }
        if numbers.count >= 4, numbers[0] == 2 {
            return (.rgb(UInt8(clamping: numbers[1]), UInt8(clamping: numbers[2]), UInt8(clamping: numbers[3])), 4)
        }
        return (nil, numbers.count)
    }
}
