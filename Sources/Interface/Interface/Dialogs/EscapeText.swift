import Emulator
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

    private enum State { case text, escape, sequence, ignoredSequence, string, stringEscape }

    init(_ bytes: [UInt8], from firstStyle: Style = .plain) {
        var state = State.text
        var style = firstStyle
        var sequenceStart = 0
        var sequence = ControlSequence()
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
                sequence.reset()
                state = byte == 0x5B ? .sequence : [0x5D, 0x50, 0x5E, 0x5F, 0x58].contains(byte) ? .string : .text
            case .sequence where byte == 0x1B, .ignoredSequence where byte == 0x1B:
                (state, sequenceStart) = (.escape, index)
            case .sequence where byte >= 0x40 && byte <= 0x7E:
                state = .text
                sequence.final = byte
                guard sequence.isGraphicRendition else { continue }
                style.apply(sequence)
                if !current.bytes.isEmpty { runs.append(current) }
                current = Run(bytes: [], style: style)
            case .sequence: if byte >= 0x20, byte != 0x7F, !sequence.take(byte) { state = .ignoredSequence }
            case .ignoredSequence: if byte >= 0x40 && byte <= 0x7E { state = .text }
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
}
