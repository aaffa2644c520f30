import Testing

@testable import Terminal

@Suite struct InputTests {
    private func decode(_ text: String) -> [InputEvent] {
        var decoder = InputDecoder()
        return decoder.feed(Array(text.utf8)) + decoder.flush()
    }

    @Test(
        "What terminals send is the key that was pressed",
        arguments: [
            ("a", "a"), ("A", "A"), (" ", "space"), ("é", "é"), ("日", "日"), ("🚀", "🚀"), ("\r", "enter"), ("\t", "tab"),
            ("\u{7F}", "backspace"), ("\u{08}", "ctrl-h"), ("\u{00}", "ctrl-space"), ("\u{01}", "ctrl-a"),
            ("\n", "ctrl-j"), ("\u{1C}", "ctrl-\\"), ("\u{1D}", "ctrl-]"), ("\u{1F}", "ctrl-_"), ("\u{1B}", "esc"),
            ("\u{1B}a", "alt-a"), ("\u{1B}\u{01}", "ctrl-alt-a"), ("\u{1B}\r", "alt-enter"), ("\u{1B}é", "alt-é"),
            ("\u{1B}[A", "up"), ("\u{1B}OA", "up"), ("\u{1B}[1;5A", "ctrl-up"), ("\u{1B}[1;2D", "shift-left"),
            ("\u{1B}[1;3C", "alt-right"), ("\u{1B}[1;8B", "ctrl-alt-shift-down"), ("\u{1B}\u{1B}[A", "alt-up"),
            ("\u{1B}[a", "shift-up"), ("\u{1B}Oa", "ctrl-up"), ("\u{1B}[H", "home"), ("\u{1B}[1~", "home"),
            ("\u{1B}[7~", "home"), ("\u{1B}OF", "end"), ("\u{1B}[4~", "end"), ("\u{1B}[2~", "insert"),
            ("\u{1B}[3~", "delete"), ("\u{1B}[3;5~", "ctrl-delete"), ("\u{1B}[3^", "ctrl-delete"),
            ("\u{1B}[3$", "shift-delete"), ("\u{1B}[5~", "pgup"), ("\u{1B}[6~", "pgdn"), ("\u{1B}[Z", "shift-tab"),
            ("\u{1B}OP", "F1"), ("\u{1B}[[A", "F1"), ("\u{1B}[11~", "F1"), ("\u{1B}[1;2P", "shift-F1"),
            ("\u{1B}[15~", "F5"), ("\u{1B}[17;5~", "ctrl-F6"), ("\u{1B}[24~", "F12"), ("\u{1B}[97;5u", "ctrl-a"),
            ("\u{1B}[13;2u", "shift-enter"), ("\u{1B}[27;5;13~", "ctrl-enter"), ("\u{1B}[97;2u", "A"),
            ("\u{1B}OM", "enter"), ("\u{1B}Oj", "*"), ("\u{1B}[", "alt-["), ("\u{1B}O", "alt-O"),
        ])
    func keys(bytes: String, notation: String) throws {
        let expected = try #require(Key(notation))
        #expect(decode(bytes) == [.key(expected)])
        #expect(expected.description == notation)
    }

    @Test("A sequence may come in any pieces")
    func pieces() {
        let text = "a\u{1B}[1;5C日\u{1B}[<0;10;20M\u{1B}[200~x\ny\u{1B}[201~\u{1B}OP"
        let whole = decode(text)
        #expect(whole.count == 6)
        for cut in 0...text.utf8.count {
            var decoder = InputDecoder()
            let bytes = Array(text.utf8)
            let events = decoder.feed(bytes[..<cut]) + decoder.feed(bytes[cut...]) + decoder.flush()
            #expect(events == whole)
        }
    }

