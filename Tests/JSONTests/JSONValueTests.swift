import JSON
import Testing

@Suite struct JSONValueTests {
    @Test(
        "Texts are read as the values they are",
        arguments: [
            ("null", JSONValue.null), (" true ", true), ("-0", 0), ("12", 12),
            ("18446744073709551615", JSONValue.unsigned(UInt64.max)),
            ("1.5e3", JSONValue.number(1500)), (#""a\"b\u00e9\n""#, "a\"bé\n"), (#""\ud83d\ude00""#, "😀"),
            (#""\ud83d""#, "\u{FFFD}"), ("[]", []), ("[1,[2]]", [1, [2]]), (#"{"b":1,"a":{}}"#, ["b": 1, "a": [:]]),
        ] as [(String, JSONValue)])
    func reading(_ text: String, _ value: JSONValue) throws {
        #expect(try JSONValue(parsing: text) == value)
    }

    @Test(
        "What is no JSON is refused",
        arguments: [
            "", "nul", "01", "1.", "-", "1e", "[1,]", "{\"a\"}", "{\"a\":1,}", "{a:1}", "\"a", "\"\u{1}\"", "\"\\x\"",
            "\"\\u12\"", "1 2", "[1 2]", "1e999",
        ])
    func refusals(_ text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }

    @Test("Bytes that are not UTF-8 are refused, and so is endless nesting")
    func hostile() {
        #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
        let deep = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(throws: JSONError.self) { try JSONValue(parsing: deep) }
    }

    @Test("Members keep their order, and of a name given twice the last counts")
    func members() throws {
        let value = try JSONValue(parsing: #"{"z":1,"a":2,"z":3}"#)
        #expect(value.object?.members.map(\.name) == ["z", "a"])
        #expect(value["z"]?.integer == 3)
    }

    @Test("Names are the same where their bytes are, in objects of few members and of many", arguments: [0, 40])
    func names(others: Int) throws {
        let more = (0..<others).map { "\"other-\($0)\":0," }.joined()
        let value = try JSONValue(parsing: "{\(more)\"\\u00e9\":1,\"e\\u0301\":2,\"e\\u0301\":3}")
        let (composed, parts) = ("\u{E9}", "e\u{301}")
        #expect(value.object?.count == others + 2)
        #expect(value[composed] == 1 && value[parts] == 3)
        var object = try #require(value.object)
        object[composed] = nil
        #expect(object[composed] == nil && object[parts] == 3)
        object[parts] = nil
        object[composed] = 3
        #expect(JSONValue.object(object) != JSONValue(dictionaryLiteral: (parts, 3)))
        #expect(object.count == others + 1)
    }

    @Test("An object of very many members takes no more than their number", .timeLimit(.minutes(1)))
    func many() throws {
        let labels = Dictionary(uniqueKeysWithValues: (0..<300_000).map { ("label-\($0)", "\($0)") })
        let value = try JSONValue(encoding: labels)
        #expect(try value.decoded(as: [String: String].self) == labels)
        var object = try #require(try JSONValue(parsing: value.compactBytes).object)
        #expect(object == value.object)
        object["label-7"] = nil
        #expect(object["label-7"] == nil && object["label-8"] == "8" && object.count == 299_999)
        object["label-7"] = "again"
        #expect(object.members.last?.name == "label-7" && object["label-299999"] == "299999")
    }

    @Test("What is written is read back the same")
    func roundTrip() throws {
        let value: JSONValue = [
            "text": "tab\tquote\"back\\bell\u{7}", "numbers": [.integer(.min), .unsigned(.max), .number(0.1)],
            "nested": ["empty": [], "none": .null, "yes": true],
        ]
        #expect(try JSONValue(parsing: value.compactBytes) == value)
        #expect(try JSONValue(parsing: value.prettyBytes(indent: "\t")) == value)
    }

    @Test("Whole numbers are given only where they fit")
    func conversions() {
        #expect(JSONValue.number(3).integer == 3)
        #expect(JSONValue.number(3.5).integer == nil)
        #expect(JSONValue.unsigned(.max).integer == nil)
        #expect(JSONValue.integer(-1).unsigned == nil)
        #expect(JSONValue.string("1").integer == nil)
    }
}
