import JSON
import Testing

@testable import OCI

/// Two ways to write one letter: one scalar, or two.
private let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")

struct TextMapTests {
    @Test("Names that differ in bytes alone are kept apart")
    func names() {
        var map: TextMap = [composed: "1", decomposed: "2"]
        #expect(map.members.count == 2 && map[composed] == "1" && map[decomposed] == "2")
        map[composed] = "3"
        #expect(map[composed] == "3" && map[decomposed] == "2")
        #expect(map != [decomposed: "3", composed: "2"] && map == [decomposed: "2", composed: "3"])
        map[composed] = nil
        #expect(map == [decomposed: "2"] && map != [composed: "2"] && map[composed] == nil)
        map[composed] = nil
        #expect(map.dictionary == [composed: "2"] && !map.isEmpty)
    }

    @Test("Members are in the order of their bytes, however they came")
    func order() {
        let names = ["b", "a", "\u{E9}", "ab", "", "e\u{301}", "Z", "\u{10000}", "\u{FFFD}"]
        let sorted = names.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
        var one = TextMap()
        for name in names { one[name] = name }
        let all = TextMap(unique: names.reversed().map { ($0, $0) })
        #expect(one == all && one.hashValue == all.hashValue)
        #expect(one.members.map { Array($0.name.utf8) } == sorted.map { Array($0.utf8) })
        for name in names { #expect(one[name] == name) }
    }

    @Test("Documents keep all of their annotations and labels")
    func documents() throws {
        let members = #"{"\#(decomposed)":"2","\#(composed)":"1"}"#
        func parse(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }
        let expected = try parse(members)
        let spec = try RuntimeSpec(parse(#"{"ociVersion":"1.2.0","annotations":\#(members)}"#))
        #expect(spec.json["annotations"] == expected)
        let execution = try ImageExecution(RuntimeProperty(parse(#"{"Labels":\#(members)}"#)))
        #expect(execution.json["Labels"] == expected)
        let refusal = #expect(throws: RuntimeSpecError.self) {
            try RuntimeSpec(parse(#"{"ociVersion":"1.2.0","annotations":{"a":1}}"#))
        }
        #expect(refusal?.description.contains("annotations.a") == true)
    }
}
