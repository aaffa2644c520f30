import EngineAPI
import Synchronization
import Terminal
import Testing

@testable import Interface

/// Commands of the user's own on the screen.
@Suite struct CustomCommandTests {
    private static let text = """
        [look]
        label = "look at it"
        key = "ctrl-t"
        run = ["look", "{name}", "{image}"]
        [top]
        key = "s"
        run = ["top", "{id}"]
        shows = "terminal"
        [quiet]
        key = "Q"
        for = ["image", "network", "volume"]
        run = ["tidy", "{name}"]
        shows = "nothing"
        [wipe]
        key = "W"
        run = ["wipe", "{name}"]
        confirm = true
        [up]
        for = "project"
        key = "F7"
        run = ["docker", "compose", "-p", "{name}", "up", "-d"]
        [host]
        for = "engine"
        key = "F8"
        run = ["ping", "{host}"]
        """

    private static func bench(_ open: String = "") throws -> Bench {
        var bench = try NetworksScreenTests.open(open)
        let file = CommandFile(parsing: text)
        #expect(file.complaints.isEmpty, "\(file.complaints)")
        let (table, complaints) = Keymap.adding(file.commands, to: Keymap.table)
        #expect(complaints.isEmpty)
        (bench.model.bindings, bench.model.customCommands) = (table, file.commands)
        _ = bench.takeEffects()
        return bench
    }

    private static func runs(_ bench: inout Bench) -> [[String]] {
        bench.takeEffects().flatMap { effect -> [[String]] in
            switch effect {
            case .perform(_, .program(let run)): [run.words]
            case .runOnTerminal(let runs): runs.map(\.words)
            default: []
            }
        }
    }

    @Test("A key runs its program with the chosen object's facts; of several, or where it wants that, after a question")
    func keys() throws {
        let web = Sample.containers[0]
        let cases: [(open: String, keys: String, runs: [[String]])] = [
            ("", "<ctrl-t>", [["look", "web", web.image]]), ("", "s", [["top", web.id]]),
            (
                "", "  <ctrl-t><enter>",
                [1, 2].map { ["look", Sample.containers[$0 - 1].name, Sample.containers[$0 - 1].image] }
            ),
            ("", "  s<enter>", [["top", Sample.id(1)], ["top", Sample.id(2)]]), ("", "  sn", []),
            ("", "W", []), ("", "W<enter>", []), ("", "Wy", [["wipe", "web"]]),
            ("V", "Q", [["tidy", "cache"]]), ("V", "*Q<enter>", [["tidy", "cache"], ["tidy", "pages"]]),
            ("N", "jjQ", [["tidy", "front"]]), ("N", "*Q<enter>", [["tidy", "bridge"], ["tidy", "front"]]),
            ("I", "Q", [["tidy", "gantry/starter:latest"]]), ("", "Q", []), ("", "<F8>", [["ping", Model.ownHost]]),
            ("", "xlook<enter>", [["look", "web", web.image]]), ("", ":look<enter>", [["look", "web", web.image]]),
            ("V", "xquiet<enter>", [["tidy", "cache"]]),
        ]
        for (open, keys, wanted) in cases {
            var bench = try Self.bench(open)
            bench.type(keys)
            #expect(Self.runs(&bench) == wanted, "\(open) \(keys)")
        }
        var bench = try Self.bench()
        bench.type("<F7>")
        #expect(bench.row(22) == "up: no project is chosen")
    }

    @Test("A project's command is asked of the one that is chosen, or of the chosen container's")
    func projects() throws {
        var list = Sample.containers
        for index in [0, 1] { list[index].labels["com.docker.compose.project"] = "shop" }
        for keys in ["<F7>", "g<F7>"] {
            var bench = try Self.bench()
            bench.send(.containers(list))
            _ = bench.takeEffects()
            bench.type(keys)
            #expect(Self.runs(&bench) == [["docker", "compose", "-p", "shop", "up", "-d"]], "\(keys)")
        }
    }

    @Test("The help and the menu tell commands; a key that one takes is gone from what had it, there alone")
    func taken() throws {
        let bench = try Self.bench()
        let lines = Pager.help(
            bench.model.bindings, leader: bench.model.leader, at: .containers, columns: 200
        ).lines.map(\.text)
        #expect(lines.contains { $0.hasPrefix("  ctrl-t") && $0.hasSuffix("look at it") })
        let stops = bench.model.bindings.filter { $0.intent == .stop && !$0.contexts.isEmpty }
        #expect(!stops.isEmpty && stops.allSatisfy { $0.keys.isEmpty })
        #expect(bench.model.bindings.contains { $0.intent == .askLogReach && $0.keys.contains(.character("s")) })
        #expect(!Keymap.template(Keymap.withoutCommands(bench.model.bindings)).contains("custom"))
        let twice = CommandFile(parsing: "[a]\nkey = \"F7\"\nrun = [\"a\"]\n[b]\nkey = \"F7\"\nrun = [\"b\"]")
        #expect(Keymap.adding(twice.commands, to: Keymap.table).complaints == ["line 4: `F7` is a already"])
    }

