import EngineAPI
import Glibc
import JSON

/// Reads the lines of a json-file log: `{"log":"…","stream":"stdout","attrs":{"k":"v"},"time":"…"}`, members in any order,
/// others ignored.
///
/// Written for speed, because a log may hold gigabytes: the C library's memchr finds the ends of strings, the members are
/// taken for those that every writer puts into their usual order first, and the date, which hardly changes from line to
/// line, is worked out once.
struct LogLineParser {
    /// The ten bytes of the date, of which `midnight` is known.
    private var date: (UInt64, UInt16) = (0, 0)
    private var midnight: Int64 = 0
    private let keepsAttributes: Bool

    /// - Parameter keepsAttributes: whether entries are to have what their lines say of them.
    init(keepsAttributes: Bool = false) { self.keepsAttributes = keepsAttributes }

    /// What a line without its line end says, and its bytes written to `output`, which has room for as many as the line
    /// has; nil for what is none.
    ///
    /// A line that a crash cut short may be followed, on the same line, by a whole one: that one is found.
    mutating func parse(_ line: UnsafeBufferPointer<UInt8>, into output: UnsafeMutablePointer<UInt8>) -> LogLine? {
        if let found = parseUsual(line, output) ?? parseObject(line, output) { return found }
        guard let start = Self.lastStart(line) else { return nil }
        return parseObject(UnsafeBufferPointer(rebasing: line[start...]), output)
    }

    /// A line with the three usual members and no byte between them.
    private mutating func parseUsual(
        _ line: UnsafeBufferPointer<UInt8>, _ output: UnsafeMutablePointer<UInt8>
    ) -> LogLine? {
        var position = 0
        guard Self.pass(#"{"log":""#, line, &position), let text = Self.inside(line, &position) else { return nil }
        let source: LogEntry.Source
        if Self.pass(#","stream":"stdout","time":""#, line, &position) {
            source = .stdout
        } else if Self.pass(#","stream":"stderr","time":""#, line, &position) {
            source = .stderr
        } else {
            return nil
        }
        var end = line.count - 2
        let moment = position..<max(position, end)
        guard Self.pass(#""}"#, line, &end), let time = timestamp(UnsafeBufferPointer(rebasing: line[moment])) else {
            return nil
        }
        return LogLine(byteCount: Self.unescape(text, output), source: source, time: time)
    }

    private mutating func parseObject(
        _ line: UnsafeBufferPointer<UInt8>, _ output: UnsafeMutablePointer<UInt8>
    ) -> LogLine? {
        guard line.count > 1, line[0] == UInt8(ascii: "{") else { return nil }
        var position = 1
        var byteCount: Int?
        var source = LogEntry.Source.stdout
        var time: Timestamp?
        var attributes: [String: String]?
        while position < line.count {
            guard let name = Self.string(line, &position), Self.take(UInt8(ascii: ":"), line, &position) else {
                return nil
            }
            if Self.isWord(name, "log") {
                guard let value = Self.string(line, &position) else { return nil }
                byteCount = Self.unescape(value, output)
            } else if Self.isWord(name, "stream") {
                guard let value = Self.string(line, &position) else { return nil }
                source = Self.isWord(value, "stderr") ? .stderr : .stdout
            } else if Self.isWord(name, "time") {
                guard let value = Self.string(line, &position) else { return nil }
                time = timestamp(value)
            } else {
                let start = position
                guard Self.skipValue(line, &position) else { return nil }
                if keepsAttributes, Self.isWord(name, "attrs") { attributes = Self.texts(line[start..<position]) }
            }
            if Self.take(UInt8(ascii: "}"), line, &position) {
                guard let byteCount, let time else { return nil }
                return LogLine(byteCount: byteCount, source: source, time: time, attributes: attributes)
            }
            guard Self.take(UInt8(ascii: ","), line, &position) else { return nil }
        }
        return nil
    }

    /// Where the last object begins: the unescaped quotes cannot stand inside a string.
    private static func lastStart(_ line: UnsafeBufferPointer<UInt8>) -> Int? {
        let pattern = Array("{\"log\":".utf8)
        guard line.count > pattern.count else { return nil }
        return stride(from: line.count - pattern.count, to: 0, by: -1).first { start in
            line[start..<start + pattern.count].elementsEqual(pattern)
        }
    }
}

extension LogLineParser {
    private static func take(_ byte: UInt8, _ line: UnsafeBufferPointer<UInt8>, _ position: inout Int) -> Bool {
        while position < line.count, line[position] == 32 || line[position] == 9 { position += 1 }
        guard position < line.count, line[position] == byte else { return false }
        position += 1
        return true
    }

