import Glibc

/// Bytes of any kind as the inside of a JSON string, escaped as docker's json-file does: also `<`, `>`, `&` and the
/// line separators of Unicode, and each byte that is no UTF-8 as U+FFFD.
///
/// The log's hot path: eight bytes are looked at in one step, and runs that need no escape are copied whole.
enum JSONText {
    /// Writes `text` at `out`, where six times its size must fit, and returns the position behind it.
    static func escape(
        _ text: UnsafeRawBufferPointer, to out: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer {
        guard let base = text.baseAddress else { return out }
        var out = out
        var position = 0
        while position < text.count {
            let run = plainRun(base + position, text.count - position)
            if run > 0 {
                memcpy(out, base + position, run)
                out += run
                position += run
                if position == text.count { break }
            }
            position += escapeOne(base + position, left: text.count - position, &out)
        }
        return out
    }

    static func escaped(_ text: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 6 * text.count) { buffer, count in
            guard let base = buffer.baseAddress else { return }
            let start = UnsafeMutableRawPointer(base)
            count = escape(text, to: start) - start
        }
    }

    /// How many bytes from `start` on need no escape.
    private static func plainRun(_ start: UnsafeRawPointer, _ count: Int) -> Int {
        var index = 0
        while index + 8 <= count {
            if mayNeedEscape((start + index).loadUnaligned(as: UInt64.self)) { break }
            index += 8
        }
        while index < count, isPlain(start.load(fromByteOffset: index, as: UInt8.self)) { index += 1 }
        return index
    }

    /// Whether one of eight bytes is a control byte, above 0x7E, or one of `" \ < > &`. Tests all at once: a byte
    /// equals c where its difference to c borrows from its top bit. `<` and `>` differ in one bit, as `"` and `&` do.
    @inline(__always)
    private static func mayNeedEscape(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        func zeroByte(_ value: UInt64) -> UInt64 { (value &- ones) & ~value }
        let control = (word &- ones &* 0x20) & ~word
        let angle = zeroByte((word | ones &* 0x02) ^ ones &* 0x3E)
        let quoteOrAmpersand = zeroByte((word | ones &* 0x04) ^ ones &* 0x26)
        let backslash = zeroByte(word ^ ones &* 0x5C)
        return (word | control | angle | quoteOrAmpersand | backslash) & tops != 0
    }

    @inline(__always)
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x22, 0x26, 0x3C, 0x3E, 0x5C: false
        default: byte >= 0x20 && byte < 0x80
        }
    }

    /// Escapes what begins at `start` and returns how many bytes that was.
    private static func escapeOne(
        _ start: UnsafeRawPointer, left: Int, _ out: inout UnsafeMutableRawPointer
    ) -> Int {
        let byte = start.load(as: UInt8.self)
        switch byte {
        case 0x22, 0x5C: put([0x5C, byte], &out)
        case 0x0A: put([0x5C, UInt8(ascii: "n")], &out)
        case 0x0D: put([0x5C, UInt8(ascii: "r")], &out)
        case 0..<0x80: putHex(0, byte, &out)
        default: return escapeMultibyte(start, left: left, &out)
        }
        return 1
    }

    private static func escapeMultibyte(
        _ start: UnsafeRawPointer, left: Int, _ out: inout UnsafeMutableRawPointer
    ) -> Int {
        let size = UTF8Form.characterSize(UnsafeRawBufferPointer(start: start, count: left))
        guard size > 0 else {
            putHex(0xFF, 0xFD, &out)
            return 1
        }
        let last = start.load(fromByteOffset: size - 1, as: UInt8.self)
        let isSeparator =
            size == 3 && start.load(as: UInt8.self) == 0xE2 && start.load(fromByteOffset: 1, as: UInt8.self) == 0x80
            && (last == 0xA8 || last == 0xA9)
        if isSeparator {
            putHex(0x20, last == 0xA8 ? 0x28 : 0x29, &out)
        } else {
            memcpy(out, start, size)
            out += size
        }
        return size
    }

    private static func putHex(_ high: UInt8, _ low: UInt8, _ out: inout UnsafeMutableRawPointer) {
        func digit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }
        put([0x5C, UInt8(ascii: "u"), digit(high >> 4), digit(high & 15), digit(low >> 4), digit(low & 15)], &out)
    }

    @inline(__always)
    private static func put(_ bytes: [UInt8], _ out: inout UnsafeMutableRawPointer) {
        for byte in bytes {
            out.storeBytes(of: byte, as: UInt8.self)
            out += 1
        }
    }
}

/// UTF-8 as RFC 3629 and the Unicode standard's table 3-7 define it.
enum UTF8Form {
    /// The size of the character that begins the buffer; 0 where none of more than one byte does.
    static func characterSize(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard let lead = bytes.first else { return 0 }
        let (size, second): (Int, ClosedRange<UInt8>) =
            switch lead {
            case 0xC2...0xDF: (2, 0x80...0xBF)
            case 0xE0: (3, 0xA0...0xBF)
            case 0xED: (3, 0x80...0x9F)
            case 0xE1...0xEF: (3, 0x80...0xBF)
            case 0xF0: (4, 0x90...0xBF)
            case 0xF1...0xF3: (4, 0x80...0xBF)
            case 0xF4: (4, 0x80...0x8F)
            default: (0, 0...0)
            }
        guard size > 0, bytes.count >= size, second.contains(bytes[1]) else { return 0 }
        for index in 2..<max(2, size) where bytes[index] & 0xC0 != 0x80 { return 0 }
        return size
    }
}
