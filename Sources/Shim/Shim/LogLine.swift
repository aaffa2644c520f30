import Glibc

/// Which of its outputs a process wrote to. All output of a terminal is `stdout`.
enum OutputKind: Int, CaseIterable {
    case stdout, stderr

    var name: String { self == .stdout ? "stdout" : "stderr" }
}

/// Lines of docker's json-file form: `{"log":"…\n","stream":"stdout","time":"…"}`.
enum LogLine {
    /// What docker holds of a line before it cuts it: the rest becomes lines of their own, the last one with `\n`.
    static let contentLimit = 16384
    private static let prefix = Array(#"{"log":""#.utf8)

    /// What follows the text, the same for all lines of one read.
    static func suffix(_ kind: OutputKind, time: [UInt8]) -> [UInt8] {
        Array(#"","stream":""#.utf8) + Array(kind.name.utf8) + Array(#"","time":""#.utf8) + time
            + Array("\"}\n".utf8)
    }

    /// The most room that a line of so many bytes takes.
    static func roomNeeded(contentCount: Int, suffix: [UInt8]) -> Int {
        prefix.count + contentCount * 6 + 2 + suffix.count
    }

    /// Writes one line and returns the position behind it. There must be `roomNeeded` at `out`.
    ///
    /// - Parameter content: one line with its `\n`, or a part of one.
    static func write(
        _ content: UnsafeRawBufferPointer, suffix: [UInt8], to out: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer {
        var end = append(prefix, to: out)
        end = JSONText.escape(content, to: end)
        return append(suffix, to: end)
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