    /// Goes past what stands there, if it is this.
    private static func pass(_ text: StaticString, _ line: UnsafeBufferPointer<UInt8>, _ position: inout Int) -> Bool {
        let end = position + text.utf8CodeUnitCount
        guard position >= 0, end <= line.count, let base = line.baseAddress,
            memcmp(base + position, text.utf8Start, text.utf8CodeUnitCount) == 0
        else { return false }
        position = end
        return true
    }

    private static func isWord(_ text: UnsafeBufferPointer<UInt8>, _ word: StaticString) -> Bool {
        guard let base = text.baseAddress else { return false }
        return text.count == word.utf8CodeUnitCount && memcmp(base, word.utf8Start, text.count) == 0
    }

    /// The inside of a string, escapes and all; an empty one has a base too.
    private static func string(
        _ line: UnsafeBufferPointer<UInt8>, _ position: inout Int
    ) -> UnsafeBufferPointer<UInt8>? {
        take(UInt8(ascii: "\""), line, &position) ? inside(line, &position) : nil
    }

    /// The same behind the string's first quote.
    private static func inside(
        _ line: UnsafeBufferPointer<UInt8>, _ position: inout Int
    ) -> UnsafeBufferPointer<UInt8>? {
        guard let base = line.baseAddress else { return nil }
        let start = position
        while position < line.count, let quote = memchr(base + position, 34, line.count - position) {
            let end = base.distance(to: quote.assumingMemoryBound(to: UInt8.self))
            position = end + 1
            var backslashes = 0
            while end - backslashes > start, line[end - backslashes - 1] == UInt8(ascii: "\\") { backslashes += 1 }
            if backslashes % 2 == 0 { return UnsafeBufferPointer(start: base + start, count: end - start) }
        }
        return nil
    }

    /// Passes over a value of any kind.
    private static func skipValue(_ line: UnsafeBufferPointer<UInt8>, _ position: inout Int) -> Bool {
        var depth = 0
        while position < line.count {
            switch line[position] {
            case UInt8(ascii: "\""):
                if string(line, &position) == nil { return false }
                if depth == 0 { return true }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return true }
                depth -= 1
                if depth == 0 {
                    position += 1
                    return true
                }
            case UInt8(ascii: ",") where depth == 0: return true
            default: break
            }
            position += 1
        }
        return false
    }

    /// An object's members that are strings; none where it is no object.
    private static func texts(_ value: Slice<UnsafeBufferPointer<UInt8>>) -> [String: String] {
        do throws(JSONError) {
            let members = try JSONValue(parsing: Array(value)).object?.members ?? []
            return Dictionary(members.compactMap { name, value in value.string.map { (name, $0) } }) { $1 }
        } catch {
            return [:]
        }
    }

    /// Writes what a string stands for, and returns how many bytes that is.
    private static func unescape(
        _ text: UnsafeBufferPointer<UInt8>, _ output: UnsafeMutablePointer<UInt8>
    ) -> Int {
        guard let base = text.baseAddress else { return 0 }
        var (position, count) = (0, 0)
        while position < text.count {
            let found = memchr(base + position, 92, text.count - position)
            let next = found.map { base.distance(to: $0.assumingMemoryBound(to: UInt8.self)) } ?? text.count
            (output + count).update(from: base + position, count: next - position)
            count += next - position
            // A string's last byte is no backslash: it would take the quote that ends it.
            position = next + 1
            if next < text.count { escape(text, &position, output, &count) }
        }
        return count
    }

