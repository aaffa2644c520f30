import EngineAPI
import Terminal
import Testing

@testable import Interface

@Suite struct ConsoleTests {
    private func attached() throws -> Bench {
        var bench = try Bench.connected()
        bench.openConsole()
        bench.type("a")
        _ = bench.takeEffects()
        return bench
    }

    private func input(_ bench: inout Bench) -> String {
        bench.takeEffects().reduce(into: "") { text, effect in
            if case .consoleInput(_, let bytes) = effect { text += String(decoding: bytes, as: UTF8.self) }
        }
    }

    @Test("An attached console takes every key, those of commands too")
    func everyKey() throws {
        var bench = try attached()
        bench.type("qsd?<ctrl-c><tab><enter>")
        #expect(input(&bench) == "qsd?\u{3}\t\r")
        #expect(bench.model.keyContext == .captured)
    }

    @Test("ctrl-p ctrl-q detaches; a lone ctrl-p is passed on after the next key")
    func detachKeys() throws {
        var bench = try attached()
        bench.type("<ctrl-p>")
        #expect(input(&bench) == "")
        bench.type("x")
        #expect(input(&bench) == "\u{10}x")
        bench.type("<ctrl-p><ctrl-p>")
        #expect(input(&bench) == "\u{10}")
        bench.type("<ctrl-]>")
        #expect(input(&bench) == "\u{10}", "before a command of the leader's it is the program's")
        bench.type("<ctrl-]><ctrl-q>")
        #expect(input(&bench) == "\u{1d}\u{11}" && bench.model.keyContext == .captured)
        bench.type("<ctrl-p><ctrl-q>")
        #expect(input(&bench) == "")
        #expect(bench.model.focus == .containers)
        #expect(!bench.model.consoles.isCaptured)
    }

    @Test("The leader's commands work, twice sends it, and what is none says so")
    func leader() throws {
        var bench = try attached()
        bench.type("<ctrl-]><ctrl-]>")
        #expect(input(&bench) == "\u{1d}")
        bench.type("<ctrl-]>k")
        #expect(bench.model.status?.text.contains("no command") == true)
        bench.type("<ctrl-]>z")
        #expect(Set(bench.model.layout.panels.keys) == [.console])
        bench.type("<ctrl-]>d")
        #expect(bench.model.focus == .containers)
        bench.type("a<ctrl-]>q")
        #expect(bench.model.shownConsole == nil)
        #expect(bench.takeEffects().contains(.closeConsole(.container(Sample.id(1)))))
        bench.send(.containers(Sample.containers))
        #expect(bench.model.shownConsole == nil, "closed by the person, it is not opened again by itself")
    }

    @Test("Who attaches to a process that reads nothing is told so, and out by q, escape or ctrl-c")
    func noInput() throws {
        for (late, key) in [(false, "q"), (true, "<esc>"), (false, "<ctrl-c>")] {
            var bench = try Bench.connected()
            bench.type("j")
            func attached(_ bench: inout Bench) {
                bench.send(.console(.container(Sample.id(2)), .attached(takesInput: false, tty: false)))
            }
            if !late { attached(&bench) }
            #expect(bench.model.status == nil, "nobody has asked to type")
            bench.type("a")
            if late { attached(&bench) }
            #expect(bench.row(22) == "database takes no input: its stdin is closed; q leaves, E then opens a shell")
            #expect(bench.row(23).hasPrefix("takes no input: q leaves"))
            bench.type("d<enter>s")
            #expect(bench.model.keyContext == .captured && bench.model.dialogs.isEmpty)
            bench.type(key)
            #expect(bench.model.focus == .containers && bench.model.keyContext == .containers)
            #expect(input(&bench) == "")
        }
    }

    @Test("Consoles of several containers stay alive while another is shown")
    func severalConsoles() throws {
        var bench = try Bench.connected()
        bench.openConsole("alpha")
        bench.type("j")
        bench.openConsole("second")
        #expect(bench.text.contains("second") && !bench.text.contains("alpha"))
        bench.send(.console(.container(Sample.id(1)), .output(.stdout(Array(" more".utf8)))))
        bench.type("k")
        #expect(bench.text.contains("alpha more"))
        bench.type("a<ctrl-]>n")
        #expect(bench.model.selectedContainer?.name == "database")
        #expect(bench.model.keyContext == .captured)
    }

