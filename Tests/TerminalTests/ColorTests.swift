import Glibc
import Testing

@testable import Terminal

@Suite struct ColorTests {
    @Test(
        "24-bit colours become the nearest of the cube and the greys",
        arguments: [
            (0x000000, 16), (0xFFFFFF, 231), (0xFF0000, 196), (0x00FF00, 46), (0x5F87AF, 67), (0x808080, 244),
            (0x121212, 233), (0x1E1E2E, 235), (0xEEEEEE, 255),
        ] as [(UInt32, UInt8)])
    func to256(value: UInt32, index: UInt8) {
        #expect(Self.foreground(.hex(value), .palette256) == .palette(index))
    }

    private static func foreground(_ color: Color, _ depth: ColorDepth) -> Color {
        Palette.reduce(Style(foreground: color), to: depth).foreground
    }

    @Test(
        "Of sixteen colours a foreground becomes the one of its hue",
        arguments: [
            (Color.hex(0xC81E28), 1), (.hex(0x000000), 0), (.hex(0xFFFFFF), 15), (.hex(0x1E1E2E), 0),
            (.hex(0xFF5555), 9), (.palette(196), 9), (.palette(21), 4), (.palette(7), 7), (.palette(244), 8),
            (.hex(0x8FD694), 2), (.hex(0x8AB4FF), 12), (.hex(0x6FD6D2), 6), (.hex(0xECC66B), 3), (.hex(0xFF8B8B), 9),
            (.hex(0xC7A6FF), 5), (.hex(0x98A2BB), 8), (.hex(0x1D6A2B), 2), (.hex(0x7A5200), 3),
        ] as [(Color, UInt8)])
    func to16(color: Color, index: UInt8) {
        #expect(Self.foreground(color, .sixteen) == .palette(index))
    }

    @Test("Of sixteen colours a background becomes the nearest, dark or light as it is")
    func backgrounds() {
        for (color, index) in [(0x171A23, 0), (0x33456E, 8), (0xC4D7FB, 7), (0xFBFBF9, 15)] as [(UInt32, UInt8)] {
            #expect(Palette.reduce(Style(background: .hex(color)), to: .sixteen).background == .palette(index))
        }
    }

    @Test(
        "Of eight colours bright ones are bold, and dark grey is never black",
        arguments: [
            (9, 0, 1, 0, .bold), (15, 4, 7, 4, .bold), (8, 0, 7, 0, .dim), (8, 15, 0, 7, .dim), (2, 8, 2, 0, []),
            (7, 15, 0, 7, []),
        ] as [(UInt8, UInt8, UInt8, UInt8, Style.Attributes)])
    func toEight(
        foreground: UInt8, background: UInt8, shownForeground: UInt8, shownBackground: UInt8,
        attributes: Style.Attributes
    ) {
        let style = Style(foreground: .palette(foreground), background: .palette(background))
        let shown = Style(
            foreground: .palette(shownForeground), background: .palette(shownBackground), attributes: attributes)
        #expect(Palette.reduce(style, to: .eight) == shown)
        let plain = Palette.reduce(Style(foreground: .palette(8)), to: .eight)
        #expect(plain == Style(attributes: .dim))
    }

    @Test("Every entry of the palette is its own nearest, but for the sixteen that users choose")
    func paletteIsStable() {
        for index in UInt8(16)...255 {
            let (red, green, blue) = Palette.channels(of: index)
            guard case .palette(let nearest) = Self.foreground(.rgb(red, green, blue), .palette256) else {
                Issue.record("\(index) is no palette colour")
                continue
            }
            #expect(Palette.channels(of: nearest) == (red, green, blue))
        }
    }

