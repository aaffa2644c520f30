import Glibc
import Linux
import ShimAPI

/// Which of its outputs a process wrote to. All output of a terminal is `stdout`.
enum OutputKind: Int, CaseIterable {
    case stdout, stderr

    var name: String { self == .stdout ? "stdout" : "stderr" }
}

/// Lines of a log's file, in docker's json-file form, `{"log":"…\n","stream":"stdout","time":"…"}`, or in the compact one.
///
/// The compact form keeps the bytes as they are: a letter for the stream (`o`, `e`; a capital where the line goes on in
/// the next one), eleven digits of base 64 for the nanoseconds since 1970, the line, and its end.
struct LogLine {
    /// What docker holds of a line before it cuts it: the rest becomes lines of their own, the last one with `\n`.
    static let contentLimit = 16384
    private static let prefix = Array(#"{"log":""#.utf8)
    /// What comes behind the last digit of the time.
    private static let suffix = Array("Z\"}\n".utf8)
    /// In the order of their bytes, so that stamps sort as their times do.
    private static let digits = Array("-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz".utf8)
    private static let digitCount = 11

    private let isCompact: Bool
    /// A member for each line of the json form, with its comma.
    private let attributes: [UInt8]

    init(isCompact: Bool = false, attributes: String = "") {
        self.isCompact = isCompact
        self.attributes = attributes.isEmpty ? [] : Array(#""attrs":"#.utf8) + Array(attributes.utf8) + Array(",".utf8)
    }

    /// What stands beside a line's text.
    func stamp(_ kind: OutputKind, _ time: Timestamp) -> [UInt8] {
        guard isCompact else {
            return Array(#"","stream":""#.utf8) + Array(kind.name.utf8) + Array(#"","#.utf8) + attributes
                + Array(#""time":""#.utf8) + time.rfc3339NanoBytes.dropLast() + Self.suffix
        }
        var stamp = [UInt8](repeating: 0, count: Self.digitCount + 1)
        stamp[0] = kind == .stdout ? UInt8(ascii: "o") : UInt8(ascii: "e")
        Self.writeDigits(of: time, into: &stamp)
        return stamp
    }

    /// Makes a stamp that of a nanosecond later in the same second, in place: most often one byte changes.
    ///
    /// - Parameter time: what the stamp is to tell.
    func advance(_ stamp: inout [UInt8], to time: Timestamp) {
        if isCompact {
            let last = Int(UInt64(bitPattern: time.nanosecondsSinceEpoch) & 63)
            guard last > 0 else { return Self.writeDigits(of: time, into: &stamp) }
            return stamp[Self.digitCount] = Self.digits[last]
        }
        var place = stamp.count - Self.suffix.count - 1
        while stamp[place] == UInt8(ascii: "9") {
            stamp[place] = UInt8(ascii: "0")
            place -= 1
        }
        stamp[place] += 1
    }

    private static func writeDigits(of time: Timestamp, into stamp: inout [UInt8]) {
        var rest = UInt64(bitPattern: time.nanosecondsSinceEpoch)
        for place in stride(from: digitCount, to: 0, by: -1) {
            stamp[place] = digits[Int(rest & 63)]
            rest >>= 6
        }
    }

    /// The most room that a line of so many bytes takes.
    func roomNeeded(contentCount: Int, stamp: [UInt8]) -> Int {
        isCompact ? contentCount + 2 + stamp.count : Self.prefix.count + contentCount * 6 + 2 + stamp.count
    }

    /// Writes one line and returns the position behind it. There must be `roomNeeded` at `out`.
    ///
    /// - Parameter content: one line with its `\n`, or a part of one.
    func write(
        _ content: UnsafeRawBufferPointer, stamp: [UInt8], to out: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer {
        guard isCompact else {
            var end = Self.append(Self.prefix, to: out)
            end = JSONText.escape(content, to: end)
            return Self.append(stamp, to: end)
        }
        var end = Self.append(stamp, to: out)
        let isWhole = content.last == 10
        if !isWhole { out.storeBytes(of: out.load(as: UInt8.self) & ~0x20, as: UInt8.self) }
        if let base = content.baseAddress { memcpy(end, base, content.count) }
        end += content.count
        guard !isWhole else { return end }
        end.storeBytes(of: 10, as: UInt8.self)
        return end + 1
    }

    /// One line in memory of its own.
    func encoded(_ content: UnsafeRawBufferPointer, stamp: [UInt8]) -> [UInt8] {
        let room = roomNeeded(contentCount: content.count, stamp: stamp)
        return [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            guard let base = buffer.baseAddress else { return }
            let start = UnsafeMutableRawPointer(base)
            count = write(content, stamp: stamp, to: start) - start
        }
    }

    /// Where to cut a line that is too long: at the limit, or up to three bytes before it where a character of UTF-8
    /// would be torn.
    static func cut(_ content: UnsafeRawBufferPointer) -> Int {
        var cut = contentLimit
        while cut > contentLimit - 3, content[cut] & 0xC0 == 0x80 { cut -= 1 }
        return content[cut] & 0xC0 == 0x80 ? contentLimit : cut
    }

    private static func append(_ bytes: [UInt8], to out: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        bytes.withUnsafeBytes { if let base = $0.baseAddress { memcpy(out, base, $0.count) } }
        return out + bytes.count
    }
}