    @Test("What floods a console that nobody sees is not read, and is attached to again when looked at")
    func unseenFlood() throws {
        var bench = try Bench.connected()
        bench.type("j")
        let id = ConsoleID.container(Sample.id(2))
        let chunk = [UInt8](repeating: UInt8(ascii: "x"), count: 4 << 10)
        func flood(_ bench: inout Bench) {
            for _ in 0..<(UnseenOutput.floodBytes / chunk.count + 1) {
                bench.send(.console(id, .output(.stdout(chunk))))
            }
        }
        bench.send(.console(id, .attached(takesInput: false, tty: false)))
        flood(&bench)
        #expect(!bench.takeEffects().contains(.closeConsole(id)), "it is seen")
        bench.type("k")
        // Slowly, it is followed for as long as one likes.
        for second in 0..<30 {
            bench.send(.tick(Sample.ago(-Int64(second))))
            for _ in 0..<20 { bench.send(.console(id, .output(.stdout(chunk)))) }
        }
        #expect(!bench.takeEffects().contains(.closeConsole(id)))
        flood(&bench)
        #expect(bench.takeEffects().contains(.closeConsole(id)))
        // What was under way is late.
        bench.send(.console(id, .output(.stdout(Array("behind time".utf8)))))
        bench.send(.console(id, .ended("closed")))
        bench.type("j")
        let opened = bench.takeEffects().compactMap { effect -> ContainerSource? in
            if case .openConsole(id, .container(let source), _) = effect { source } else { nil }
        }
        #expect(opened.map(\.replaySince) == [bench.model.now])
        #expect(bench.text.contains("not followed while it was not seen") && !bench.text.contains("behind time"))
        // Who types into it, or has a terminal, may not be let go.
        bench.send(.console(id, .attached(takesInput: true, tty: false)))
        bench.type("k")
        flood(&bench)
        #expect(!bench.takeEffects().contains(.closeConsole(id)))
    }

    @Test("A console that the person only passes by is not opened")
    func passingBy() throws {
        var bench = try Bench.connected()
        _ = bench.takeEffects()
        bench.type("j")
        let effects = bench.takeEffects()
        #expect(effects.contains(.closeConsole(.container(Sample.id(1)))))
        #expect(bench.model.consoles.open.keys.map(\.containerID) == [Sample.id(2)])
    }

    @Test("No more consoles are kept than the limit; the one not seen longest goes")
    func limit() throws {
        let many = (0..<30).map { Sample.container(id: Sample.id($0), name: "c\($0)", .running, age: Int64($0)) }
        var bench = try Bench.connected(80, 24, containers: many)
        for _ in 0..<25 {
            bench.openConsole()
            bench.type("j")
        }
        #expect(bench.model.consoles.open.count == ConsolesPanel.limit)
        #expect(bench.model.consoles.open[.container(Sample.id(0))] == nil)
    }

    @Test("The program is told the panel's size, and again when it changes")
    func sizes() throws {
        var bench = try attached()
        let before = try #require(bench.model.shownConsole?.size)
        bench.type("<ctrl-]>z")
        let after = try #require(bench.model.shownConsole?.size)
        #expect(after.rows > before.rows)
        #expect(bench.takeEffects().contains(.consoleResize(.container(Sample.id(1)), after)))
        bench.send(.input(.resize(Size(columns: 100, rows: 30))))
        #expect(bench.model.shownConsole?.size.columns == 100)
    }

    @Test("Questions in output of before are not answered; those asked now are")
    func replay() throws {
        var bench = try Bench.connected()
        let id = ConsoleID.container(Sample.id(1))
        let question = Array("\u{1b}[6n".utf8)
        bench.send(.console(id, .replay(question)))
        bench.send(.console(id, .attached(takesInput: true, tty: true)))
        #expect(input(&bench) == "")
        bench.send(.console(id, .output(.stdout(question))))
        #expect(input(&bench) == "\u{1b}[1;1R")
    }

