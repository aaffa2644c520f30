import Testing

@testable import Terminal

@Suite struct ClipboardPathTests {
    private static let plain = "\u{1B}]52;c;Y2xpcA==\u{07}"
    private static let inScreen = "\u{1B}P\(plain)\u{1B}\\"
    private static let pastTmux = "\u{1B}Ptmux;\u{1B}\(plain)\u{1B}\\"

    private static let places: [(environment: [String: String], answer: Multiplexer?, asks: Bool, written: String)] = [
        (["TERM": "xterm-256color"], nil, false, plain),
        (["TERM": "screen", "STY": "1.x"], nil, false, inScreen),
        (["TERM": "tmux-256color"], nil, false, plain + pastTmux),
        (["TERM": "screen", "TMUX": "/tmp/s,1,0"], nil, false, plain + pastTmux),
        (["TERM": "screen.xterm-256color"], nil, true, inScreen + plain),
        (["TERM": "screen"], .screen, true, inScreen), (["TERM": "screen"], .tmux, true, plain + pastTmux),
        (["TERM": "screen", "TMUX": "/tmp/s,1,0", "STY": "1.x"], .screen, true, inScreen),
        (
            ["TERM": "tmux-256color", "TMUX": "/tmp/s,1,0", "STY": "1.x"], nil, false,
            plain + pastTmux + "\u{1B}Ptmux;\u{1B}\u{1B}P\u{1B}\(plain)\u{1B}\u{1B}\\\u{1B}\\"
        ),
    ]

    @Test("What is copied is wrapped for what stands between, as far as that is known", arguments: places)
    func wrapping(
        place: (environment: [String: String], answer: Multiplexer?, asks: Bool, written: String)
    ) {
        let path = ClipboardPath(environment: place.environment)
        #expect(path.mustAsk == place.asks)
        #expect(path.sequences(for: "clip", answer: place.answer) == place.written)
    }

    @Test("What may be GNU screen never gets more of a string than it keeps: it would print the rest")
    func pieces() {
        let text = String(repeating: "x", count: 3000)
        for environment in [["TERM": "screen"], ["TERM": "screen", "STY": "1.x"]] {
            let written = ClipboardPath(environment: environment).sequences(for: text, answer: nil)
            let pieces = written.split(separator: "\u{1B}\\")
            #expect(pieces.count > 1 && pieces.allSatisfy { $0.utf8.count < 768 && $0.hasPrefix("\u{1B}P") })
            let joined = pieces.map { $0.dropFirst(2) }.joined()
            #expect(joined == "\u{1B}]52;c;\(Base64.encode(Array(text.utf8)))\u{07}")
        }
    }
}