    @Test("The escape key before something that the terminal tells is not lost in it")
    func escapeBeforeReport() {
        var decoder = InputDecoder()
        #expect(decoder.feed(Array("\u{1B}\u{1B}[0n".utf8)) == [.key(Key(.escape))])
        let reports = decoder.takeStatusReports()
        #expect(reports == 1)
        #expect(decoder.feed(Array("\u{1B}\u{1B}[I".utf8)) == [.key(Key(.escape)), .focus(true)])
        #expect(
            decoder.feed(Array("\u{1B}\u{1B}[200~x\u{1B}[201~".utf8)) == [.key(Key(.escape)), .paste("x")])
    }

    @Test("A multiplexer says what it is, wherever its answer is cut; a terminal is none")
    func multiplexer() {
        for (answer, kind) in [
            ("\u{1B}[>83;40900;0c", Multiplexer.screen), ("\u{1B}[>84;0;0c", .tmux), ("\u{1B}[>41;377;0c", nil),
        ] {
            var decoder = InputDecoder()
            let bytes = Array(answer.utf8)
            let events = decoder.feed(bytes.prefix(4)) + decoder.feed(bytes.dropFirst(4)) + decoder.feed([97])
            #expect(events == [.key(.character("a"))])
            #expect(decoder.multiplexer == kind)
        }
    }

    @Test("An escape waits for what may follow, and is itself when nothing does")
    func waiting() {
        var decoder = InputDecoder()
        #expect(decoder.feed([0x1B]).isEmpty)
        #expect(decoder.isWaiting)
        #expect(decoder.flush() == [.key(Key(.escape))])
        #expect(!decoder.isWaiting)
        #expect(decode("\u{1B}\u{1B}") == [.key(Key(.escape)), .key(Key(.escape))])
    }

    @Test("Marks join the character before them")
    func graphemes() {
        #expect(decode("e\u{301}x") == [.key(.character("e\u{301}")), .key(.character("x"))])
        #expect(decode("👩‍👩‍👧") == [.key(.character("👩‍👩‍👧"))])
    }

    @Test(
        "The mouse tells buttons, drags, wheels and modifiers, in the old form too",
        arguments: [
            ("\u{1B}[<0;11;5M", MouseEvent(.press(.left), at: Position(column: 10, row: 4))),
            ("\u{1B}[<2;300;5m", MouseEvent(.release(.right), at: Position(column: 299, row: 4))),
            ("\u{1B}[<32;1;1M", MouseEvent(.drag(.left), at: Position(column: 0, row: 0))),
            ("\u{1B}[<35;1;1M", MouseEvent(.move, at: Position(column: 0, row: 0))),
            ("\u{1B}[<64;1;2M", MouseEvent(.wheelUp, at: Position(column: 0, row: 1))),
            ("\u{1B}[<81;1;2M", MouseEvent(.wheelDown, at: Position(column: 0, row: 1), modifiers: .control)),
            ("\u{1B}[M !\"", MouseEvent(.press(.left), at: Position(column: 0, row: 1))),
            ("\u{1B}[M`!!", MouseEvent(.wheelUp, at: Position(column: 0, row: 0))),
        ])
    func mouse(bytes: String, event: MouseEvent) {
        #expect(decode(bytes) == [.mouse(event)])
    }

    @Test("The old mouse form's release is of the button that was pressed")
    func oldRelease() {
        let place = Position(column: 0, row: 0)
        #expect(
            decode("\u{1B}[M\"!!\u{1B}[M#!!") == [
                .mouse(MouseEvent(.press(.right), at: place)), .mouse(MouseEvent(.release(.right), at: place)),
            ])
    }

    @Test("A paste is one event, keys in it and broken ends and all")
    func paste() {
        #expect(decode("\u{1B}[200~q\u{1B}[A\u{03}\u{1B}[201~z") == [.paste("q\u{1B}[A\u{03}"), .key(.character("z"))])
        #expect(decode("\u{1B}[200~\u{1B}[201~") == [.paste("")])
    }

    @Test("Focus is told; answers and unknown sequences are not keys")
    func others() {
        #expect(decode("\u{1B}[I\u{1B}[O") == [.focus(true), .focus(false)])
        #expect(decode("\u{1B}[?62;22c\u{1B}[>1;2;3c\u{1B}[999~\u{1B}[?1;2$yx") == [.key(.character("x"))])
    }

    @Test("Random bytes never stop the decoder", arguments: 1...20)
    func random(seed: UInt64) {
        var state = seed
        var decoder = InputDecoder()
        for _ in 0..<200 {
            let bytes = (0..<50).map { _ -> UInt8 in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let value = UInt8(truncatingIfNeeded: state >> 40)
                return value < 60 ? [0x1B, 0x5B, 0x3B, 0x4F, 0x4D, 0x3C][Int(value) % 6] : value
            }
            _ = decoder.feed(bytes)
            _ = decoder.flush()
        }
        _ = decoder.feed(Array("\u{1B}[201~".utf8))
        _ = decoder.flush()
        #expect(decoder.feed([0x61]) == [.key(.character("a"))])
    }

    @Test(
        "A key's notation knows its other spellings",
        arguments: [
            ("C-d", "ctrl-d"), ("CTRL-D", "ctrl-d"), ("M-x", "alt-x"), ("escape", "esc"), ("ctrl-i", "tab"),
            ("ctrl-m", "enter"),
            ("ctrl-[", "esc"), ("shift-a", "A"), ("-", "-"), ("ctrl--", "ctrl--"), ("f12", "F12"), ("PageUp", "pgup"),
        ])
    func notation(written: String, canonical: String) {
        #expect(Key(written)?.description == canonical)
    }

    @Test("What is no key is refused", arguments: ["", "ctrl-", "hyper-x", "F99", "nonsense", "ab"])
    func noKey(text: String) {
        #expect(Key(text) == nil)
    }
}
