/// Bounds the control strings (OSC, DCS, APC, PM, SOS) of a stream: an emulator collects each whole, so a program that never
/// ends one would have it take all memory. Bytes past the limit are left out; the end passes.
struct ControlStringFilter {
    /// Titles, palette requests and clipboards of a sane size are shorter.
    private static let limitBytes = 8 << 10

    private enum State {
        case text
        case escape
        case string(length: Int)
        case stringEscape(length: Int)
    }

    private var state = State.text

    /// Calls `body` with the pieces of `bytes` that pass, in order.
    mutating func pass(
        _ bytes: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) {
        var start = 0
        var index = 0
        while index < bytes.count {
            if case .text = state {
                // By far the most bytes: no escape among them.
                guard let escape = bytes[index...].firstIndex(of: 0x1B) else { break }
                index = escape
            }
            let isKept = step(bytes[index])
            if !isKept {
                if index > start { body(UnsafeBufferPointer(rebasing: bytes[start..<index])) }
                start = index + 1
            }
            index += 1
        }
        if bytes.count > start { body(UnsafeBufferPointer(rebasing: bytes[start...])) }
    }

    /// Takes one byte; whether it passes.
    private mutating func step(_ byte: UInt8) -> Bool {
        switch (state, byte) {
        case (.text, _):
            if byte == 0x1B { state = .escape }
        case (.escape, UInt8(ascii: "]")), (.escape, UInt8(ascii: "P")), (.escape, UInt8(ascii: "_")),
            (.escape, UInt8(ascii: "^")), (.escape, UInt8(ascii: "X")):
            state = .string(length: 0)
        case (.escape, 0x1B): break
        case (.escape, _): state = .text
        case (.string, 0x07), (.string, 0x18), (.string, 0x1A): state = .text
        case (.string(let length), 0x1B): state = .stringEscape(length: length)
        case (.string(let length), _):
            state = .string(length: min(length + 1, Self.limitBytes))
            return length < Self.limitBytes
        case (.stringEscape, UInt8(ascii: "\\")): state = .text
        case (.stringEscape, _):
            // An escape of another kind ends the string too, and begins what it begins.
            state = .escape
            return step(byte)
        }
        return true
    }
}