    /// What stands for an escape is never longer than the escape, so the output fits in as many bytes as the text has.
    private static func escape(
        _ text: UnsafeBufferPointer<UInt8>, _ position: inout Int, _ output: UnsafeMutablePointer<UInt8>,
        _ count: inout Int
    ) {
        let byte = text[position]
        position += 1
        var value = byte
        switch byte {
        case UInt8(ascii: "n"): value = 10
        case UInt8(ascii: "r"): value = 13
        case UInt8(ascii: "t"): value = 9
        case UInt8(ascii: "b"): value = 8
        case UInt8(ascii: "f"): value = 12
        case UInt8(ascii: "u"):
            for byte in UTF8.encode(scalar(text, &position)) ?? UTF8.encodedReplacementCharacter {
                output[count] = byte
                count += 1
            }
            return
        default: break
        }
        output[count] = value
        count += 1
    }

    private static func scalar(_ text: UnsafeBufferPointer<UInt8>, _ position: inout Int) -> Unicode.Scalar {
        let first = hexadecimal(text, &position)
        guard (0xD800..<0xE000).contains(first) else { return Unicode.Scalar(first) ?? "\u{FFFD}" }
        guard first < 0xDC00, position + 1 < text.count, text[position] == UInt8(ascii: "\\"),
            text[position + 1] == UInt8(ascii: "u")
        else { return "\u{FFFD}" }
        let saved = position
        position += 2
        let second = hexadecimal(text, &position)
        guard (0xDC00..<0xE000).contains(second) else {
            position = saved
            return "\u{FFFD}"
        }
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? "\u{FFFD}"
    }

    /// Four digits; those of a broken escape count as zero.
    private static func hexadecimal(_ text: UnsafeBufferPointer<UInt8>, _ position: inout Int) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 where position < text.count {
            let digit: UInt32 =
                switch text[position] {
                case 48...57: UInt32(text[position]) - 48
                case 65...70: UInt32(text[position]) - 55
                case 97...102: UInt32(text[position]) - 87
                default: 0
                }
            value = value << 4 | digit
            position += 1
        }
        return value
    }

    /// RFC 3339 in UTC; forms that no engine writes go the long way.
    private mutating func timestamp(_ text: UnsafeBufferPointer<UInt8>) -> Timestamp? {
        guard text.count >= 20, text[text.count - 1] == UInt8(ascii: "Z"), text[10] == UInt8(ascii: "T"),
            text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"),
            let hour = Self.digits(text, 11, 2), let minute = Self.digits(text, 14, 2),
            let second = Self.digits(text, 17, 2),
            text.count == 20 || text[19] == UInt8(ascii: "."), text.count <= 30
        else { return Timestamp(rfc3339: String(decoding: text, as: UTF8.self)) }
        let bytes = UnsafeRawBufferPointer(text)
        let day = (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt16.self))
        if date != day {
            let words = String(decoding: text[0..<10], as: UTF8.self)
            guard let start = Timestamp(rfc3339: words + "T00:00:00Z") else { return nil }
            date = day
            midnight = start.nanosecondsSinceEpoch
        }
        var fraction: Int64 = 0
        if text.count > 20 {
            let width = text.count - 21
            guard let value = Self.digits(text, 20, width) else { return nil }
            fraction = value
            for _ in width..<9 { fraction *= 10 }
        }
        let seconds = (hour * 60 + minute) * 60 + second
        // The last day that 64 bits of nanoseconds can tell, in 2262, ends before its midnight.
        let (time, isTooLate) = midnight.addingReportingOverflow(seconds * 1_000_000_000 + fraction)
        return isTooLate ? nil : Timestamp(nanosecondsSinceEpoch: time)
    }

    private static func digits(_ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ width: Int) -> Int64? {
        var value: Int64 = 0
        for index in start..<start + width {
            let digit = text[index] &- 48
            guard digit < 10 else { return nil }
            value = value &* 10 &+ Int64(digit)
        }
        return value
    }
}
