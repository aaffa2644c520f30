import Testing

@testable import Expressions

@Suite struct ExpressionTests {
    private static func isFound(_ expression: String, in text: String, ignoresCase: Bool? = false) throws -> Bool {
        var finder = ExpressionFinder(try Expression(expression, ignoresCase: ignoresCase))
        let first = finder.isFound(in: text)
        // What was learnt from a text makes no difference to the next.
        #expect(finder.isFound(in: text) == first)
        return first
    }

    @Test(
        "What an expression finds",
        arguments: [
            ("abc", "xxabcxx"), ("^abc$", "abc"), ("a|b", "xb"), ("(a|b)c{2,3}$", "bccc"), ("a.c", "abc"),
            ("[^a]b", "xb"), (#"\d+"#, "abc1"), (#"\bfoo\b"#, "a foo b"), (#"\Bfoo"#, "afoo b"),
            (#"{"level""#, #"x{"level":1"#), ("a{,3}", "a{,3}"), ("a{2}", "aa"), ("(?<name>x)", "x"), ("a+?b", "aab"),
            ("", ""), ("x*", ""), ("^$", ""), ("a$|^b", "xa"), ("日本", "a日本b"), ("[ぁ-ん]", "あ"),
            ("[[:digit:]]x", "1x"), ("[^[:^digit:]]x", "1x"), ("[]]", "]"), ("[a-]", "-"), (#"[\]]"#, "]"),
            (#"\x41"#, "A"), (#"\u{1F600}"#, "😀"), (#"\bé"#, " é"), (#"\w+\s\S"#, "größe x"),
            ("((((){1000}){1000}){1000}){1000}x", "x"), ("(a*)*b", "aab"),
            ("(a?){50}a{50}", String(repeating: "a", count: 50)), ("(?:ab|c)+d", "abcabd"), ("(?i)ABC", "xabc"),
            ("(?i:a)B", "AB"), ("a(?i)b|c", "aB"), ("(?-i:A)b", "Ab"),
            (#"^\Qa.b*\E*$"#, "a.b**"), (#"\Q(["#, "x(["), (#"\Q\E"#, ""), (#"\101\0"#, "A\0"), (#"[\101]"#, "A"),
            (#"(?U)a+\a?"#, "a"),
        ] as [(String, String)])
    func found(expression: String, text: String) throws {
        #expect(try Self.isFound(expression, in: text))
    }

    @Test(
        "What an expression does not find",
        arguments: [
            ("abc", "xxabxc"), ("^abc", "xabc"), ("^(a|b)c{2,3}$", "bcccc"), ("[^a]b", "ab"), (#"\bfoo\b"#, "afoo b"),
            ("^a{2}$", "aaa"), ("ABC", "abc"), (#"\."#, "a"), ("[.]", "a"), ("^$", "a"), (#"\w+ß"#, "x ß"),
            (#"\bé"#, "aé"), ("(?i:a)B", "Ab"), ("x", ""), (#"\D"#, "123"), (#"a\zb"#, "ab"), ("a^b", "ab"),
        ])
    func notFound(expression: String, text: String) throws {
        #expect(try !Self.isFound(expression, in: text))
    }

    @Test(
        "Capitals count only where the expression names one",
        arguments: [
            ("abc", "xABCx", true), ("aBc", "xabcx", false), (#"\Sbc"#, "ABC", true), ("[^a]", "A", false),
            ("[a-c]x", "BX", true), ("[A-C]x", "bx", false), ("größe", "GRÖßE", true),
        ])
    func capitals(expression: String, text: String, isFound: Bool) throws {
        #expect(try Self.isFound(expression, in: text, ignoresCase: nil) == isFound)
    }

    @Test(
        "What is no expression, or none that can be matched in linear time, is said in words",
        arguments: [
            ("(", "`(` without its `)`"), (")", "`)` without its `(`"), ("*", "`*` has nothing to repeat"),
            ("a**", "`*` has nothing to repeat"), ("a++", "`+` has nothing to repeat"), ("[a", "it ends too early"),
            ("a\\", "it ends too early"), ("(?=x)", "`(?=` is not understood here"),
            ("(?<!x)", "`(?<` is not understood here"), (#"(a)\1"#, #"`\1` refers back, which is not understood here"#),
            (#"\p{L}"#, #"`\p` is not understood here"#), ("[b-a]", "a range in `[…]` runs backwards"),
            ("a{3,1}", "a repetition counts to 1000 at most, and upwards"),
            ("a{99999999999999999999}", "a repetition counts to 1000 at most, and upwards"),
            ("[[:nothing:]]", "there is no class `[:nothing:]`"), (#"\xZZ"#, "`ZZ` numbers no character"),
            ("((a{100}){100}){100}", "it is too large"),
            (String(repeating: "(", count: 500), "it is nested too deeply"),
        ])
    func refused(expression: String, reason: String) {
        let error = #expect(throws: ExpressionError.self) { try Expression(expression) }
        #expect(error?.message == reason)
    }

    @Test(
        "Expressions that are exponential where they are tried out look at each scalar once",
        arguments: ["(a+)+$", "(a|aa)+$", "(.*)*x", "(a|a)*b", "(x+x+)+y"])
    func catastrophic(expression: String) throws {
        // Backtracking would take longer than the universe has been there.
        let text = String(repeating: expression.hasPrefix("(x") ? "x" : "a", count: 20_000) + "!"
        #expect(try !Self.isFound(expression, in: text))
    }

    @Test("More states than are kept give the same answers")
    func forgetting() throws {
        // Needs 2^13 states: the place of each `a` among the last ones.
        var finder = ExpressionFinder(try Expression("a(a|b){12}$"))
        var seed: UInt64 = 1
        for _ in 0..<60 {
            let text = String(
                (0..<200).map { _ -> Character in
                    seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return seed >> 40 & 1 == 0 ? "a" : "b"
                })
            #expect(finder.isFound(in: text) == (text.suffix(13).first == "a"))
        }
    }

    @Test("Sets of scalars are joined, turned round and looked into")
    func sets() {
        let set = ScalarSet([5...9, 1...2, 10...12, 3...3])
        #expect(set.ranges == [1...3, 5...12])
        #expect(set.inverted.ranges == [0...0, 4...4, 13...0x10FFFF])
        #expect(set.inverted.inverted == set && ScalarSet.everything.inverted.ranges.isEmpty)
        for value in UInt32(0)...20 {
            #expect(set.contains(value) == ((1...3).contains(value) || (5...12).contains(value)))
        }
        #expect(ScalarSet("k").ignoringCase.contains(0x4B) && ScalarSet("ß").ignoringCase.only == "ß")
    }
}
