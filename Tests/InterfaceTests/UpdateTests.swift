import EngineAPI
import Terminal
import Testing

@testable import Interface

@Suite struct UpdateTests {
    @Test("Keys of movement move the selection and stay in the list")
    func movement() throws {
        var bench = try Bench.connected()
        for (keys, index) in [("j", 1), ("jj", 3), ("k", 2), ("G", 4), ("j", 4), ("g", 0), ("k", 0), ("<down><up>", 0)]
        {
            bench.type(keys)
            #expect(bench.model.containers.cursor.index == index, "after \(keys)")
        }
    }

    @Test("The selection stays on its container when the list changes, and near when it goes")
    func selectionFollows() throws {
        var bench = try Bench.connected()
        bench.type("jj")
        let id = try #require(bench.model.selectedContainer?.id)
        bench.send(.containers(Array(Sample.containers.dropFirst(2))))
        #expect(bench.model.selectedContainer?.id == id)
        bench.send(.containers(Sample.containers.filter { $0.id != id }))
        #expect(bench.model.selectedContainer != nil)
    }

    @Test("Actions ask the engine for what the selected container allows")
    func actions() throws {
        let cases: [(select: Int, keys: String, action: EngineAction?)] = [
            (0, "s", nil), (0, "sn", nil), (0, "sy", .stop(.init(id: Sample.id(1), name: "web"))), (0, "S", nil),
            (0, "r", nil), (0, "r<enter>", .restart(.init(id: Sample.id(1), name: "web"))),
            (3, "r", .restart(.init(id: Sample.id(4), name: "failed"))),
            (0, "p", .pause(.init(id: Sample.id(1), name: "web"))),
            (2, "p", .unpause(.init(id: Sample.id(3), name: "batch-of-the-night"))),
            (3, "S", .start(.init(id: Sample.id(4), name: "failed"))), (3, "s", nil), (3, "p", nil),
            (0, "dy", .remove(.init(id: Sample.id(1), name: "web"), force: true, volumes: false)),
            (3, "d<enter>", .remove(.init(id: Sample.id(4), name: "failed"), force: false, volumes: false)),
            (0, "dn", nil),
            (0, "d<enter>", nil),
            (0, "d<tab><enter>", .remove(.init(id: Sample.id(1), name: "web"), force: true, volumes: false)),
            (3, "D<enter>", nil),
            (3, "Dy", .remove(.init(id: Sample.id(4), name: "failed"), force: false, volumes: true)),
            (0, "<F9>hup<enter>", .kill(.init(id: Sample.id(1), name: "web"), signal: "HUP")),
            (0, "R<ctrl-u>api<enter>", .rename(.init(id: Sample.id(1), name: "web"), to: "api")),
            (0, "xstop<enter><enter>", .stop(.init(id: Sample.id(1), name: "web"))),
        ]
        for (row, keys, wanted) in cases {
            var bench = try Bench.connected()
            bench.type(String(repeating: "j", count: row))
            _ = bench.takeEffects()
            bench.type(keys)
            let asked = bench.takeEffects().compactMap { effect -> EngineAction? in
                if case .perform(_, let action) = effect { action } else { nil }
            }
            #expect(asked == (wanted.map { [$0] } ?? []), "\(keys) on row \(row)")
        }
    }

    @Test("What is started again and again is stopped, and killed to be removed")
    func restarting() throws {
        var list = Sample.containers
        list[0].state.status = .restarting
        let web = EngineAction.Target(id: Sample.id(1), name: "web")
        for (keys, wanted) in [
            ("sy", .stop(web)), ("S", nil), ("dy", .remove(web, force: true, volumes: false)), ("d<enter>", nil),
        ] as [(String, EngineAction?)] {
            var bench = try Bench.connected(containers: list)
            bench.type(keys)
            let asked = bench.takeEffects().compactMap { if case .perform(_, let action) = $0 { action } else { nil } }
            #expect(asked == (wanted.map { [$0] } ?? []), "\(keys)")
        }
        var bench = try Bench.connected(containers: list)
        bench.type("e")
        #expect(bench.model.containers.rows.map(\.name) == ["web", "database", "batch-of-the-night"], "not hidden")
    }