    @Test("The default stays the default, and without colour everything is")
    func noColor() {
        for depth in ColorDepth.allCases { #expect(Palette.reduce(Style.plain, to: depth) == .plain) }
        #expect(Self.foreground(.rgb(1, 2, 3), .none) == .default)
        #expect(Self.foreground(.palette(3), .none) == .default)
        #expect(Self.foreground(.rgb(1, 2, 3), .trueColor) == .rgb(1, 2, 3))
    }

    @Test(
        "The depth is read from the environment and the entry",
        arguments: [
            (["TERM": "xterm-256color"], 256, ColorDepth.palette256),
            (["TERM": "xterm-256color", "COLORTERM": "truecolor"], 256, .trueColor),
            (["TERM": "xterm-256color", "COLORTERM": "24BIT"], 256, .trueColor),
            (["TERM": "xterm-direct"], 1 << 24, .trueColor), (["TERM": "linux"], 8, .eight),
            (["TERM": "xterm-16color"], 16, .sixteen), (["TERM": "vt100"], -1, .none),
            (["TERM": "xterm-256color", "NO_COLOR": "1", "COLORTERM": "truecolor"], 256, .none),
            (["TERM": "xterm-256color", "NO_COLOR": ""], 256, .palette256), (["TERM": "dumb"], 256, .none),
        ] as [([String: String], Int, ColorDepth)])
    func depth(environment: [String: String], colors: Int, depth: ColorDepth) {
        #expect(ColorDepth.detect(environment: environment, terminfoColors: colors) == depth)
    }

    @Test("Pairs are given once, and the longest unused is taken over, never one of the frame")
    func pairs() {
        var pairs = ColorPairs(capacity: 2)
        func colors(_ number: Int32) -> ColorPairs.Colors { .init(foreground: number, background: -1) }
        pairs.beginFrame(using: [])
        #expect(pairs.pair(for: .init(foreground: -1, background: -1)) == (0, false))
        #expect(pairs.pair(for: colors(1)) == (1, true))
        #expect(pairs.pair(for: colors(1)) == (1, false))
        #expect(pairs.pair(for: colors(2)) == (2, true))
        #expect(pairs.pair(for: colors(3)) == (0, false))
        pairs.beginFrame(using: [colors(2), colors(3)])
        #expect(pairs.pair(for: colors(3)) == (1, true))
        #expect(pairs.pair(for: colors(2)) == (2, false))
        pairs.beginFrame(using: [])
        #expect(pairs.pair(for: colors(1)).isNew)
    }

    @Test(
        "A terminfo entry keeps its strings when its colours are replaced",
        arguments: ["xterm-256color", "linux", "vt100"])
    func terminfo(type: String) throws {
        let entry = try #require(TerminfoDirectory(environment: [:]).entry(for: type))
        let direct = entry.withDirectColor()
        let read = try #require(TerminfoEntry(compiled: direct.compiledWithDirectColorFlags()))
        #expect(read == direct)
        #expect(read.numbers[13] == 1 << 24)
        for index in entry.strings.indices where index != 359 && index != 360 {
            #expect(read.strings[index] == entry.strings[index])
        }
    }

    @Test("What is no terminfo entry is none, however it is cut")
    func badTerminfo() throws {
        #expect(TerminfoEntry(compiled: []) == nil)
        #expect(TerminfoEntry(compiled: [0x1E, 0x02, 0xFF, 0x7F]) == nil)
        let entry = try #require(TerminfoDirectory(environment: [:]).entry(for: "vt100"))
        let bytes = entry.withDirectColor().compiledWithDirectColorFlags()
        for length in stride(from: 0, to: 300, by: 7) {
            #expect(TerminfoEntry(compiled: Array(bytes[..<length])) == nil)
        }
        #expect(TerminfoDirectory(environment: [:]).entry(for: "../v/vt100") == nil)
        // A count that is negative, or of more than is there, in each place of the head.
        for place in stride(from: 2, to: 12, by: 2) {
            for count: [UInt8] in [[0xFF, 0xFF], [0x00, 0x80], [0xFF, 0x7F]] {
                var broken = bytes
                broken.replaceSubrange(place..<place + 2, with: count)
                #expect(TerminfoEntry(compiled: broken) == nil, "\(count) at \(place)")
            }
        }
    }

    @Test("An entry that is broken is passed over for the next folder's")
    func brokenFirstEntry() throws {
        var template = Array("/tmp/gantry-terminfo-XXXXXX".utf8CString)
        let made = mkdtemp(&template)
        let folder = String(cString: try #require(made))
        defer {
            unlink(folder + "/v/vt100")
            rmdir(folder + "/v")
            rmdir(folder)
        }
        #expect(mkdir(folder + "/v", 0o700) == 0)
        let file = try #require(fopen(folder + "/v/vt100", "w"))
        fputs("nothing", file)
        fclose(file)
        let usual = TerminfoDirectory(environment: [:]).entry(for: "vt100")
        #expect(usual != nil && TerminfoDirectory(environment: ["TERMINFO": folder]).entry(for: "vt100") == usual)
    }

    @Test(
        "A type without an entry becomes one that resembles it",
        arguments: [
            ("xterm-kitty", ["xterm-kitty", "xterm-256color", "xterm", "vt100", "ansi"]),
            ("tmux-direct", ["tmux-direct", "screen-256color", "screen", "xterm", "vt100", "ansi"]),
            ("", ["xterm", "vt100", "ansi"]),
        ])
    func fallback(term: String, candidates: [String]) {
        #expect(TerminalType.candidates(for: term) == candidates)
        #expect(TerminalType.choose(term: term) { _ in -2 } == nil)
    }

    @Test(
        "Base64 has its padding",
        arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")])
    func base64(text: String, encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
    }
}
