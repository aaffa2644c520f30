import Foundation
import Terminal
import Testing

@testable import Interface

@Suite struct KeymapTests {
    @Test("Every key of the table can be written", arguments: Keymap.table.indices)
    func notation(index: Int) {
        let binding = Keymap.table[index]
        #expect(!binding.keys.isEmpty, "\(binding.label) has no key")
        for key in binding.keys { #expect(Key(key.description) == key) }
    }

    @Test("No key has two meanings in one place and one state", arguments: KeyContext.allCases)
    func clashes(context: KeyContext) throws {
        for containers in [[], Sample.containers, [Sample.containers[3]], [Sample.containers[2]]] {
            let model = try Bench.connected(80, 24, containers: containers).model
            var seen: [Key: String] = [:]
            for binding in Keymap.table where binding.contexts.contains(context) && binding.condition.holds(model) {
                for key in binding.keys {
                    let other = seen.updateValue(binding.label, forKey: key)
                    #expect(other == nil, "\(context): \(key) is \(binding.label) and \(other ?? "")")
                }
            }
        }
    }

    @Test("No key that only moves in vim, lazydocker or k9s removes anything")
    func movementIsHarmless() {
        for name in ["ctrl-d", "ctrl-u", "k", "j", "h", "l", "ctrl-k"] {
            guard let key = Key(name) else { continue }
            for binding in Keymap.table where binding.keys.contains(key) {
                #expect(![.remove, .stop, .removeImage].contains(binding.intent), "\(name) \(binding.label)")
            }
        }
    }

    @Test("Places where text is typed bind no letter")
    func textIsTyped() {
        for binding in Keymap.table where binding.contexts.contains(where: \.typesText) {
            for key in binding.keys { #expect(key.typed == nil, "\(key) \(binding.label)") }
        }
    }

    @Test("The hint bar fits every width and its words can be clicked", arguments: [40, 80, 120])
    func hints(columns: Int) throws {
        let bar = HintBar(try Bench.connected(columns, 24).model)
        #expect(bar.items.count >= 4)
        for item in bar.items {
            #expect(item.end <= columns)
            #expect(bar.binding(at: item.column)?.hint == item.label)
        }
    }

    @Test(
        "The help begins with the keys of the place where it is asked for",
        arguments: [
            ("m", "logs"), ("I", "images"), ("f", "files"), ("a<ctrl-]>", "console, after ctrl-]"),
            ("", "everywhere on the main screen"), ("2", "everywhere on the main screen"),
        ])
    func helpAtPlace(keys: String, title: String) throws {
        var bench = try Bench.connected()
        bench.openConsole()
        bench.type(keys + "?")
        #expect(bench.row(1) == title)
        let titles = (0..<24).map { bench.row($0) }
        #expect(titles.count { $0 == title } == 1)
    }

    @Test("The help tells every key as it is bound", arguments: KeyContext.allCases)
    func helpIsComplete(context: KeyContext) {
        let file = KeyFile(parsing: "[keys]\nstop = [\"ctrl-s\"]\nlogs = []\n")
        for table in [Keymap.table, Keymap.rebound(by: file).table] {
            let leader = Key(.character("]"), .control)
            let lines = Pager.help(table, leader: leader, at: context, columns: 200).lines.map(\.text)
            for binding in table where !binding.keys.isEmpty {
                #expect(lines.contains { $0.hasPrefix("  \(binding.notation) ") && $0.hasSuffix(binding.label) })
            }
        }
    }

    @Test("A key that does nothing says why, and where the others are told")
    func idleKeys() throws {
        var bench = try Bench.connected()
        bench.type("jjjE")
        #expect(bench.row(22) == "failed does not run: S starts it")
        bench.type("v")
        #expect(bench.row(22) == "`v` means nothing here; ? tells all keys")
        bench.type("Iv")
        #expect(bench.row(22) == "`v` means nothing here; ? tells all keys")
        bench.type("<esc><esc>")
        #expect(bench.model.status == nil)
        // What is asked, typed or only moved is left alone.
        bench.type("dv<esc>/v<esc>")
        bench.send(.input(.key(Key(.left, .alt))))
        #expect(bench.model.status == nil)
    }

    @Test(
        "A key that cannot be of use now says what is missing, in the words of what is chosen",
        arguments: [
            ("S", "web runs already"), ("w", "web publishes no port"), ("\\", "no filter is set"),
            ("jjE", "batch-of-the-night is paused: p resumes it"), ("jjjs", "failed does not run: S starts it"),
            ("jjj<F9>", "failed does not run: S starts it"), ("jjj<ctrl-e>", "failed does not run: S starts it"),
            ("jjj  s", "none of these containers runs"), ("  S", "all of these containers run already"),
            ("H", "there is no other engine to go to"), ("?n", "nothing has been searched for yet"),
            ("/zzz<enter>d", "no container passes the filter"), ("m<enter>", "no filter is set"),
        ])
    func reasons(keys: String, words: String) throws {
        var bench = try Bench.connected()
        bench.type(keys)
        #expect(bench.row(22) == words)
    }

    @Test("How to filter is told on every list, with the ways out and to the help, on 80 columns")
    func filterHint() throws {
        for keys in ["", "I", "N", "Nj", "V", "t", "@", "U", "f"] {
            var bench = try NetworksScreenTests.open(keys)
            bench.type(keys.count > 1 ? "jj" : "")
            let labels = HintBar(bench.model).items.map(\.label)
            #expect(labels.contains("filter") && labels.last == "help", "\(keys): \(bench.row(23))")
            #expect(HintBar(bench.model).items.allSatisfy { $0.end <= 80 })
        }
    }

    @Test("The way out is told on every screen that covers the panels, however narrow", arguments: [40, 60, 80])
    func wayOut(columns: Int) throws {
        for keys in ["m", "I", "N", "V", "t", "@", "U", "?", "f"] {
            var bench = try Bench.connected(columns, 24)
            bench.type(keys)
            let bar = HintBar(bench.model)
            #expect(bar.items.contains { $0.label == "back" && $0.end <= columns }, "\(keys): \(bench.row(23))")
        }
        var bench = try Bench.connected(columns, 24)
        bench.type("m")
        #expect(!HintBar(bench.model).items.contains { $0.label == "next" }, "nothing is searched for")
        bench.type("/web<enter>")
        #expect(HintBar(bench.model).items.contains { $0.label == "next" })
    }

    @Test("What is typed into a menu finds what is called just so first, then what begins so, then the others")
    func menuOrder() {
        let labels = ["plain-on-tls", "tlsnocert", "unstop", "tls", "TLS two"]
        var menu = Menu(title: "", items: labels.map { Menu.Item(label: $0, detail: "", intent: .back) })
        for (typed, found) in [
            ("tls", ["tls", "tlsnocert", "TLS two", "plain-on-tls"]), ("two tls", ["TLS two"]), (" ", labels),
        ] {
            menu.filter = LineEditor(typed)
            #expect(menu.shown.map(\.label) == found, "\(typed)")
        }
    }

    @Test("The README lists the keys of the table")
    func readme() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("README.md")
        let lines = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n")
        for row in Keymap.readmeRows { #expect(lines.contains(row), "the README lacks: \(row)") }
    }
}
