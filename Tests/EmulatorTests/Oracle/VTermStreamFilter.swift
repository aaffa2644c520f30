/// What stands between a program's output and libvterm 0.1, which takes some sequences to its own ruin:
///
/// - control strings (OSC, DCS, APC, PM) are collected whole, so one that never ends takes all memory: bytes past a
///   limit are left out, the end passes;
/// - `CSI n b` (repeat) with a wide character writes past the row, and with a combining one never returns: the character
///   is repeated here instead;
/// - numbers near 2³¹ overflow, and a seventeenth number is written past the array: digits past the fifth are left out, and
///   so are numbers past the sixteenth.
///
/// All else passes unchanged, however it is cut.
struct VTermStreamFilter {
    /// Titles, palette requests and clipboards of a sane size are shorter.
    private static let stringLimitBytes = 8 << 10
    /// Longer than any sequence with a meaning.
    private static let sequenceLimitBytes = 256
    private static let digitLimit = 5
    private static let numberLimit = 16

    private enum State {
        case text
        case escape
        /// Within `CSI`, held back in `held`; which number it is at, and how many digits that has so far.
        case sequence(number: Int, digits: Int)
        case string(length: Int)
        case stringEscape
    }

    private var state = State.text
    private var held: [UInt8] = []
    /// The end of the last text, long enough for one character.
    private var lastText: [UInt8] = []

    /// Appends to `out` what libvterm is to get for `bytes`; `columns` bound a repetition.
    mutating func pass(_ bytes: UnsafeBufferPointer<UInt8>, columns: Int, to out: inout [UInt8]) {
        var index = 0
        while index < bytes.count {
            if case .text = state {
                // By far the most bytes: copied up to the next escape.
                let end = bytes[index...].firstIndex(of: 0x1B) ?? bytes.count
                if end > index {
                    out.append(contentsOf: bytes[index..<end])
                    lastText = (lastText + bytes[max(index, end - 8)..<end]).suffix(8)
                }
                index = end
                if index == bytes.count { return }
            }
            step(bytes[index], columns, &out)
            index += 1
        }
    }

    private mutating func step(_ byte: UInt8, _ columns: Int, _ out: inout [UInt8]) {
        switch state {
        case .text:
            out.append(byte)
            state = .escape
        case .escape: stepEscape(byte, &out)
        case .sequence(let number, let digits): stepSequence(byte, number, digits, columns, &out)
        case .string(let length): stepString(byte, length, &out)
        case .stringEscape:
            // An escape of another kind ends the string too, and begins what it begins.
            state = .escape
            stepEscape(byte, &out)
        }
    }

    private mutating func stepEscape(_ byte: UInt8, _ out: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "["):
            out.removeLastEscape()
            held = [0x1B, byte]
            state = .sequence(number: 1, digits: 0)
            return
        case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "_"), UInt8(ascii: "^"):
            state = .string(length: 0)
        case 0x1B: break
        default: state = .text
        }
        out.append(byte)
    }

    private mutating func stepSequence(
        _ byte: UInt8, _ number: Int, _ digits: Int, _ columns: Int, _ out: inout [UInt8]
    ) {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            if digits < Self.digitLimit, number <= Self.numberLimit { held.append(byte) }
            state = .sequence(number: number, digits: digits + 1)
        case UInt8(ascii: ":"), UInt8(ascii: ";"):
            if number < Self.numberLimit { held.append(byte) }
            state = .sequence(number: number + 1, digits: 0)
        case 0x40...0x7E:
            state = .text
            if byte == UInt8(ascii: "b") {
                repeatLast(min(repetition, columns), &out)
            } else {
                out += held
                out.append(byte)
            }
        case 0x1B:
            out += held
            out.append(byte)
            state = .escape
        case 0x18, 0x1A:
            out += held
            out.append(byte)
            state = .text
        default:
            held.append(byte)
        }
        if held.count > Self.sequenceLimitBytes {
            // Nothing that means anything: let the parser lose its way by itself, and hold no more.
            out += held
            held = []
            state = .text
        }
    }

    private mutating func stepString(_ byte: UInt8, _ length: Int, _ out: inout [UInt8]) {
        switch byte {
        case 0x07, 0x18, 0x1A: state = .text
        case 0x1B: state = .stringEscape
        default:
            state = .string(length: min(length + 1, Self.stringLimitBytes))
            if length >= Self.stringLimitBytes { return }
        }
        out.append(byte)
    }

    /// The first number of `CSI n b`; 0 where the sequence has marks that make it another.
    private var repetition: Int {
        let body = held.dropFirst(2)
        guard body.allSatisfy({ (0x30...0x3B).contains($0) }) else { return 0 }
        return max(1, body.prefix { $0 < 0x3A }.reduce(0) { $0 * 10 + Int($1 - 0x30) })
    }

    private func repeatLast(_ count: Int, _ out: inout [UInt8]) {
        let text = String(decoding: lastText.drop { $0 & 0xC0 == 0x80 }, as: UTF8.self)
        guard let last = text.unicodeScalars.last, last.value >= 0x20, last != "\u{FFFD}" else { return }
        let bytes = Array(String(last).utf8)
        for _ in 0..<count { out += bytes }
    }
}

extension [UInt8] {
    /// The escape that has passed is held back with what follows, when it turns out to begin a sequence. Where it passed
    /// with an earlier piece, libvterm has it already and takes another: an escape after an escape begins anew.
    fileprivate mutating func removeLastEscape() {
        if last == 0x1B { removeLast() }
    }
}