    @Test("After the program has ended keys command nothing but leaving")
    func ended() throws {
        var bench = try attached()
        bench.send(.console(.container(Sample.id(1)), .ended("exited (0)")))
        bench.type("sdrx")
        #expect(bench.model.jobs.isEmpty && bench.model.dialogs.isEmpty)
        #expect(input(&bench) == "")
        bench.type("<enter>")
        #expect(bench.model.focus == .containers)
        #expect(bench.text.contains("exited (0)"))
    }

    @Test("What is typed for a container that leaves the list is no other's, and commands nothing")
    func goneWhileTyping() throws {
        var bench = try Bench.connected()
        bench.type("j")
        bench.openConsole()
        bench.type("k")
        bench.openConsole()
        bench.type("a")
        _ = bench.takeEffects()
        bench.send(.containers(Array(Sample.containers.dropFirst())))
        #expect(bench.model.selectedContainer?.id == Sample.id(2))
        bench.type("rm x<enter>ps<enter>q")
        bench.send(.input(.paste("ls\n")))
        #expect(input(&bench) == "" && bench.model.jobs.isEmpty && bench.model.dialogs.isEmpty)
        #expect(bench.text.contains("web is not in the list any more") && !bench.text.contains("▶"))
        bench.type("<esc>")
        #expect(bench.model.focus == .containers && bench.model.keyContext == .containers)
        bench.type("a")
        _ = bench.takeEffects()
        bench.type("x<enter>")
        #expect(input(&bench) == "x\r")
    }

    @Test("A list that is empty then commands nothing either")
    func lastGoneWhileTyping() throws {
        var bench = try attached()
        bench.send(.containers([]))
        bench.type("n<enter>q")
        #expect(bench.model.dialogs.isEmpty && !bench.takeEffects().contains(.quit))
        bench.type("<ctrl-c>n")
        #expect(!bench.model.dialogs.isEmpty)
    }

    @Test("A container that runs anew is attached to again, with what was shown still there")
    func newRun() throws {
        var bench = try Bench.connected()
        bench.openConsole("old run")
        bench.send(.console(.container(Sample.id(1)), .ended("exited (0)")))
        var list = Sample.containers
        list[0].state.startedAt = Sample.now
        _ = bench.takeEffects()
        bench.send(.containers(list))
        let source = ContainerSource(id: Sample.id(1), isAlive: true, isTTY: true, replaySince: Sample.now)
        let size = try #require(bench.model.shownConsole?.size)
        #expect(bench.takeEffects().contains(.openConsole(.container(Sample.id(1)), .container(source), size)))
        #expect(bench.text.contains("old run"))
    }

    @Test("What a console shows of before is asked for without times, which would stand behind a prompt")
    func replayWithoutTimes() async {
        let engine = ScriptedEngine()
        let id = Sample.id(4)
        let (commands, _) = AsyncStream.makeStream(of: ConsoleLine.Command.self)
        let session = ConsoleSession(id: .container(id), engine: engine, mailbox: Mailbox(), shelf: StreamShelf())
        let source = ContainerSource(id: id, isAlive: false, isTTY: true, isHurried: true)
        await session.run(.container(source), TerminalSize(columns: 80, rows: 24), commands)
        #expect(engine.calls.contains("logs \(id.suffix(3)) tail without times"), "\(engine.calls)")
    }

    @Test("A console whose connection broke is attached again when the engine is back")
    func lostConnection() throws {
        var bench = try attached()
        let id = ConsoleID.container(Sample.id(1))
        bench.send(.console(id, .lost))
        bench.send(.connectionLost("gone"))
        bench.type("sd")
        #expect(bench.model.jobs.isEmpty && bench.model.dialogs.isEmpty)
        bench.send(
            .connected(EngineVersion(name: "G", version: "1", apiVersion: "", minimumAPIVersion: ""), EngineInfo()))
        _ = bench.takeEffects()
        bench.send(.tick(Sample.ago(-1)))
        let source = ContainerSource(
            id: Sample.id(1), isAlive: true, isTTY: true, replaySince: Sample.now, isHurried: true)
        let size = try #require(bench.model.shownConsole?.size)
        #expect(bench.takeEffects() == [.openConsole(id, .container(source), size)])
        #expect(bench.model.keyContext == .captured)
    }

