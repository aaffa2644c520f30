import CZlib
import Glibc
import JSON
import Linux
import ShimAPI
import Testing

@testable import Shim

/// What protocols make of a line.
@Suite struct LogMessageTests {
    /// 2026-02-03T04:05:06.000789Z.
    private static let time = Timestamp(nanosecondsSinceEpoch: 1_770_091_506_000_789_000)

    private func messages(
        _ form: LogForward.Form, _ text: String, _ kind: OutputKind = .stdout, isWhole: Bool = true,
        inDatagrams: Bool = true
    ) throws -> [[UInt8]] {
        try Array(text.utf8).withUnsafeBytes { text in
            var line = LoggedLine(text: text, kind: kind, isWhole: isWhole)
            line.time = Self.time
            return try form.messages(inDatagrams: inDatagrams).messages(line)
        }
    }

    @Test(
        "syslog's dialects",
        arguments: [
            ("", "<30>", " tag[\(getpid())]: hello\n"), ("rfc3164", "<30>", " host tag[\(getpid())]: hello\n"),
            ("rfc5424", "<30>1 ", " host tag \(getpid()) tag - hello\n"),
            ("rfc5424micro", "<30>1 ", " host tag \(getpid()) tag - hello\n"),
        ])
    func syslog(dialect: String, head: String, tail: String) throws {
        let form = LogForward.Form.syslog(.init(dialect: dialect, facility: 3, tag: "tag", host: "host"))
        let clock = WallClock(Self.time)
        let time =
            switch dialect {
            case "rfc5424": clock.rfc3339(microseconds: false)
            case "rfc5424micro": clock.rfc3339(microseconds: true)
            default: clock.short
            }
        #expect(try messages(form, "hello").map { String(decoding: $0, as: UTF8.self) } == [head + time + tail])
        let error = try messages(form, "no", .stderr).map { String(decoding: $0, as: UTF8.self) }
        #expect(error.first?.hasPrefix("<27>") == true)
    }

    @Test("The wall clock's texts are those of its zone, which RFC 3339 tells")
    func clock() throws {
        let clock = WallClock(Self.time)
        let exact = clock.rfc3339(microseconds: true)
        #expect(exact.contains(".000789"))
        let told = try #require(Timestamp(rfc3339: exact))
        #expect(told == Self.time)
        #expect(Timestamp(rfc3339: clock.rfc3339(microseconds: false))?.secondsSinceEpoch == 1_770_091_506)
        #expect(["Feb  2 ", "Feb  3 "].contains(clock.short.prefix(7)))
    }

