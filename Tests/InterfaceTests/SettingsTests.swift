import EngineAPI
import Terminal
import Testing

@testable import Interface

@Suite struct SettingsTests {
    private static func bench() throws -> Bench {
        var bench = try Bench.connected()
        let library = ThemeLibrary(folders: [])
        bench.model.themes = try library.names.map { name in try library.load(name).theme }
        bench.model.keyFilePath = "/home/me/.config/gantry/keys.toml"
        return bench
    }

    @Test("A theme is seen while one goes through them, kept by Enter and left by escape")
    func themes() throws {
        var bench = try Self.bench()
        let dark = bench.frame[column: 0, row: 0].style
        bench.type("<F2>")
        #expect(bench.text.contains("theme dark") && bench.text.contains("in use"))
        bench.type("light")
        #expect(bench.model.theme.name == "light" && bench.frame[column: 0, row: 0].style != dark)
        bench.type("<esc>")
        #expect(bench.model.theme.name == "dark" && bench.model.preferences.theme == nil)
        bench.type("<F2>light<enter>")
        #expect(bench.model.theme.name == "light")
        #expect(ViewPreferences(text: bench.model.preferences.text).theme == "light")
        bench.type("<F2>")
        #expect(bench.model.theme.name == "light", "the one in use is chosen")
    }

    @Test("All actions are written to a file that changes nothing when it is read")
    func template() throws {
        var bench = try Self.bench()
        bench.type("<F2>write<enter>")
        let asked = bench.takeEffects().compactMap { if case .perform(_, let action) = $0 { action } else { nil } }
        guard case .saveText("/home/me/.config/gantry/keys.example.toml", let text, replaces: true)? = asked.first
        else {
            return #expect(Bool(false), "nothing is written: \(asked)")
        }
        #expect(text.contains("[keys.main]") && text.contains("#stop = [\"s\"]  # stop"))
        let live = text.split(separator: "\n").map { line in
            line.hasPrefix("#") && line.contains(" = ") && !line.hasPrefix("# ")
                ? String(line.dropFirst()) : String(line)
        }
        let (table, complaints) = Keymap.rebound(by: KeyFile(parsing: live.joined(separator: "\n")))
        #expect(complaints.isEmpty, "\(complaints)")
        for context in KeyContext.allCases {
            for binding in Keymap.table where binding.contexts.contains(context) {
                for key in binding.keys {
                    let found = table.filter { $0.contexts.contains(context) && $0.keys.contains(key) }
                    #expect(found.contains { $0.intent == binding.intent }, "\(context) \(key) \(binding.label)")
                }
            }
        }
    }

    @Test("Keys of one's own hold, are shown, and are taken from what had them")
    func rebound() throws {
        let file = KeyFile(
            parsing: """
                leader = "ctrl-g"
                [keys]
                stop = "ctrl-s"
                new = ["N", "insert"]
                networks = []
                [keys.files]
                copy-file-out = "F5"
                """)
        #expect(file.complaints.isEmpty && file.leader == Key("ctrl-g"))
        var bench = try Self.bench()
        let (table, complaints) = Keymap.rebound(by: file)
        #expect(complaints.isEmpty)
        bench.model.bindings = table
        #expect(bench.row(23).contains("N new") && bench.row(23).contains("ctrl-s stop"))
        bench.type("s")
        #expect(bench.model.jobs.isEmpty)
        bench.type("<ctrl-s>y")
        #expect(bench.model.jobs.first?.label == "stop web")
        bench.type("N")
        #expect(bench.model.keyContext == .form)
        bench.type("<esc><insert>")
        #expect(bench.model.keyContext == .form)
        bench.type("<esc>?")
        #expect(bench.text.contains("N insert") && bench.text.contains("ctrl-s"))
        #expect(!table.contains { $0.intent == .networks && !$0.keys.isEmpty })
        let copies = table.filter { $0.intent == .copyFileOut }
        #expect(copies.map(\.keys) == [[Key(.function(5))]])
    }

    @Test(
        "What is wrong in the file is told with its line, and the rest holds",
        arguments: [
            ("[keys]\nstop = \"hyper-q\"", "line 2: `hyper-q` is no key"),
            ("[keys]\n\nfly = \"f\"", "line 3: there is no action `fly`"),
            ("[keys]\nstop = 3", "line 2: `stop` needs a key, or a list of keys"),
            ("\n[keys.moon]\nstop = \"f\"", "line 2: there is no place `moon`"),
            ("[keys.form]\naccept = \"x\"", "line 2: `x` is typed there"),
            ("[keys]\nstop = \"F7\"\nstart = \"F7\"", "line 3: `F7` is `stop` already, by line 2"),
            ("leader = \"nothing\"", "line 1: `leader` is no key"), ("colour = 1", "line 1: unknown entry `colour`"),
            ("[keys.files]\nstop = \"s\"", "line 2: there is no action `stop` in `files`"),
        ])
    func complaints(text: String, complaint: String) {
        let (table, complaints) = Keymap.rebound(by: KeyFile(parsing: text))
        #expect(complaints == [complaint])
        #expect(table.contains { $0.intent == .quit && $0.keys.contains(.character("q")) })
    }

    @Test("A file that is no TOML says where, and changes nothing")
    func noTOML() {
        let file = KeyFile(parsing: "[keys]\nstop = \n")
        #expect(file.complaints.first?.hasPrefix("line 2: ") == true && file.changes.isEmpty)
        #expect(KeyFile(parsing: "").complaints.isEmpty)
    }

    @Test("Names of actions are words that a person can write", arguments: Keymap.table.indices)
    func names(index: Int) {
        let name = Keymap.table[index].intent.name
        #expect(!name.isEmpty && name.allSatisfy { $0.isLowercase || $0 == "-" }, "\(name)")
    }
}
