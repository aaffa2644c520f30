import Foundation
import JSON
import Testing

/// Values of types that are written and read by the standard library's own protocols, beside Foundation's coder.
@Suite struct JSONCodingTests {
    private enum Colour: String, Codable, Hashable { case red, blue }

    private enum Choice: Codable, Hashable {
        case nothing
        case one(Int)
        case two(name: String, Colour)
    }

    private struct Inner: Codable, Hashable {
        var name = "in \"quotes\" and \u{1F600}"
        var flag: Bool?
        var ratio = 0.25
        var small: Float = -1.5
    }

    private struct Outer: Codable, Hashable {
        var inner = Inner()
        var inners: [Inner] = [Inner(name: "", flag: true), Inner(name: "b", flag: false)]
        var missing: Inner?
        var present: Int? = -7
        var largest = UInt64.max
        var least = Int64.min
        var bytes: [UInt8] = [0, 127, 255]
        var shorts: [Int16] = [.min, .max]
        var words: Set<String> = ["one"]
        var table = ["k": ["a", "b"], "": []]
        var keyed: [Colour: Int] = [.red: 1]
        var numbered: [Int: String] = [3: "three"]
        var holes: [Int?] = [1, nil, 3]
        var colour = Colour.blue
        var choices = [Choice.nothing, .one(5), .two(name: "x", .red)]
        var pause = Duration.seconds(90) + .nanoseconds(1)
    }

    @Test("What is written is read back the same, by this reader and by Foundation's")
    func roundTrip() throws {
        let value = Outer()
        let text = try JSONValue(encoding: value).compactText
        #expect(try JSONValue(parsing: text).decoded(as: Outer.self) == value)
        #expect(try JSONDecoder().decode(Outer.self, from: Data(text.utf8)) == value)
    }

    @Test("What Foundation's coder wrote is read")
    func formerRows() throws {
        let data = try JSONEncoder().encode(Outer())
        #expect(try JSONValue(parsing: Array(data)).decoded(as: Outer.self) == Outer())
    }

    @Test("Members are in the order of their declaration, and what is nil is left out")
    func order() throws {
        #expect(try JSONValue(encoding: Inner(name: "n")).compactText == #"{"name":"n","ratio":0.25,"small":-1.5}"#)
    }

    @Test(
        "What does not fit is refused",
        arguments: [
            #"{"ratio": 1, "small": 1}"#, #"{"name": 5, "ratio": 1, "small": 1}"#,
            #"{"name": "n", "ratio": "1", "small": 1}"#, #"{"name": null, "ratio": 1, "small": 1}"#, "[]", "null", "1",
        ])
    func refusals(text: String) throws {
        let value = try JSONValue(parsing: text)
        #expect(throws: DecodingError.self) { try value.decoded(as: Inner.self) }
    }

    @Test("A number that its type cannot hold, or that JSON has no text for, is refused")
    func numbers() throws {
        #expect(throws: DecodingError.self) { try JSONValue.integer(256).decoded(as: UInt8.self) }
        #expect(throws: DecodingError.self) { try JSONValue.integer(-1).decoded(as: UInt.self) }
        #expect(throws: DecodingError.self) { try JSONValue.number(1.5).decoded(as: Int.self) }
        #expect(try JSONValue.number(2).decoded(as: Int.self) == 2)
        #expect(throws: EncodingError.self) { try JSONValue(encoding: [Double.infinity]) }
    }

    @Test("An error says where it was found")
    func path() throws {
        let value = try JSONValue(parsing: #"{"a": [{"name": "n", "ratio": 1, "small": true}]}"#)
        do {
            _ = try value.decoded(as: [String: [Inner]].self)
            Issue.record("it was read")
        } catch DecodingError.typeMismatch(_, let context) {
            #expect(context.codingPath.map(\.stringValue) == ["a", "Index 0", "small"])
        }
    }
}
