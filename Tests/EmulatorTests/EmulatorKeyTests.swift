import Terminal
import Testing

@testable import Emulator

@Suite struct EmulatorKeyTests {
    private func bytes(_ modes: String = "", _ body: (GridEmulator) -> Void) -> String {
        let emulator = GridEmulator(size: Size(columns: 80, rows: 24))
        emulator.feed(Array(modes.utf8))
        body(emulator)
        return String(decoding: emulator.takeOutput(), as: UTF8.self)
    }

    @Test(
        "Each key has the bytes that programs expect of xterm",
        arguments: [
            ("a", "a"), ("é", "é"), ("日", "日"), ("alt-x", "\u{1B}x"), ("alt-é", "\u{1B}é"), ("ctrl-a", "\u{01}"),
            ("ctrl-space", "\u{00}"), ("ctrl-]", "\u{1D}"), ("ctrl-\\", "\u{1C}"), ("ctrl-_", "\u{1F}"),
            ("alt-ctrl-a", "\u{1B}\u{01}"), ("enter", "\r"), ("alt-enter", "\u{1B}\r"), ("tab", "\t"),
            ("shift-tab", "\u{1B}[Z"), ("backspace", "\u{7F}"), ("ctrl-backspace", "\u{08}"), ("esc", "\u{1B}"),
            ("up", "\u{1B}[A"), ("ctrl-right", "\u{1B}[1;5C"), ("shift-left", "\u{1B}[1;2D"), ("home", "\u{1B}[H"),
            ("end", "\u{1B}[F"), ("pgup", "\u{1B}[5~"), ("pgdn", "\u{1B}[6~"), ("insert", "\u{1B}[2~"),
            ("delete", "\u{1B}[3~"), ("F1", "\u{1B}OP"), ("F5", "\u{1B}[15~"), ("F12", "\u{1B}[24~"),
            ("shift-F5", "\u{1B}[15;2~"),
        ])
    func plainKeys(notation: String, expected: String) throws {
        let key = try #require(Key(notation))
        #expect(bytes { $0.send(key) } == expected)
    }

    @Test("Application cursor keys change the arrows")
    func applicationCursorKeys() {
        #expect(bytes("\u{1B}[?1h") { $0.send(Key(.up)) } == "\u{1B}OA")
        #expect(bytes("\u{1B}[?1h\u{1B}[?1l") { $0.send(Key(.up)) } == "\u{1B}[A")
    }

    @Test("A paste is bracketed only where asked for, and cannot end its bracket")
    func paste() {
        #expect(bytes { $0.paste("a\nb\r\nc\td") } == "a\rb\rc\td")
        let hostile = "x\u{1B}[201~rm\u{03}"
        #expect(bytes("\u{1B}[?2004h") { $0.paste(hostile) } == "\u{1B}[200~x[201~rm\u{1B}[201~")
    }

    @Test("The mouse is told only where asked for, in the form asked for")
    func mouse() {
        let press = MouseEvent(.press(.left), at: Position(column: 4, row: 2))
        var isTold = false
        #expect(bytes { isTold = $0.send(press) } == "")
        #expect(!isTold)
        #expect(bytes("\u{1B}[?1000h\u{1B}[?1006h") { isTold = $0.send(press) } == "\u{1B}[<0;5;3M")
        #expect(isTold)
        let wheel = MouseEvent(.wheelDown, at: Position(column: 0, row: 0))
        #expect(bytes("\u{1B}[?1000h\u{1B}[?1006h") { $0.send(wheel) } == "\u{1B}[<65;1;1M")
        let drag = bytes("\u{1B}[?1002h\u{1B}[?1006h") {
            $0.send(press)
            $0.send(MouseEvent(.drag(.left), at: Position(column: 5, row: 2)))
            $0.send(MouseEvent(.release(.left), at: Position(column: 5, row: 2)))
        }
        #expect(drag == "\u{1B}[<0;5;3M\u{1B}[<32;6;3M\u{1B}[<0;6;3m")
    }

    @Test("Focus is told only where asked for")
    func focus() {
        #expect(bytes { $0.sendFocus(true) } == "")
        #expect(bytes("\u{1B}[?1004h") { $0.sendFocus(false) } == "\u{1B}[O")
    }
}
