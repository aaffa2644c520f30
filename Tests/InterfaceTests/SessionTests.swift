import EngineAPI
import Synchronization
import Terminal
import Testing

@testable import Interface

/// The main loop on a screen in memory, with tasks, mailbox and a scripted engine.
@MainActor
@Suite(.timeLimit(.minutes(1)))
struct SessionTests {
    @Test("The first frame comes before the engine's first answer")
    func firstPaint() throws {
        let engine = ScriptedEngine()
        engine.goAway(true)
        let session = try Session(engine)
        #expect(session.screen.text.contains("connecting"))
        session.untilSeen("no engine")
        engine.goAway(false)
        session.untilSeen("no containers yet")
        #expect(session.finish().runningContainers == 0)
    }

    @Test("The screen goes over to another engine once that answers, and stays where one does not")
    func hosts() throws {
        let here = ScriptedEngine(containers: [Sample.container(id: Sample.id(1), name: "near", .running)])
        let there = ScriptedEngine(containers: [Sample.container(id: Sample.id(2), name: "distant", .running)])
        let book = HostBook(
            current: "default",
            list: { () throws(EngineError) in
                ["default", "far", "gone"].map { HostBook.Entry(name: $0, address: "tcp://\($0):2376") }
            },
            connect: { name throws(EngineError) in
                guard name != "gone" else { throw EngineError(.unavailable, "no route to host") }
                return name == "far" ? there : here
            })
        let session = try Session(here, hosts: book)
        session.untilSeen("near")
        session.type("H")
        session.untilSeen("tcp://gone:2376")
        session.type("gone<enter>")
        session.untilSeen("gone: no route to host")
        session.type("H")
        session.untilSeen("tcp://far:2376")
        session.type("far<enter>")
        session.untilSeen("distant")
        #expect(session.screen.text.contains("on far") && !session.screen.text.contains("near"))
        here.announce("die", Sample.id(1))
        session.type("H")
        session.untilSeen("in use")
        session.type("default<enter>")
        session.untilSeen("near")
        #expect(!session.screen.text.contains("distant"))
        _ = session.finish()
    }

    @Test("An engine that does not answer is waited for in plain sight, and can be given up")
    func silentHost() throws {
        let here = ScriptedEngine(containers: [Sample.container(id: Sample.id(1), name: "near", .running)])
        let book = HostBook(
            current: "default",
            list: { () throws(EngineError) in [HostBook.Entry(name: "deaf", address: "ssh://deaf")] },
            connect: { _ throws(EngineError) in
                do { try await Task.sleep(for: .seconds(600)) } catch { throw EngineError(.cancelled, "given up") }
                return here
            })
        let session = try Session(here, hosts: book)
        session.untilSeen("near")
        session.type("H")
        session.untilSeen("ssh://deaf")
        session.type("<enter>")
        session.untilSeen("connecting to deaf…")
        #expect(session.screen.text.contains("esc cancels"))
        // Longer than a message stays: it is still said, and for how long.
        session.untilSeen("connecting to deaf… 2s")
        session.type("<esc>")
        session.untilSeen("not connected to deaf")
        #expect(session.screen.text.contains("near"))
        _ = session.finish()
    }

    @Test(
        "One key and Enter lead to a running container whose console has the keys, also where lists tell no terminals",
        arguments: [true, false])
    func keyToContainer(listsTerminals: Bool) throws {
        let engine = ScriptedEngine()
        engine.state.withLock { $0.listsTerminals = listsTerminals }
        let session = try Session(engine)
        session.untilSeen("no containers yet")
        session.until { session.loop.model.images != nil }
        session.type("n<enter>")
        session.untilSeen("happy_hopper")
        session.untilSeen("detach: ctrl-p ctrl-q, leader ctrl-]")
        let calls = session.engine.calls.filter {
            ["create", "attach", "start"].contains { [call = $0] in call.hasPrefix($0) }
        }
        #expect(calls.count == 3)
        let stream = try #require(session.engine.stream(of: Sample.id(101)))
        stream.say("/ # ")
        session.untilSeen("/ #")
        session.type("ls<enter>")
        session.until { stream.written == "ls\r" }
        session.type("<ctrl-]>d")
        session.untilSeen("it runs on")
        session.type("q")
        session.until { session.loop.exit != nil }
        let exit = session.finish()
        #expect(exit == InterfaceExit(reason: .quit, runningContainers: 1))
    }

    @Test("A pull ends with the image's name, and one that is cancelled says so")
    func pull() throws {
        let session = try Session(ScriptedEngine())
        session.untilSeen("no containers yet")
        session.type("Ipapp:1<enter>")
        session.untilSeen("docker.io/app:1 pulled")
        session.type("pendless<enter>")
        session.untilSeen("1B of 2B")
        session.type("<esc>")
        session.untilSeen("pull endless: cancelled")
        #expect(session.engine.calls.contains("pull app:1 -"))
        _ = session.finish()
    }

