/// Turns the bytes of a terminal into events. A value: bytes in, events out; no clock and no descriptor.
///
/// Curses' own key reader is not used: it knows neither bracketed paste nor most modifiers, and where an entry names the
/// old mouse protocol (`screen`, `tmux`) it hands the modern one over as if it had been typed.
package struct InputDecoder: Sendable {
    /// The longest paste taken as one event; what follows comes as the next.
    private static let pasteLimitBytes = 16 << 20
    /// No sequence that a key sends is longer; what is has lost its end.
    private static let sequenceLimitBytes = 64

    private let backspaceByte: UInt8
    private let terminfoKeys: [[UInt8]: Key]
    private var buffer: [UInt8] = []
    private var paste: [UInt8]?
    private var heldButton: MouseEvent.Button?
    private var statusReports = 0
    /// Who has told its kind, in answer to the question for the secondary device attributes; nil for a terminal itself.
    package private(set) var multiplexer: Multiplexer?

    /// - Parameters:
    ///   - backspaceByte: what the terminal's backspace key sends (the erase character of its settings); the other of 0x08
    ///     and 0x7F then is ctrl-h or a second backspace.
    ///   - terminfoKeys: sequences of the terminal's entry, for those that are not of the usual forms.
    package init(backspaceByte: UInt8 = 0x7F, terminfoKeys: [[UInt8]: Key] = [:]) {
        self.backspaceByte = backspaceByte
        self.terminfoKeys = terminfoKeys
    }

    /// Whether the bytes so far end within a sequence. An escape key looks like that too: wait a moment for more, then `flush`.
    package var isWaiting: Bool { !buffer.isEmpty && paste == nil }

    /// Takes what was read and returns the events that are complete.
    package mutating func feed(_ bytes: some Sequence<UInt8>) -> [InputEvent] {
        buffer.append(contentsOf: bytes)
        return decode(isFinal: false)
    }

    /// How often the terminal has answered the question for its status since the last call.
    package mutating func takeStatusReports() -> Int {
        defer { statusReports = 0 }
        return statusReports
    }

    /// Takes what has waited as it stands: a lone escape is the escape key.
    package mutating func flush() -> [InputEvent] { decode(isFinal: true) }

    private mutating func decode(isFinal: Bool) -> [InputEvent] {
        var events: [InputEvent] = []
        var rest = buffer[...]
        while !rest.isEmpty {
            if paste != nil {
                guard takePaste(&rest, &events) else { break }
            } else {
                guard takeOne(&rest, isFinal: isFinal, &events) else { break }
            }
        }
        buffer = Array(rest)
        return events
    }

    /// Takes one key or report off the front; false where its end is missing.
    private mutating func takeOne(_ rest: inout ArraySlice<UInt8>, isFinal: Bool, _ events: inout [InputEvent]) -> Bool
    {
        guard rest.first == 0x1B else {
            guard let key = takePlain(&rest, isFinal: isFinal) else { return false }
            append(key, to: &events)
            return true
        }
        switch EscapeSequence.take(from: rest) {
        case .incomplete where !isFinal && rest.count < Self.sequenceLimitBytes:
            return false
        case .incomplete, .none:
            return takeEscaped(&rest, isFinal: isFinal, &events)
        case .sequence(let sequence, let length, let isAlt):
            let raw = Array(rest.prefix(length))
            rest = rest.dropFirst(length)
            let event = event(for: sequence, raw: raw, isAlt: isAlt)
            // Before what is no key it was no alt, but the escape key, and then something that the terminal tells.
            var isKey = false
            if case .key? = event { isKey = true }
            if isAlt, !isKey { events.append(.key(Key(.escape))) }
            if let event { events.append(event) }
            return true
        }
    }

    /// An escape that begins no sequence: the key itself, or alt with the key that follows.
    private mutating func takeEscaped(
        _ rest: inout ArraySlice<UInt8>, isFinal: Bool, _ events: inout [InputEvent]
    ) -> Bool {
        var after = rest.dropFirst()
        if after.isEmpty || after.first == 0x1B {
            rest = after
            events.append(.key(Key(.escape)))
            return true
        }
        guard var key = takePlain(&after, isFinal: isFinal) else { return false }
        key.modifiers.insert(.alt)
        rest = after
        events.append(.key(key))
        return true
    }

    private func takePlain(_ rest: inout ArraySlice<UInt8>, isFinal: Bool) -> Key? {
        guard let byte = rest.first else { return nil }
        if byte < 0x20 || byte == 0x7F {
            rest.removeFirst()
            return controlKey(byte)
        }
        var decoder = UTF8Reader(rest)
        guard let scalar = decoder.next(isFinal: isFinal) else { return nil }
        rest = rest.dropFirst(decoder.length)
        return .character(Character(scalar))
    }

    private func controlKey(_ byte: UInt8) -> Key {
        switch byte {
        case 0x00: return Key(.character(" "), .control)
        case 0x09: return Key(.tab)
        case 0x0D: return Key(.enter)
        case 0x7F: return Key(.backspace)
        case 0x08 where backspaceByte == 0x08: return Key(.backspace)
        case 0x01...0x1A: return Key(.character(Character(Unicode.Scalar(byte + 0x60))), .control)
        default: return Key(.character(Character(Unicode.Scalar(byte + 0x40))), .control)
        }
    }

    /// Adds a typed character; a scalar that combines with the one before it becomes part of it.
    private func append(_ key: Key, to events: inout [InputEvent]) {
        if case .character(let mark) = key.code, key.modifiers.isEmpty,
            mark.unicodeScalars.first.map({ $0.value >= 0x300 }) == true,
            case .key(let before)? = events.last, case .character(let base) = before.code, before.modifiers.isEmpty
        {
            let joined = String(base) + String(mark)
            if joined.count == 1, let character = joined.first {
                events[events.count - 1] = .key(.character(character))
                return
            }
        }
        events.append(.key(key))
    }

    private mutating func event(for sequence: EscapeSequence, raw: [UInt8], isAlt: Bool) -> InputEvent? {
        if sequence.isPasteStart {
            paste = []
            return nil
        }
        if sequence.isStatusReport {
            statusReports += 1
            return nil
        }
        if let kind = sequence.deviceKind {
            multiplexer = kind == 83 ? .screen : kind == 84 ? .tmux : nil
            return nil
        }
        if let isFocused = sequence.focus { return .focus(isFocused) }
        if let mouse = MouseReport(sequence) { return mouse.event(held: &heldButton).map(InputEvent.mouse) }
        guard var key = sequence.key ?? terminfoKeys[raw] else { return nil }
        if isAlt { key.modifiers.insert(.alt) }
        return .key(key)
    }

    /// Moves bytes into the paste up to its end mark; false where the mark has not come.
    private mutating func takePaste(_ rest: inout ArraySlice<UInt8>, _ events: inout [InputEvent]) -> Bool {
        var text = paste ?? []
        // Held once, so that it grows in place.
        paste = nil
        let mark = Array("\u{1B}[201~".utf8)
        if let end = firstIndex(of: mark, in: rest) {
            text += rest[..<end]
            rest = rest[(end + mark.count)...]
            events.append(.paste(String(decoding: text, as: UTF8.self)))
            paste = nil
            return true
        }
        // The mark may have come in part: keep as many bytes as could be its beginning.
        let safe = rest.dropLast(min(mark.count - 1, rest.count))
        text += safe
        rest = rest[safe.endIndex...]
        if text.count >= Self.pasteLimitBytes {
            events.append(.paste(String(decoding: text, as: UTF8.self)))
            text = []
        }
        paste = text
        return false
    }

    private func firstIndex(of mark: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        var from = bytes.startIndex
        while let start = bytes[from...].firstIndex(of: mark[0]) {
            if bytes[start...].starts(with: mark) { return start }
            from = start + 1
        }
        return nil
    }
}
