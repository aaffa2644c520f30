import JSON
import Linux
import Testing

@testable import Shim

@Suite struct LogLineTests {
    private func escaped(_ bytes: [UInt8]) -> String {
        let out = [UInt8](unsafeUninitializedCapacity: bytes.count * 6 + 1) { buffer, count in
            guard let base = buffer.baseAddress else { return }
            let start = UnsafeMutableRawPointer(base)
            count = bytes.withUnsafeBytes { JSONText.escape($0, to: start) } - start
        }
        return String(decoding: out, as: UTF8.self)
    }

    @Test(
        "Text is escaped as docker's json-file escapes it",
        arguments: [
            ("plain text of more than eight bytes", "plain text of more than eight bytes"),
            ("a\n", #"a\n"#), ("\r\t\u{0}\u{1b}[0m", "\\r\\u0009\\u0000\\u001b[0m"),
            (#"say "hi" \o/"#, #"say \"hi\" \\o/"#), ("<a&b>", #"\u003ca\u0026b\u003e"#), ("ü€😀", "ü€😀"),
            ("\u{2028}\u{2029}", #"\u2028\u2029"#), ("\u{7f}", "\u{7f}"), ("", ""),
            ("12345678\"12345678", #"12345678\"12345678"#),
        ])
    func escape(text: String, expected: String) {
        #expect(escaped(Array(text.utf8)) == expected)
    }

    @Test(
        "Each byte that is no UTF-8 becomes one U+FFFD",
        arguments: [
            ([0xFF], 1), ([0xC3], 1), ([0xC0, 0x80], 2), ([0xE2, 0x82], 2), ([0xED, 0xA0, 0x80], 3),
            ([0xF5, 0x80, 0x80, 0x80], 4), ([0xF0, 0x9F, 0x98], 3), ([0x80, 0x41], 1),
        ] as [([UInt8], Int)])
    func invalid(bytes: [UInt8], count: Int) {
        let text = escaped(bytes)
        #expect(text.components(separatedBy: #"\ufffd"#) == count)
    }

    @Test("Any bytes give JSON that reads back as the text they stand for")
    func anyBytes() throws {
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0...60)).map { _ in
                Bool.random() ? UInt8.random(in: 0...255) : UInt8.random(in: 32...126)
            }
            let value = try JSONValue(parsing: "\"" + escaped(bytes) + "\"")
            let valid = bytes.allSatisfy { $0 < 0x80 }
            if valid { #expect(value.string == String(decoding: bytes, as: UTF8.self)) }
            #expect(value.string != nil)
        }
    }

    @Test("A line is docker's: log, stream, time")
    func line() throws {
        let content = Array("hi\n".utf8)
        let suffix = LogLine().stamp(.stderr, Timestamp(nanosecondsSinceEpoch: 1_767_323_045_000_000_006))
        let room = LogLine().roomNeeded(contentCount: content.count, stamp: suffix)
        let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            guard let base = buffer.baseAddress else { return }
            let start = UnsafeMutableRawPointer(base)
            count = content.withUnsafeBytes { LogLine().write($0, stamp: suffix, to: start) } - start
        }
        let expected = #"{"log":"hi\n","stream":"stderr","time":"2026-01-02T03:04:05.000000006Z"}"# + "\n"
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }

    @Test("A long line is cut before a character, not inside it")
    func cut() {
        for shift in 0..<3 {
            var bytes = [UInt8](repeating: 0x61, count: LogLine.contentLimit - 2 + shift)
            while bytes.count < LogLine.contentLimit + 9 { bytes += Array("€".utf8) }
            let cut = bytes.withUnsafeBytes { LogLine.cut($0) }
            #expect(bytes[cut] & 0xC0 != 0x80)
            #expect((LogLine.contentLimit - 3...LogLine.contentLimit).contains(cut))
        }
        let garbage = [UInt8](repeating: 0x80, count: LogLine.contentLimit + 5)
        #expect(garbage.withUnsafeBytes { LogLine.cut($0) } == LogLine.contentLimit)
    }
}

extension String {
    /// How often `part` occurs.
    fileprivate func components(separatedBy part: String) -> Int {
        var count = 0
        var rest = self[...]
        while let found = rest.firstRange(of: part) {
            count += 1
            rest = rest[found.upperBound...]
        }
        return count
    }
}