    @Test("What is typed in place of an image of the store is pulled first, and then runs")
    func typedImage() throws {
        let engine = ScriptedEngine()
        let session = try Session(engine)
        session.until { session.loop.model.images != nil }
        session.type("nnginx:1<enter>")
        session.untilSeen("happy_hopper")
        session.until { session.loop.model.keyContext == .captured }
        let calls = engine.calls.filter { $0.hasPrefix("create") || $0.hasPrefix("pull") }
        #expect(calls.count == 3 && calls[1].hasPrefix("pull nginx:1"), "\(calls)")
        _ = session.finish()
    }

    @Test("A run that is given up while it starts leaves no container")
    func givenUp() throws {
        let engine = ScriptedEngine()
        let session = try Session(engine)
        session.until { session.loop.model.images != nil }
        session.type("n<tab>stuck<enter>")
        session.until { engine.calls.contains { $0.hasPrefix("start") } }
        session.type("<esc>")
        session.until { engine.state.withLock { $0.containers.isEmpty } }
        _ = session.finish()
    }

    @Test("A start that fails leaves no container and keeps the form")
    func failedStart() throws {
        let engine = ScriptedEngine()
        engine.fail("start", with: EngineError(.commandNotFound, "exec: \"nope\": executable file not found in $PATH"))
        let session = try Session(engine)
        session.until { session.loop.model.images != nil }
        session.type("n<tab><tab>nope<enter>")
        session.untilSeen("executable file not found")
        #expect(engine.state.withLock { $0.containers.isEmpty })
        #expect(session.loop.model.keyContext == .form)
        _ = session.finish()
    }

    @Test("A screen that hosts the engine is not stopped by ctrl-z, and says why")
    func suspension() throws {
        let session = try Session(ScriptedEngine(), hostsEngine: true)
        session.untilSeen("no containers yet")
        session.type("<ctrl-z>")
        session.untilSeen("this screen hosts the engine")
        #expect(session.finish().reason == .quit)
    }

    @Test("Messages that take long are taken one by one, with a look at the keyboard between")
    func slowMessages() throws {
        let screen = MemoryScreen(size: Size(columns: 80, rows: 24))
        let theme = try ThemeLibrary(folders: []).load("dark").theme
        let loop = MainLoop(
            engine: ScriptedEngine(), configuration: InterfaceConfiguration(theme: theme), screen: screen,
            messageBudget: .zero)
        for text in ["first", "second"] { loop.mailbox.post(.failed(text)) }
        loop.step()
        #expect(loop.model.status?.text == "first")
        loop.step()
        #expect(loop.model.status?.text == "second")
        screen.close()
        _ = loop.end()
    }

    @Test("A console of a paused container says so, and is attached once that is resumed")
    func pausedConsole() throws {
        let engine = ScriptedEngine(containers: [Sample.containers[2]])
        let session = try Session(engine)
        session.untilSeen("paused: p resumes it")
        session.type("a")
        session.untilSeen("batch-of-the-night is paused: p resumes it")
        #expect(session.loop.model.focus == .containers)
        session.type("p")
        session.untilSeen("a attaches")
        #expect(engine.stream(of: Sample.id(3)) != nil)
        #expect(engine.calls.count { $0.hasPrefix("attach") } == 2, "not tried again and again meanwhile")
        _ = session.finish()
    }

    @Test("An output that ends before its container is known to have ended is no loss")
    func endAfterOutput() throws {
        let engine = ScriptedEngine(containers: [Sample.container(id: Sample.id(1), name: "web", .running)])
        let session = try Session(engine)
        session.until { engine.stream(of: Sample.id(1)) != nil }
        session.untilSeen("a attaches")
        let looks = engine.calls.count { $0.hasPrefix("inspect") }
        engine.stream(of: Sample.id(1))?.end()
        session.until { engine.calls.count { $0.hasPrefix("inspect") } > looks }
        engine.announce("die", Sample.id(1)) { state in
            (state.containers[0].state.status, state.containers[0].state.exitCode) = (.exited, 3)
        }
        session.untilSeen("[exited (3")
        #expect(!session.screen.text.contains("connection lost"))
        _ = session.finish()
    }

    @Test("What the terminal does not take was not copied")
    func refusedCopy() throws {
        let session = try Session(ScriptedEngine(containers: [Sample.containers[0]]))
        session.untilSeen("web")
        session.screen.takesCopies = false
        session.type("yname<enter>")
        session.untilSeen("not copied: the terminal does not take it")
        session.screen.takesCopies = true
        session.type("yname<enter>")
        session.untilSeen("copied web")
        #expect(session.screen.clipboard == "web")
        _ = session.finish()
    }