    @Test("An action's end is said with the engine's words, and errors stay")
    func results() throws {
        var bench = try Bench.connected()
        bench.type("sy")
        let job = try #require(bench.model.jobs.first)
        #expect(job.label == "stop web")
        bench.send(.job(job.id, .failed(EngineError(.conflict, "cannot stop container: web:\nno such process"))))
        #expect(bench.model.jobs.isEmpty)
        #expect(bench.model.status?.text == "stop web: cannot stop container: web: no such process")
        bench.send(.tick(Sample.ago(-60)))
        #expect(bench.model.status?.kind == .error)
        bench.type("sy")
        bench.send(.job(bench.model.jobs[0].id, .succeeded(.done("web stopped"))))
        #expect(bench.model.status?.kind == .success)
        bench.send(.tick(Sample.ago(-120)))
        #expect(bench.model.status == nil)
    }

    @Test("Escape and ctrl-c cancel the pull that runs, and wait no more for a stop", arguments: ["<esc>", "<ctrl-c>"])
    func cancel(key: String) throws {
        var bench = try Bench.connected()
        bench.type("sy" + key)
        #expect(bench.model.jobs.isEmpty && bench.model.status?.text == "stop web: goes on, not waited for")
        bench.type("Ippostgres:16<enter><enter><esc>")
        let id = bench.model.jobs[0].id
        _ = bench.takeEffects()
        bench.type(key)
        #expect(bench.takeEffects() == [.cancel(id)])
    }

    @Test("Why an engine does not answer is told in full, with the way to others", arguments: [80, 40])
    func noAnswer(columns: Int) throws {
        var bench = try Bench(columns, 24)
        bench.model.hasHosts = true
        bench.send(
            .connectionLost("Cannot connect to the container engine at ssh://nobody@distant.example.org: the end"))
        bench.send(.input(.key(.character("I"))))
        bench.send(.input(.key(Key(.escape))))
        #expect(bench.text.contains("the end"))
        #expect(bench.text.contains("H  other engines"))
    }

    @Test("The filter narrows while it is typed and escape drops it")
    func filter() throws {
        var bench = try Bench.connected()
        bench.type("/data")
        #expect(bench.model.containers.rows.map(\.name) == ["database"])
        bench.type("<enter>sy")
        #expect(bench.model.jobs.count == 1)
        bench.send(.job(bench.model.jobs[0].id, .succeeded(.done(""))))
        bench.type("<esc>")
        #expect(bench.model.containers.rows.count == 5)
        bench.type("/exited fail")
        #expect(bench.model.containers.rows.map(\.name) == ["failed"])
        bench.type("<esc>e")
        #expect(!bench.model.containers.rows.contains { !$0.state.isAlive })
    }

    @Test("Rows sort by each column, both ways, and equal ones keep their places", arguments: ContainerSort.allCases)
    func sort(order: ContainerSort) throws {
        var bench = try Bench.connected()
        bench.fillFigures()
        while bench.model.containers.sort != order { bench.type("o") }
        let forward = bench.model.containers.rows.map(\.id)
        bench.type("O")
        #expect(bench.model.containers.rows.map(\.id) == forward.reversed())
        #expect(Set(forward).count == 5)
    }

    @Test("What is given up says so until it is over")
    func givenUp() throws {
        var bench = try Bench.connected()
        bench.type("Ipapp<enter>")
        let id = try #require(bench.model.jobs.first?.id)
        #expect(bench.text.contains("pull app…") && bench.text.contains("ctrl-c cancels"))
        bench.type("<ctrl-c>")
        #expect(bench.takeEffects().contains(.cancel(id)))
        #expect(bench.text.contains("cancelling pull app…") && !bench.text.contains("c cancels"))
        bench.send(.job(id, .failed(EngineError(.cancelled, "cancelled"))))
        #expect(bench.text.contains("pull app: cancelled") && !bench.text.contains("cancelling"))
    }