    @Test("A shell is an exec of its own beside the container's console")
    func exec() throws {
        var bench = try Bench.connected()
        bench.openConsole("main")
        bench.type("E")
        let id = try #require(bench.model.shownConsoleID)
        #expect(id.isExec && bench.model.keyContext == .captured)
        bench.send(.console(id, .attached(takesInput: true, tty: true)))
        bench.send(.console(id, .output(.stdout(Array("shell".utf8)))))
        #expect(bench.text.contains("shell"))
        bench.type("<ctrl-]>d")
        bench.type("E")
        #expect(bench.model.keyContext == .form, "asked for again, it asks for the command")
        bench.type("<esc>")
        bench.send(.console(id, .ended("ended (0)")))
        bench.type("a<enter>")
        #expect(bench.model.shownConsoleID == .container(Sample.id(1)))
        #expect(bench.text.contains("main"))
    }

    @Test("Lines that go from the scrollback while they are read make room for the oldest that are left")
    func scrollbackGoes() throws {
        var bench = try attached()
        bench.send(.console(.container(Sample.id(1)), .output(.stdout(Array("first\r\n".utf8)))))
        bench.type("<ctrl-]>[v")
        let flood = (0..<12_000).map { "line \($0)\r\n" }.joined()
        bench.send(.console(.container(Sample.id(1)), .output(.stdout(Array(flood.utf8)))))
        let console = try #require(bench.model.shownConsole)
        let oldest = console.emulator.lines.lowerBound
        #expect(oldest > 0 && console.top == oldest && console.cursorLine == oldest && console.markedLine == oldest)
        #expect(bench.text.contains(console.emulator.text(ofLine: oldest)))
        #expect(bench.text.contains("line "))
    }

    @Test("Nothing is typed to a paused container's console")
    func paused() throws {
        var bench = try Bench.connected()
        bench.type("jja")
        #expect(bench.model.keyContext == .containers)
        #expect(bench.model.status?.text == "batch-of-the-night is paused: p resumes it")
        let id = ConsoleID.container(Sample.id(3))
        bench.send(.console(id, .paused))
        #expect(bench.model.shownConsole?.phase == .paused)
        bench.model.consoles.isCaptured = true
        bench.model.focus = .console
        _ = bench.takeEffects()
        bench.type("x")
        #expect(input(&bench) == "" && bench.model.status?.text.contains("nothing is typed") == true)
        var list = Sample.containers
        list[2].state.status = .running
        bench.send(.containers(list))
        #expect(bench.model.shownConsole?.phase == .opening)
    }

    @Test("The scrollback is read, searched and copied while output goes on")
    func scrollback() throws {
        var bench = try attached()
        let text = (1...200).map { "line \($0)\r\n" }.joined()
        bench.send(.console(.container(Sample.id(1)), .output(.stdout(Array(text.utf8)))))
        bench.type("<ctrl-]>[")
        #expect(bench.model.keyContext == .scrollback)
        bench.type("/line 42<enter>")
        #expect(bench.text.contains("line 42"))
        bench.send(.console(.container(Sample.id(1)), .output(.stdout(Array("new output\r\n".utf8)))))
        #expect(bench.text.contains("line 42"))
        _ = bench.takeEffects()
        bench.type("vjy")
        #expect(bench.takeEffects().contains(.copy("line 42\nline 43")))
        #expect(bench.model.keyContext == .captured)
        #expect(bench.text.contains("new output"))
    }

    @Test("The scrollback is searched around its end, from wherever one is in it")
    func searchAround() throws {
        var bench = try attached()
        let text = (1...200).map { "line \($0)\r\n" }.joined()
        bench.send(.console(.container(Sample.id(1)), .output(.stdout(Array(text.utf8)))))
        bench.type("<ctrl-]>[g")
        #expect(!bench.text.contains("line 15"))
        func chosen() -> String {
            guard let console = bench.model.shownConsole else { return "" }
            return console.emulator.text(ofLine: console.cursorLine)
        }
        bench.type("/line 15<enter>")
        #expect(chosen() == "line 159", "there was none above")
        bench.type("n")
        #expect(chosen() == "line 158")
        bench.type("NN")
        #expect(chosen() == "line 15")
        bench.type("/line 999<enter>")
        #expect(chosen() == "line 15" && bench.model.status?.text == "`line 999` not found")
        bench.type("y")
        #expect(bench.model.status?.text == "copied the line")
    }