    @Test("What happens outside is seen by its event, without polling")
    func events() throws {
        let engine = ScriptedEngine(containers: Sample.containers)
        let session = try Session(engine)
        session.untilSeen("database")
        let lists = engine.calls.count { $0 == "list" }
        engine.announce("create", "x") {
            $0.containers.append(Sample.container(id: Sample.id(77), name: "newcomer", .created))
        }
        session.untilSeen("newcomer")
        #expect(engine.calls.count { $0 == "list" } == lists + 1)
        _ = session.finish()
    }

    @Test("When the engine goes and comes back the list is read anew")
    func reconnect() throws {
        let engine = ScriptedEngine(containers: Sample.containers)
        let session = try Session(engine)
        session.untilSeen("database")
        engine.goAway(true)
        session.untilSeen("engine lost")
        #expect(session.screen.text.contains("database"), "what was known stays on the screen")
        engine.state.withLock { $0.containers.removeAll { $0.name == "database" } }
        engine.goAway(false)
        session.until { !session.screen.text.contains("database") }
        _ = session.finish()
    }

    @Test("Errors of the engine stand on the status line with their object")
    func actionError() throws {
        let engine = ScriptedEngine(containers: Sample.containers)
        engine.fail("stop", with: EngineError(.internal, "cannot stop container: web: permission denied"))
        let session = try Session(engine)
        session.untilSeen("database")
        session.type("sy")
        session.untilSeen("stop web: cannot stop container: web: permission denied")
        _ = session.finish()
    }

    @Test("Nothing is written while nothing changes")
    func idle() throws {
        let old = Sample.container(id: Sample.id(1), name: "old", .exited, age: 900_000)
        let session = try Session(ScriptedEngine(containers: [old]))
        session.untilSeen("old")
        session.untilSeen("exited (0)")
        let frames = session.screen.writtenFrames
        session.screen.send(.focus(true))
        session.loop.step()
        #expect(session.screen.writtenFrames == frames)
        _ = session.finish()
    }

    @Test("Loading an archive tells what it loaded")
    func load() throws {
        let session = try Session(ScriptedEngine())
        session.untilSeen("no containers yet")
        session.type("IL/tmp/app.tar<enter>")
        session.untilSeen("loaded app:1")
        _ = session.finish()
    }

    @Test("A signal and a terminal that is gone end the loop in order")
    func endings() throws {
        let session = try Session(ScriptedEngine())
        session.screen.send(.terminate(signal: 15))
        session.until { session.loop.exit != nil }
        #expect(session.finish().reason == .signal(15))
        let other = try Session(ScriptedEngine())
        other.screen.send(.hangup)
        other.until { other.loop.exit != nil }
        #expect(other.finish().reason == .hangup)
    }

    @Test("A flood of output never keeps a key waiting for long")
    func flood() throws {
        let engine = ScriptedEngine(containers: [Sample.containers[0]])
        let session = try Session(engine)
        session.untilSeen("web")
        session.until { engine.stream(of: Sample.id(1)) != nil }
        let stream = try #require(engine.stream(of: Sample.id(1)))
        let line = String(repeating: "flood ", count: 5000) + "\r\n"
        for _ in 0..<200 { stream.say(line) }
        session.type("?")
        session.untilSeen("everywhere on the main screen")
        _ = session.finish()
    }

    @Test("A terminal that is behind gets no frame until it has come on, and then the newest; keys are heard meanwhile")
    func behind() throws {
        let engine = ScriptedEngine(containers: Sample.containers)
        let session = try Session(engine)
        session.untilSeen("database")
        session.screen.isReady = false
        let frames = session.screen.writtenFrames
        session.type("?")
        session.until { session.loop.model.keyContext == .help }
        session.type("<esc>I")
        session.until { session.loop.model.keyContext == .images }
        #expect(session.screen.writtenFrames == frames)
        session.screen.isReady = true
        session.untilSeen("images ·")
        #expect(session.screen.writtenFrames == frames + 1, "the help was never drawn")
        _ = session.finish()
    }

    @Test("A screen that comes to host the engine, since its host has gone, says so")
    func takeover() throws {
        let hosts = Mutex(false)
        let screen = MemoryScreen(size: Size(columns: 80, rows: 24))
        var configuration = InterfaceConfiguration(theme: try ThemeLibrary(folders: []).load("dark").theme)
        configuration.hostsEngine = { hosts.withLock { $0 } }
        let loop = MainLoop(
            engine: ScriptedEngine(containers: Sample.containers), configuration: configuration, screen: screen)
        loop.begin()
        while !screen.text.contains("database") { loop.step() }
        hosts.withLock { $0 = true }
        while !screen.text.contains("this one hosts it now") { loop.step() }
        screen.close()
        _ = loop.end()
    }
}