    @Test("What is visible decides what is sampled and followed")
    func subscriptions() throws {
        var bench = try Bench(80, 24)
        #expect(bench.model.subscriptions == [.engine])
        bench = try Bench.connected()
        let running = [Sample.id(1), Sample.id(2), Sample.id(3)]
        #expect(bench.model.subscriptions == [.engine, .stats(running), .processes(Sample.id(1))])
        bench.type("z")
        #expect(bench.model.subscriptions == [.engine, .stats(running)])
        bench.type("zm")
        let log = LogSubscription(containerID: Sample.id(1), tail: 2000, serial: bench.model.nextNumber - 1)
        #expect(bench.model.subscriptions == [.engine, .logs(log)])
        bench.type("<esc>")
        bench.send(.connectionLost("gone"))
        #expect(bench.model.subscriptions == [.engine])
    }

    @Test("A list of hundreds samples only the rows that are seen")
    func onlyVisibleRows() throws {
        let many = (0..<500).map { Sample.container(id: Sample.id($0), name: "c\($0)", .running, age: Int64($0)) }
        let bench = try Bench.connected(80, 24, containers: many)
        let sampled = bench.model.subscriptions.compactMap { if case .stats(let ids) = $0 { ids.count } else { nil } }
        #expect(sampled == [bench.model.visibleRows.count])
        #expect(bench.model.visibleRows.count < 20)
    }

    @Test("No clock runs while nothing on the screen depends on it")
    func clock() throws {
        let old = Sample.container(id: Sample.id(1), name: "old", .exited, age: 900_000)
        #expect(try Bench.connected(80, 24, containers: []).model.clockInterval == nil)
        #expect(try Bench.connected(80, 24, containers: [old]).model.clockInterval == .seconds(30))
        #expect(try Bench.connected().model.clockInterval == .seconds(1))
    }

    @Test("Events ask for a new list; those of execs and sizes do not")
    func events() throws {
        var bench = try Bench.connected()
        for (action, asks) in [("start", true), ("die", true), ("exec_start: sh", false), ("resize", false)] {
            _ = bench.takeEffects()
            bench.send(
                .event(.init(kind: .container, action: action, actorID: "a", attributes: [:], time: Sample.now)))
            #expect(bench.takeEffects().contains(.refreshContainers) == asks, "\(action)")
        }
    }

    @Test("Quit leaves containers alone")
    func quit() throws {
        var bench = try Bench.connected()
        _ = bench.takeEffects()
        bench.type("q")
        #expect(bench.takeEffects() == [.quit])
        #expect(InterfaceExit(reason: .quit, runningContainers: 2).farewell == "2 containers run on.")
        #expect(InterfaceExit(reason: .quit, runningContainers: 0).farewell == nil)
    }

    @Test("Quit asks where it would cut off a pull, and not where an engine ends what it has begun")
    func quitAsks() throws {
        var bench = try Bench.connected()
        bench.type("sy")
        _ = bench.takeEffects()
        bench.type("q")
        #expect(bench.takeEffects().contains(.quit), "the engine stops it, whoever waits")
        bench.type("Ipapp<enter><enter><esc>")
        _ = bench.takeEffects()
        bench.type("q")
        #expect(bench.text.contains("quit?") && bench.text.contains("pull app: is given up."))
        bench.type("<enter>")
        #expect(!bench.takeEffects().contains(.quit) && bench.model.dialogs.isEmpty)
        bench.type("qy")
        #expect(bench.takeEffects().contains(.quit))
        bench.type("<ctrl-c>")
        _ = bench.takeEffects()
        bench.type("q")
        #expect(bench.takeEffects().contains(.quit), "it is given up already")
    }

    @Test("An error is there for who comes back, and goes with a key once it could be read")
    func oldErrors() throws {
        var bench = try Bench.connected()
        bench.model.say("no space left on device", .error)
        bench.type("jI")
        #expect(bench.text.contains("no space left"))
        bench.send(.tick(Sample.ago(-3600)))
        #expect(bench.text.contains("no space left"))
        bench.type("<esc>")
        #expect(!bench.text.contains("no space left"))
    }

    @Test("What an engine says is not begun twice with what was attempted")
    func saidOnce() throws {
        for (words, said) in [
            ("pull app:latest: no route", "pull app:latest: no route"), ("no route", "pull app: no route"),
        ] {
            var bench = try Bench.connected(80, 24)
            // Let go on alone: a form that is open says it by itself.
            bench.type("Ipapp<enter><enter>")
            let job = try #require(bench.model.jobs.first?.id)
            bench.send(.job(job, .failed(EngineError(.unavailable, words))))
            #expect(bench.model.status?.text == said)
        }
    }