    @Test("Who turns the wheel and goes on typing types into the program")
    func wheel() throws {
        var bench = try attached()
        let text = (1...100).map { "line \($0)\r\n" }.joined()
        bench.send(.console(.container(Sample.id(1)), .output(.stdout(Array(text.utf8)))))
        let panel = try #require(bench.model.layout.content(of: .console))
        let place = Position(column: panel.column + 3, row: panel.row + 2)
        for _ in 0..<5 { bench.send(.input(.mouse(MouseEvent(.wheelUp, at: place)))) }
        #expect(bench.model.keyContext == .scrollback)
        #expect(!bench.text.contains("line 100"))
        bench.type("<pgup>")
        #expect(bench.model.keyContext == .scrollback)
        bench.type("ls<enter>")
        #expect(input(&bench) == "ls\r")
        #expect(bench.text.contains("line 100"))
    }

    @Test("Without a terminal lines are edited here and sent whole")
    func withoutTerminal() throws {
        var bench = try Bench.connected()
        bench.type("j")
        let id = ConsoleID.container(Sample.id(2))
        bench.send(.console(id, .attached(takesInput: true, tty: false)))
        bench.send(.console(id, .output(.stdout(Array("one\ntwo\n".utf8)))))
        bench.type("aselekt<backspace><backspace>ct<enter>")
        #expect(input(&bench) == "select\n")
        let rows = bench.text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(rows.contains("one") && rows.contains("two") && rows.contains("select"))
        bench.type("<ctrl-d>")
        #expect(bench.takeEffects().contains(.consoleEndOfInput(id)))
    }

    @Test("A paste goes whole to the program, bracketed where it asked")
    func paste() throws {
        var bench = try attached()
        bench.send(.console(.container(Sample.id(1)), .output(.stdout(Array("\u{1b}[?2004h".utf8)))))
        bench.send(.input(.paste("ls\nq")))
        #expect(input(&bench) == "\u{1b}[200~ls\rq\u{1b}[201~")
    }

    @Test("A paste that goes nowhere says so; one after the wheel goes to the program")
    func pasteNowhere() throws {
        var bench = try attached()
        bench.type("<ctrl-]>[")
        bench.send(.input(.paste("ls\n")))
        #expect(input(&bench) == "" && bench.model.status?.text.contains("goes nowhere") == true)
        bench.type("<esc>")
        let text = (1...100).map { "line \($0)\r\n" }.joined()
        bench.send(.console(.container(Sample.id(1)), .output(.stdout(Array(text.utf8)))))
        let panel = try #require(bench.model.layout.content(of: .console))
        let place = Position(column: panel.column + 3, row: panel.row + 2)
        bench.send(.input(.mouse(MouseEvent(.wheelUp, at: place))))
        bench.send(.input(.paste("ls\n")))
        #expect(input(&bench) == "ls\r" && bench.text.contains("line 100"))
        bench.type("<ctrl-]>d")
        bench.send(.input(.paste("rm x")))
        #expect(bench.model.status?.text.contains("goes nowhere") == true)
        let refusals: [(ConsoleNews, String)] = [
            (.attached(takesInput: false, tty: true), "stdin is closed"), (.paused, "is paused"),
            (.ended("exited (0)"), "exited (0)"),
        ]
        for (news, words) in refusals {
            bench = try attached()
            if case .paused = news {
                var list = Sample.containers
                list[0].state.status = .paused
                bench.send(.containers(list))
            }
            bench.send(.console(.container(Sample.id(1)), news))
            bench.send(.input(.paste("ls\n")))
            #expect(input(&bench) == "" && bench.model.status?.text.contains(words) == true, "\(words)")
        }
    }