    @Test("What a program wrote is shown; how it failed is told")
    func output() throws {
        func end(_ keys: String, _ open: String, _ result: JobNews) throws -> Bench {
            var bench = try Self.bench(open)
            bench.type(keys)
            bench.send(.job(try #require(bench.model.jobs.last?.id), result))
            return bench
        }
        let text = Array("one\n\u{1B}[31mtwo\u{1B}[0m\n".utf8)
        var bench = try end("<ctrl-t>", "", .succeeded(.output(ProgramOutput(exitCode: 0, bytes: text))))
        #expect(bench.row(0).contains("look at it: web") && bench.row(2) == "2  two", "\(bench.text)")
        bench.type("jy")
        #expect(bench.takeEffects().contains(.copy("two")))
        bench = try end("<ctrl-t>", "", .succeeded(.output(ProgramOutput(exitCode: 3, bytes: text))))
        #expect(bench.row(0).contains("exit code 3") && bench.row(22) == "look at it: web, exit code 3")
        bench = try end("<ctrl-t>", "", .succeeded(.output(ProgramOutput(exitCode: 0, bytes: []))))
        #expect(bench.row(22) == "look at it: web: it wrote nothing" && bench.model.dialogs.isEmpty)
        bench = try end("Q", "V", .failed(EngineError(.invalid, "exit code 1: no")))
        #expect(bench.row(22) == "quiet: cache: exit code 1: no")
        bench = try Self.bench()
        bench.type("  <ctrl-t><enter>")
        let jobs = bench.model.jobs.map(\.id)
        bench.send(.job(jobs[0], .succeeded(.output(ProgramOutput(exitCode: 0, bytes: text)))))
        bench.send(.job(jobs[1], .succeeded(.output(ProgramOutput(exitCode: 1, bytes: Array("why\n".utf8))))))
        #expect(bench.text.contains("✗ look at it: database: exit code 1: why"))
        #expect(bench.text.contains("✓ look at it: web") && bench.text.contains("2  two"))
        bench = try Self.bench()
        bench.type("<ctrl-t>")
        #expect(bench.row(22).contains("cancels"))
    }

    @Test("What is odd in the files is told at the start, the first of it, and all of it from the settings")
    @MainActor
    func notices() throws {
        let screen = MemoryScreen(size: Size(columns: 100, rows: 24))
        defer { screen.close() }
        var configuration = InterfaceConfiguration(theme: try ThemeLibrary(folders: []).load("dark").theme)
        configuration.commands = CommandFile(parsing: "[a]\nrun = 1\n[b]\nkey = \"F7\"\nrun = [\"b\"]\n[c]\n")
        configuration.commandFilePath = "/c.toml"
        let loop = MainLoop(engine: ScriptedEngine(), configuration: configuration, screen: screen)
        loop.begin()
        #expect(screen.text.contains("/c.toml: line 2: `a`: `run` is to be a list of words"), "\(screen.text)")
        #expect(screen.text.contains("(and 1 more: F2"))
        for key in Bench.keys("<F2>odd<enter>") { screen.send(.key(key)) }
        loop.step()
        #expect(screen.text.contains("line 6: `c`: it lacks `run`"), "\(screen.text)")
        _ = loop.end()
    }

    @Test("The screen steps aside for a program on the terminal, and tells whose engine it is on")
    @MainActor
    func onTerminal() throws {
        let screen = MemoryScreen(size: Size(columns: 80, rows: 24))
        defer { screen.close() }
        let seen = Mutex<[[String]]>([])
        var configuration = InterfaceConfiguration(theme: try ThemeLibrary(folders: []).load("dark").theme)
        configuration.commands = CommandFile(parsing: Self.text)
        configuration.programs = HostPrograms(
            run: { run, host throws(EngineError) in
                seen.withLock { $0.append(run.words + [host ?? ""]) }
                return ProgramOutput(exitCode: 0, bytes: Array("found it\n".utf8))
            }, runOnTerminal: { run, host in seen.withLock { $0.append(run.words + [host ?? ""]) } })
        let engine = ScriptedEngine(containers: Sample.containers)
        let loop = MainLoop(engine: engine, configuration: configuration, screen: screen)
        loop.begin()
        let end = ContinuousClock.now + .seconds(20)
        func until(_ text: String) {
            while !screen.text.contains(text), ContinuousClock.now < end { loop.step() }
            #expect(screen.text.contains(text), "\(screen.text)")
        }
        until("web")
        for key in Bench.keys("s<ctrl-t>") { screen.send(.key(key)) }
        until("found it")
        let web = Sample.containers[0]
        #expect(seen.withLock { $0 } == [["top", web.id, ""], ["look", "web", web.image, ""]])
        _ = loop.end()
    }
}