    @Test("Panels are reached by number, tab and letters, and zoomed")
    func panels() throws {
        var bench = try Bench.connected()
        for (keys, panel) in [
            ("2", Panel.stats), ("l", .processes), ("<tab>", .console), ("<tab>", .containers),
            ("h", .console), ("1", .containers),
        ] {
            bench.type(keys)
            #expect(bench.model.focus == panel, "after \(keys)")
        }
        bench.type("3z")
        #expect(Set(bench.model.layout.panels.keys) == [.processes])
        bench.type("<esc>")
        #expect(bench.model.layout.panels.count == 4)
    }

    @Test("A message that is longer than its row is broken between words, the last row upwards; four rows hold it")
    func longMessage() throws {
        var bench = try Bench.connected()
        let words = "Cannot connect to the container engine at tcp://127.0.0.1:1 by ssh. Is the docker daemon running?"
        bench.model.say(words, .error)
        #expect(bench.row(21) == "Cannot connect to the container engine at tcp://127.0.0.1:1 by ssh. Is the")
        #expect(bench.row(22) == "docker daemon running?")
        bench.model.say((1...200).map { "word\($0)" }.joined(separator: " "), .error)
        #expect(bench.row(19).hasPrefix("word1 word2") && bench.row(22).hasSuffix("…"))
        #expect(!bench.row(18).contains("word"))
    }

