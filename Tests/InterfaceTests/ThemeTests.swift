import Foundation
import Terminal
import Testing

@testable import Interface

@Suite struct ThemeTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Themes")

    @Test("The compiled-in themes are the files", arguments: ["dark", "light", "terminal"])
    func embeddedCopy(name: String) throws {
        let file = try String(contentsOf: Self.folder.appendingPathComponent("\(name).toml"), encoding: .utf8)
        #expect(EmbeddedThemes.texts[name] == file)
    }

    @Test("There is no theme file without a compiled-in copy")
    func allFiles() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(Set(files.map { String($0.dropLast(5)) }) == Set(EmbeddedThemes.texts.keys))
    }

    @Test("Built-in themes hold nothing unknown", arguments: ["dark", "light", "terminal"])
    func noWarnings(name: String) throws {
        #expect(try ThemeLibrary(folders: []).load(name).warnings == [])
    }

    @Test("Text of the dark and the light theme is readable by WCAG's measure", arguments: ["dark", "light"])
    func contrast(name: String) throws {
        let theme = try ThemeLibrary(folders: []).load(name).theme
        for role in Role.allCases where role != .rule {
            let ratio = try #require(Contrast.ratio(of: theme[role]), "\(name): \(role) has no colours of its own")
            #expect(ratio >= 4.5, "\(name): \(role.rawValue) has \(ratio)")
        }
    }

    @Test("Coloured words stay readable on the bars of rows, fields and dialogs", arguments: ["dark", "light"])
    func contrastOnBars(name: String) throws {
        let theme = try ThemeLibrary(folders: []).load(name).theme
        let words = Role.allCases.filter { theme[$0].background == theme[.text].background && $0 != .rule }
        #expect(words.contains(.stateFailed) && words.contains(.muted) && words.contains(.graphMark))
        for bar in [Role.selection, .selectionUnfocused, .field, .fieldFocused, .dialog] {
            for role in words {
                let style = Style(foreground: theme[role].foreground, background: theme[bar].background)
                let ratio = try #require(Contrast.ratio(of: style))
                #expect(ratio >= 4.5, "\(name): \(role.rawValue) on \(bar.rawValue) has \(ratio)")
            }
        }
    }

    @Test(
        "What programs print in basic colours can be read on the theme's background", arguments: ["dark", "light"])
    func printedColours(name: String) throws {
        let theme = try ThemeLibrary(folders: []).load(name).theme
        for index in UInt8(0)..<16 {
            let onPaper = theme.printed(Style(foreground: .palette(index)))
            let ratio = try #require(Contrast.ratio(of: onPaper))
            // Black is what a dark background is made of.
            #expect(ratio >= 4.5 || (name == "dark" && index == 0), "\(name): \(index) has \(ratio)")
            let onColour = theme.printed(Style(background: .palette(index)))
            #expect(onColour.background == .palette(index))
            let other = try #require(Contrast.ratio(of: onColour))
            #expect(other >= 3, "\(name): on \(index) has \(other)")
            let own = Style(foreground: .palette(index), background: .palette(4), attributes: .bold)
            #expect(theme.printed(own) == own, "both are the program's")
        }
        #expect(theme.printed(.plain) == theme[.text])
        #expect(theme.printed(Style(foreground: .rgb(1, 2, 3))).foreground == .rgb(1, 2, 3))
    }

    @Test("A theme of the terminal's own colours leaves those of programs alone")
    func terminalColours() throws {
        let theme = try ThemeLibrary(folders: []).load("terminal").theme
        #expect(theme.printed(Style(foreground: .palette(3))).foreground == .palette(3))
        let few = try ThemeLibrary(folders: []).load("dark").theme.adapted(to: .eight)
        #expect(few.printed(Style(foreground: .palette(3))).foreground == .palette(3))
    }

    @Test("A theme that has not sixteen colours for programs says so and has none")
    func wrongCount() throws {
        let file = try ThemeFile(parsing: "ansi = [\"#ffffff\", \"nothing\"]", path: "mine")
        #expect(file.warnings == ["theme `mine`: `ansi` needs sixteen colours"])
        let (theme, warnings) = file.resolved(name: "mine")
        #expect(warnings.last == "theme `mine`: `ansi` names `nothing`, which is no colour of the palette")
        #expect(theme.printed(Style(foreground: .palette(1))).foreground == .palette(1))
    }

    @Test("What a theme says beyond what is known warns and is passed over")
    func unknownKeys() throws {
        let text = """
            author = "me"
            inherits = "dark"
            [palette]
            ink = "#010203"
            odd = "blue-ish"
            [styles]
            text = { fg = "ink", glow = true, attributes = ["bold", "wobbly"] }
            no-such-role = { fg = "ink" }
            """
        let file = try ThemeFile(parsing: text, path: "mine")
        #expect(file.warnings.count == 5)
        let theme = file.over(try ThemeFile(parsing: EmbeddedThemes.texts["dark"] ?? "", path: "dark"))
            .resolved(name: "mine").theme
        #expect(theme[.text].foreground == .rgb(1, 2, 3))
        #expect(theme[.text].attributes == .bold)
        #expect(theme[.error].foreground == .hex(0xff8b8b))
    }

    @Test("A theme that is no TOML, is missing, or inherits from itself is told in one line")
    func badThemes() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("gantry-themes-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("inherits = \"b\"".utf8).write(to: folder.appendingPathComponent("a.toml"))
        try Data("inherits = \"a\"".utf8).write(to: folder.appendingPathComponent("b.toml"))
        try Data("[styles".utf8).write(to: folder.appendingPathComponent("broken.toml"))
        let library = ThemeLibrary(folders: [folder.path])
        for name in ["a", "broken", "missing", "./missing.toml"] {
            let error = #expect(throws: ThemeError.self) { try library.load(name) }
            #expect(error?.message.contains("`") == true && error?.message.contains("\n") == false)
        }
        #expect(library.names == ["a", "b", "broken", "dark", "light", "terminal"])
    }

    @Test("Themes are looked for in the user's folder, beside the program and in its source tree")
    func searchPath() {
        let installed = ThemeLibrary(environment: ["XDG_CONFIG_HOME": "/c"], executable: "/usr/local/bin/gantry")
        #expect(installed.folders == ["/c/gantry/themes", "/usr/local/share/gantry/themes"])
        let built = ThemeLibrary(environment: ["HOME": "/root"], executable: "/src/g/.build/x/release/gantry")
        #expect(built.folders.first == "/root/.config/gantry/themes")
        #expect(built.folders.last == "/src/g/Themes")
    }

    @Test(
        "With few colours what is written can be read, and what is raised stands out",
        arguments: ["dark", "light", "terminal"], [ColorDepth.eight, .sixteen])
    func fewColors(name: String, depth: ColorDepth) throws {
        let theme = try ThemeLibrary(folders: []).load(name).theme.adapted(to: depth)
        for role in Role.allCases {
            let ratio = Contrast.ratio(of: theme[role]) ?? 21
            #expect(ratio >= 3, "\(name): \(role) has \(ratio)")
        }
        for role in Role.raised {
            let stands = theme[role].background != theme[.text].background || theme[role].attributes.contains(.reverse)
            #expect(stands, "\(name): \(role)")
        }
    }

    @Test("With few colours states are still told apart by theirs", arguments: [ColorDepth.eight, .sixteen])
    func statesInFewColors(depth: ColorDepth) throws {
        let theme = try ThemeLibrary(folders: []).load("dark").theme.adapted(to: depth)
        let states = [Role.stateRunning, .statePaused, .stateCreated, .stateFailed, .stateExited]
        #expect(Set(states.map { theme[$0].foreground }).count == states.count)
        #expect(theme[.stateRunning].foreground == .palette(2))
    }

    @Test("Without colours what is focused or selected still stands out")
    func noColors() throws {
        let theme = try ThemeLibrary(folders: []).load("dark").theme.adapted(to: .none)
        for role in Role.allCases {
            #expect(theme[role].foreground == .default && theme[role].background == .default)
        }
        #expect(theme[.selection].attributes.contains(.reverse))
        #expect(theme[.selection] != theme[.text] && theme[.titleFocused] != theme[.title])
    }
}