    @Test("Graylog gets JSON: a text's bytes are escaped, what is known of the container stands beside it")
    func graylog() throws {
        func form(_ packing: LogForward.Graylog.Packing) -> LogForward.Form {
            .gelf(.init(host: "h\"", members: #""_a":"b","_c":"d""#, packing: packing, packingLevel: 9))
        }
        let plain = try messages(form(.none), "say \"hi\"\u{1}", .stderr)
        let text = String(decoding: try #require(plain.first), as: UTF8.self)
        let value = try JSONValue(parsing: text)
        #expect(value["short_message"]?.string == "say \"hi\"\u{1}" && value["host"]?.string == "h\"")
        #expect(text.contains(#""timestamp":1770091506.000,"level":3,"_a":"b","_c":"d"}"#))
        #expect(value["version"]?.string == "1.1")
        #expect(try messages(form(.gzip), "x", inDatagrams: false).first?.last == 0)
        for (packing, windowBits) in [(LogForward.Graylog.Packing.gzip, Int32(31)), (.zlib, 15)] {
            let packed = try messages(form(packing), String(repeating: "long ", count: 3000))
            try #require(packed.count == 1)
            let value = try JSONValue(parsing: String(decoding: inflated(packed[0], windowBits), as: UTF8.self))
            #expect(value["short_message"]?.string == String(repeating: "long ", count: 3000))
        }
    }

    @Test("What is too long for a datagram goes in numbered chunks of one message")
    func chunks() throws {
        let form = LogForward.Form.gelf(.init(host: "h", members: "", packing: .none, packingLevel: 1))
        let text = String((0..<9000).map { _ in Character(UnicodeScalar(UInt8.random(in: 97...122))) })
        let chunks = try messages(form, text)
        #expect(chunks.count == 7 && chunks.allSatisfy { $0.count <= GraylogMessages.chunkBytes })
        #expect(Set(chunks.map { Array($0[..<10]) }).count == 1 && chunks[0].starts(with: [0x1E, 0x0F]))
        #expect(chunks.map { $0[10] } == [0, 1, 2, 3, 4, 5, 6] && chunks.allSatisfy { $0[11] == 7 })
        let whole = String(decoding: chunks.flatMap { $0[12...] }, as: UTF8.self)
        #expect(try JSONValue(parsing: whole)["short_message"]?.string == text)
    }

    @Test("Fluentd gets its tag, the time, and a record in MessagePack; the parts of a long line tell of each other")
    func fluentd() throws {
        let fields = [LogForward.Fluentd.Field("container_id", "abc"), .init("label", "é")]
        let form = try LogForward.Form.fluentd(.init(tag: "t", fields: fields, isExact: false))
            .messages(inDatagrams: false)
        func record(_ text: String, _ kind: OutputKind = .stdout, isWhole: Bool = true) throws -> [String: String] {
            let bytes = Array(text.utf8).withUnsafeBytes { text in
                var line = LoggedLine(text: text, kind: kind, isWhole: isWhole)
                line.time = Self.time
                return form.messages(line)
            }
            var reader = Unpacked(try #require(bytes.first))
            try #require(bytes.count == 1)
            #expect(reader.head(0x90) == 3 && reader.text() == "t" && reader.whole() == 1_770_091_506)
            var record: [String: String] = [:]
            for _ in 0..<reader.head(0x80) { record[reader.text()] = reader.text() }
            #expect(reader.isAtEnd)
            return record
        }
        #expect(
            try record("hi") == ["container_id": "abc", "label": "é", "source": "stdout", "log": "hi"])
        let long = String(repeating: "z", count: 70_000)
        #expect(try record(long, .stderr)["log"] == long)
        let (first, last) = (try record("a", isWhole: false), try record("b"))
        #expect(first["partial_message"] == "true")
        #expect(first["partial_ordinal"] == "1" && first["partial_last"] == "false")
        #expect(last["partial_ordinal"] == "2" && last["partial_last"] == "true")
        #expect(first["partial_id"]?.count == 64 && first["partial_id"] == last["partial_id"])
        #expect(try record("c")["partial_id"] == nil)
    }

    @Test("Where exact times are wanted, Fluentd gets its own kind of them")
    func exactTime() throws {
        let message = try messages(.fluentd(.init(tag: "t", fields: [], isExact: true)), "x")[0]
        #expect(Array(message[3..<13]) == [0xD7, 0, 0x69, 0x81, 0x73, 0xF2, 0x00, 0x0C, 0x0A, 0x08])
    }

    private func inflated(_ bytes: [UInt8], _ windowBits: Int32) -> [UInt8] {
        var (stream, input, output) = (z_stream(), bytes, [UInt8](repeating: 0, count: 1 << 16))
        inflateInit2_(&stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        defer { inflateEnd(&stream) }
        let capacity = output.count
        let left = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                #expect(inflate(&stream, Z_FINISH) == Z_STREAM_END)
                return Int(stream.avail_out)
            }
        }
        return Array(output[..<(capacity - left)])
    }
}

/// As much of MessagePack as these messages have.
private struct Unpacked {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }

    /// The count of a short array or map.
    mutating func head(_ mark: UInt8) -> Int { Int(rest.removeFirst() ^ mark) }

    mutating func text() -> String {
        let mark = rest.removeFirst()
        let count =
            switch mark {
            case 0xD9: number(1)
            case 0xDA: number(2)
            case 0xDB: number(4)
            default: Int(mark ^ 0xA0)
            }
        defer { rest = rest.dropFirst(count) }
        return String(decoding: rest.prefix(count), as: UTF8.self)
    }

    mutating func whole() -> Int {
        #expect(rest.removeFirst() == 0xD3)
        return number(8)
    }

    private mutating func number(_ count: Int) -> Int {
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
    }
}