    @Test("The mouse selects rows, focuses panels, scrolls and clicks the hint bar")
    func mouse() throws {
        var bench = try Bench.connected()
        func click(_ column: Int, _ row: Int) -> Message {
            .input(.mouse(MouseEvent(.press(.left), at: Position(column: column, row: row))))
        }
        bench.send(click(10, 3))
        #expect(bench.model.containers.cursor.index == 1)
        let stats = try #require(bench.model.layout.panels[.stats])
        bench.send(click(stats.column + 2, stats.row + 1))
        #expect(bench.model.focus == .stats)
        bench.send(.input(.mouse(MouseEvent(.wheelDown, at: Position(column: 3, row: 2)))))
        #expect(bench.model.containers.cursor.index == 2)
        let help = try #require(HintBar(bench.model).items.first { $0.label == "help" })
        bench.send(click(help.column, 23))
        #expect(bench.model.keyContext == .help)
        bench.type("<esc>d")
        let question = try #require(bench.model.dialogs.last)
        guard case .confirmation(let confirmation) = question else { return #expect(Bool(false)) }
        let button = ConfirmationLayout(bench.model, confirmation).no
        bench.send(click(button.column + 1, button.row))
        #expect(bench.model.dialogs.isEmpty)
    }

    @Test("A lost engine is shown, what it told stays on the screen, and its return is said")
    func loss() throws {
        var bench = try Bench.connected()
        bench.send(.connectionLost("connection refused"))
        #expect(bench.text.contains("engine lost"))
        #expect(bench.text.contains("web"))
        bench.send(
            .connected(EngineVersion(name: "G", version: "1", apiVersion: "", minimumAPIVersion: ""), EngineInfo()))
        #expect(bench.model.status?.text == "connected again")
    }

    @Test("An engine that never answered is not called lost")
    func neverThere() throws {
        var bench = try Bench(80, 24)
        bench.send(.connectionLost("connection refused"))
        #expect(!bench.text.contains("lost"))
        #expect(bench.row(0).contains("no engine"))
        #expect(!bench.text.contains("--root"))
        bench.send(.connectionLost("mkdir `/var/lib/gantry`: permission denied"))
        #expect(bench.text.contains("the engine cannot begin: mkdir"))
        #expect(bench.text.contains("gantry --root DIR"))
        bench.send(
            .connected(EngineVersion(name: "G", version: "1", apiVersion: "", minimumAPIVersion: ""), EngineInfo()))
        #expect(bench.model.status?.text == "connected")
    }

    @Test("What is said goes after a while, also where the clock is set back")
    func passingTime() throws {
        for (seconds, isSaid) in [(1, true), (9, false), (-3600, false)] as [(Int64, Bool)] {
            var bench = try Bench.connected()
            bench.type("o")
            bench.send(.tick(Sample.ago(-seconds)))
            #expect((bench.model.status != nil) == isSaid, "\(seconds)")
        }
    }

    @Test("What is said of a key goes with the next one")
    func passingWords() throws {
        var bench = try Bench.connected()
        bench.type("K")
        #expect(bench.model.status?.text.contains("means nothing") == true)
        bench.type("j")
        #expect(bench.model.status == nil)
    }

    @Test("A double click is Enter; two clicks with a pause, or at two places, are not")
    func doubleClick() throws {
        func press(_ bench: inout Bench, _ row: Int, after nanoseconds: Int64) {
            bench.send(
                .tick(
                    Timestamp(
                        nanosecondsSinceEpoch: bench.model.now.nanosecondsSinceEpoch + nanoseconds)))
            bench.send(.input(.mouse(MouseEvent(.press(.left), at: Position(column: 10, row: row)))))
        }
        for (row, pause, isEnter) in [(2, 100_000_000, true), (2, 900_000_000, false), (3, 100_000_000, false)] {
            var bench = try Bench.connected()
            press(&bench, 2, after: 0)
            press(&bench, row, after: Int64(pause))
            #expect(bench.model.consoles.isCaptured == isEnter, "\(row) \(pause)")
        }
        var bench = try Bench.connected()
        bench.type("I")
        bench.send(.images([Sample.starter]))
        for pause in [0, 100_000_000] { press(&bench, 2, after: Int64(pause)) }
        #expect(bench.model.keyContext == .form)
        // The first one was at a question, which is gone.
        bench = try Bench.connected()
        bench.type("s")
        press(&bench, 2, after: 0)
        bench.type("<esc>")
        press(&bench, 2, after: 100_000_000)
        #expect(!bench.model.consoles.isCaptured)
    }

    @Test("Who sorts by a figure is led to the first row, also where figures of rows not seen before come later")
    func hog() throws {
        let list = (1...40).map { Sample.container(id: Sample.id($0), name: "c\(100 + $0)", .running, age: Int64($0)) }
        func samples(_ second: Int) -> [ContainerStats] {
            list.enumerated().map { place, container in
                var sample = Sample.stats(container.id, second: second)
                sample.cpuNanoseconds = UInt64(second * (place == 30 ? 900_000_000 : place * 1_000_000))
                return sample
            }
        }
        for keys in ["<F6>cpu<enter>", "oooo"] {
            var bench = try Bench.connected(containers: list)
            bench.type("jjjjj" + keys)
            bench.send(.stats(samples(1)))
            bench.send(.stats(samples(2)))
            #expect(bench.model.selectedContainer?.name == "c131", "\(keys)")
            #expect(bench.row(2).contains("c131"))
            // Who has moved on stays at their container.
            bench.type("j")
            let chosen = bench.model.selectedContainer?.name
            for second in 3..<9 { bench.send(.stats(samples(second))) }
            #expect(chosen != "c131" && bench.model.selectedContainer?.name == chosen)
        }
        var bench = try Bench.connected(containers: list)
        bench.type("jjjjj<F6>name<enter>")
        #expect(bench.model.selectedContainer?.name == "c106", "an order that has no most keeps the choice")
        bench.send(.stats(samples(1)))
        bench.send(.stats(samples(2)))
        bench.type("<F6>cpu<enter><F6>name<enter>e")
        #expect(bench.model.selectedContainer?.name == "c131", "and so does one that comes after one that has")
    }

    @Test("A filter that holds is begun anew by the first letter, and edited by any other key")
    func filterAnew() throws {
        var bench = try Bench.connected()
        bench.type("/data<enter>/web")
        #expect(bench.model.containers.filter == "web")
        bench.type("<enter>/<backspace>")
        #expect(bench.model.containers.filter == "we")
        bench.type("b<enter>/<enter>")
        #expect(bench.model.containers.filter == "web", "nothing was typed")
        bench.type("/")
        bench.send(.input(.paste("fresh")))
        #expect(bench.model.containers.filter == "fresh")
        bench.type("<esc>I/a<enter>/b")
        #expect(bench.model.listScreen?.filter == "b")
    }
}
