/// What a stream of terminal output consists of.
protocol ControlHandler: AnyObject {
    /// Printable ASCII, 0x20 to 0x7E.
    func print(_ text: UnsafeBufferPointer<UInt8>)
    /// A printable scalar beyond ASCII; U+FFFD for bytes that are no UTF-8.
    func print(_ scalar: Unicode.Scalar)
    func control(_ byte: UInt8)
    /// `ESC`, perhaps an intermediate byte (0 for none), a final byte.
    func escape(intermediate: UInt8, final: UInt8)
    func perform(_ sequence: ControlSequence)
    /// The text of an operating system command, without its ends.
    func systemCommand(_ text: [UInt8])
}

/// Cuts a terminal's output into text, controls and sequences: the state machine that P. Williams drew for DEC's terminals
/// (vt100.net/emu/dec_ansi_parser), with UTF-8 in its ground state. Takes any bytes, cut anywhere; keeps no more than a
/// bounded part of what has no end.
struct ControlParser {
    private static let commandLimitBytes = 4096

    private enum State {
        case ground
        case escape
        case escapeIntermediate(UInt8)
        case sequence
        /// A sequence with bytes in the wrong places, up to its end.
        case ignoredSequence
        case systemCommand
        /// DCS, APC, PM and SOS: taken up to their end and left at that.
        case ignoredString
        /// An escape within a string: its end, if a backslash follows.
        case stringEscape
    }

    private var state = State.ground
    private var sequence = ControlSequence()
    private var command: [UInt8] = []
    private var isCommand = false
    private var scalar = PartialScalar()

    mutating func parse(_ bytes: UnsafeBufferPointer<UInt8>, into handler: some ControlHandler) {
        var index = 0
        while index < bytes.count {
            if case .ground = state, scalar.isEmpty {
                // Nearly all output is runs of plain text.
                var end = index
                while end < bytes.count, bytes[end] >= 0x20, bytes[end] < 0x7F { end += 1 }
                if end > index {
                    handler.print(UnsafeBufferPointer(rebasing: bytes[index..<end]))
                    index = end
                    continue
                }
            }
            step(bytes[index], handler)
            index += 1
        }
    }

    private mutating func step(_ byte: UInt8, _ handler: some ControlHandler) {
        switch state {
        case .ground: ground(byte, handler)
        case .systemCommand, .ignoredString: string(byte, handler)
        case .stringEscape: stringEscape(byte, handler)
        case .escape, .escapeIntermediate, .sequence, .ignoredSequence:
            // Controls act in the midst of a sequence; these three end it.
            switch byte {
            case 0x18, 0x1A: state = .ground
            case 0x1B: state = .escape
            case 0..<0x20: handler.control(byte)
            case 0x7F: break
            case 0x80...: state = .ground
            default: inside(byte, handler)
            }
        }
    }

    private mutating func ground(_ byte: UInt8, _ handler: some ControlHandler) {
        switch scalar.take(byte) {
        case .incomplete: return
        case .scalar(let value): handler.print(value)
        case .invalid: handler.print("\u{FFFD}")
        case .invalidBefore:
            handler.print("\u{FFFD}")
            ground(byte, handler)
        case .ascii:
            if byte == 0x1B {
                state = .escape
            } else if byte < 0x20 {
                handler.control(byte)
            } else if byte < 0x7F {
                withUnsafePointer(to: byte) { handler.print(UnsafeBufferPointer(start: $0, count: 1)) }
            }
        }
    }

    /// A byte from 0x20 to 0x7E after an escape.
    private mutating func inside(_ byte: UInt8, _ handler: some ControlHandler) {
        switch state {
        case .escape: afterEscape(byte, handler)
        case .escapeIntermediate(let intermediate):
            guard byte >= 0x30 else { return state = .escapeIntermediate(byte) }
            state = .ground
            handler.escape(intermediate: intermediate, final: byte)
        case .sequence: inSequence(byte, handler)
        default:
            if byte >= 0x40 { state = .ground }
        }
    }

    private mutating func afterEscape(_ byte: UInt8, _ handler: some ControlHandler) {
        switch byte {
        case UInt8(ascii: "["):
            sequence.reset()
            state = .sequence
        case UInt8(ascii: "]"):
            command.removeAll(keepingCapacity: true)
            isCommand = true
            state = .systemCommand
        case UInt8(ascii: "P"), UInt8(ascii: "X"), UInt8(ascii: "^"), UInt8(ascii: "_"):
            isCommand = false
            state = .ignoredString
        case 0x20...0x2F: state = .escapeIntermediate(byte)
        default:
            state = .ground
            handler.escape(intermediate: 0, final: byte)
        }
    }

    private mutating func inSequence(_ byte: UInt8, _ handler: some ControlHandler) {
        guard (0x40...0x7E).contains(byte) else {
            if !sequence.take(byte) { state = .ignoredSequence }
            return
        }
        state = .ground
        sequence.final = byte
        handler.perform(sequence)
    }

    private mutating func string(_ byte: UInt8, _ handler: some ControlHandler) {
        switch byte {
        case 0x07 where isCommand: finishString(handler)
        case 0x18, 0x1A: state = .ground
        case 0x1B: state = .stringEscape
        default:
            if isCommand, byte >= 0x20, command.count < Self.commandLimitBytes { command.append(byte) }
        }
    }

    private mutating func stringEscape(_ byte: UInt8, _ handler: some ControlHandler) {
        finishString(handler)
        // Any other escape ends the string as well, and is itself.
        guard byte != UInt8(ascii: "\\") else { return }
        state = .escape
        step(byte, handler)
    }

    private mutating func finishString(_ handler: some ControlHandler) {
        state = .ground
        if isCommand { handler.systemCommand(command) }
    }
}