    @Test("A button is the program's only while keys are")
    func untouched() throws {
        var bench = try attached()
        bench.send(.console(.container(Sample.id(1)), .output(.stdout(Array("\u{1b}[?1000h\u{1b}[?1006h".utf8)))))
        let panel = try #require(bench.model.layout.content(of: .console))
        let place = Position(column: panel.column, row: panel.row)
        bench.type("<ctrl-]>d4")
        _ = bench.takeEffects()
        #expect(bench.model.focus == .console)
        for action in [MouseEvent.Action.press(.middle), .release(.middle), .press(.right), .release(.right)] {
            bench.send(.input(.mouse(MouseEvent(action, at: place))))
        }
        #expect(input(&bench) == "")
        bench.type("a")
        bench.send(.input(.mouse(MouseEvent(.press(.middle), at: place))))
        #expect(input(&bench) == "\u{1b}[<1;1;1M")
    }

    @Test("A console whose connection broke tells how its container ended, once that has")
    func lostAndEnded() throws {
        var bench = try attached()
        let id = ConsoleID.container(Sample.id(1))
        bench.send(.console(id, .lost))
        var list = Sample.containers
        list[0].state.status = .exited
        bench.send(.containers(list))
        #expect(!bench.takeEffects().contains { if case .openConsole = $0 { true } else { false } }, "not at once")
        bench.send(.tick(Sample.ago(-1)))
        let source = ContainerSource(
            id: Sample.id(1), isAlive: false, isTTY: true, replaySince: Sample.now, isHurried: true)
        let size = try #require(bench.model.shownConsole?.size)
        #expect(bench.takeEffects() == [.openConsole(id, .container(source), size)])
        bench.send(.console(id, .ended("exited (137)")))
        #expect(bench.text.contains("exited (137)") && !bench.text.contains("connection lost"))
        bench.send(.tick(Sample.ago(-5)))
        #expect(bench.takeEffects().isEmpty)
    }

    @Test("A drag that leaves the console is told to its end, at the edge; one that began elsewhere is not")
    func drag() throws {
        var bench = try attached()
        bench.send(.console(.container(Sample.id(1)), .output(.stdout(Array("\u{1b}[?1002h\u{1b}[?1006h".utf8)))))
        let panel = try #require(bench.model.layout.content(of: .console))
        func point(_ action: MouseEvent.Action, _ column: Int, _ row: Int) {
            bench.send(.input(.mouse(MouseEvent(action, at: Position(column: column, row: row)))))
        }
        point(.press(.left), panel.column + 4, panel.row + 1)
        point(.drag(.left), panel.column + 4, panel.row - 5)
        point(.release(.left), panel.column + 4, panel.row - 5)
        #expect(input(&bench) == "\u{1b}[<0;5;2M\u{1b}[<32;5;1M\u{1b}[<0;5;1m")
        #expect(bench.model.keyContext == .captured)
        point(.drag(.left), panel.column + 4, panel.row + 1)
        point(.release(.left), panel.column + 4, panel.row + 1)
        #expect(input(&bench) == "")
    }

    @Test("What was asked for before somebody types into a program does not open over it")
    func lateDialogs() throws {
        let details = Sample.details(Sample.containers[0])
        for message: Message in [
            .inspected(details, .show), .inspected(details, .editLimits), .original(details, nil), .hosts([]),
        ] {
            var bench = try Bench.connected()
            bench.send(message)
            #expect(bench.model.dialogs.count == 1)
            bench = try attached()
            bench.send(message)
            #expect(bench.model.keyContext == .captured && bench.model.status?.kind == .warning)
        }
    }

    @Test("A console on which nothing was written says so, and how to get further")
    func silence() throws {
        var bench = try Bench.connected()
        guard let id = bench.model.shownConsoleID else { return #expect(Bool(false), "no console") }
        bench.send(.console(id, .attached(takesInput: false, tty: false)))
        #expect(bench.text.contains("nothing has been written yet; E opens a shell"))
        bench.send(.console(id, .attached(takesInput: true, tty: true)))
        #expect(bench.text.contains("nothing has been written yet; a types into it"))
        bench.type("a")
        #expect(!bench.text.contains("nothing has been written"), "who types is not disturbed")
        bench.type("<ctrl-]>d")
        bench.send(.console(id, .output(.stdout(Array("x".utf8)))))
        #expect(!bench.text.contains("nothing has been written"))
    }
}
