import Glibc
import Linux
import Testing

/// The front end of the built program on a terminal, driven by keys.
@Suite(.serialized, .enabled(if: SessionBench.missing == nil, "\(SessionBench.missing ?? "")"))
struct FrontEndSessionTests {
    private static let leader = "\u{1D}"

    /// Opens the front end and makes a container with a shell by `n` and Enter.
    private func openWithShell(_ bench: SessionBench) throws -> TerminalSession {
        let screen = try bench.terminal()
        #expect(screen.wait(for: "no containers yet"), "\(screen.rows)")
        screen.type("n")
        #expect(screen.wait(for: "gantry/starter"), "\(screen.rows)")
        screen.type("\r")
        #expect(screen.wait(for: "/ #"), "\(screen.rows)")
        return screen
    }

    @Test("One key and Enter run a shell; it answers, is left with the leader key, and outlives the front end")
    func wholeSession() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let screen = try openWithShell(bench)
        screen.type("echo $((6*7))-$(hostname | wc -c)\r")
        #expect(screen.wait(for: "42-13"), "\(screen.rows)")
        screen.type(Self.leader + "d")
        #expect(screen.wait(for: "a attach"), "\(screen.rows.joined(separator: "|"))")
        screen.type("q")
        #expect(screen.ended() == 0, "\(screen.rows)")
        #expect(screen.isRestored)
        #expect(screen.shows("1 container runs on."), "\(screen.rows)")
        #expect(try bench.succeed("ps", "--format", "{{.State}}") == "running")
    }

    @Test("Times are those of the user's zone, by its rules of each day")
    func zone() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        try bench.succeed(
            "run", "--name", "seasons", "--network", "none", "gantry/starter", "sh", "-c",
            "mkdir /when; touch -d '2026-07-01 12:00' /when/summer; touch -d '2026-01-01 12:00' /when/winter")
        let screen = try bench.terminal(environment: ["TZ=CET-1CEST,M3.5.0,M10.5.0/3"])
        #expect(screen.wait(for: "seasons"), "\(screen.rows)")
        screen.type("f")
        #expect(screen.wait(for: "drwxr-xr-x"), "\(screen.rows)")
        screen.type("/when\r\r")
        #expect(screen.wait(for: "2026-07-01 14:00") && screen.wait(for: "2026-01-01 13:00"), "\(screen.rows)")
        screen.type("\u{1B}\u{1B}")
        #expect(screen.wait(for: "[1] containers"), "\(screen.rows)")
        screen.type("q")
        #expect(screen.ended() == 0)
    }

    @Test("Two front ends show the same; the second takes over when the first is killed")
    func secondTakesOver() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let first = try openWithShell(bench)
        let second = try bench.terminal()
        #expect(second.wait(for: "running"), "\(second.rows)")
        first.program.kill(SIGKILL)
        try bench.succeed("run", "-d", "--name", "later", "--network", "none", "gantry/starter", "sleep", "1000")
        #expect(second.wait(for: "later"), "\(second.rows)")
        second.type("q")
        #expect(second.ended() == 0)
        #expect(second.isRestored)
    }

    @Test("A screen that has come over to its own engine knows that it hosts that: it is not stopped by ctrl-z")
    func hostingAfterMove() throws {
        let (far, bench) = (try SessionBench(), try SessionBench())
        defer {
            bench.close()
            far.close()
        }
        _ = try far.daemon()
        let screen = try bench.terminal(
            "-H", "unix://\(far.root)/run/gantry.sock", environment: ["HOME=\(bench.root)"])
        #expect(screen.wait(for: "no containers yet"), "\(screen.rows)")
        screen.type("H")
        #expect(screen.wait(for: "the engine here"), "\(screen.rows)")
        screen.type("\r")
        #expect(screen.wait(for: "on default"), "\(screen.rows)")
        #expect(screen.wait(for: "no containers yet"), "\(screen.rows)")
        screen.type("\u{1A}")
        #expect(screen.wait(for: "this screen hosts the engine"), "\(screen.rows)")
        #expect(try bench.succeed("ps", "-q") == "", "it answers others")
        screen.type("q")
        #expect(screen.ended() == 0)
    }

    @Test("The terminal is restored after a signal", arguments: [SIGTERM, SIGHUP, SIGINT])
    func signals(_ signal: Int32) throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let screen = try bench.terminal()
        #expect(screen.wait(for: "no containers yet"), "\(screen.rows)")
        #expect(!screen.isRestored)
        screen.program.kill(signal)
        #expect(screen.ended() == 128 + signal)
        #expect(screen.isRestored)
    }

    @Test("A command of one's own has the terminal, its ctrl-c and ctrl-z, and the screen is there again after it")
    func ownCommand() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        try bench.succeed("run", "-d", "--name", "web", "--network", "none", "gantry/starter", "sleep", "1000")
        let commands = """
            [talk]
            key = "F7"
            run = ["sh", "-c", 'echo at "$1" ${DOCKER_HOST##*/}; . \(bench.root)/talk.sh', "sh", "{name}"]
            shows = "terminal"
            [list]
            key = "F8"
            run = ["\(SessionBench.program("gantry"))", "ps", "--format", "name is {{.Names}}"]
            """
        let talk = "trap 'echo trapped' INT; until test \"$l\" = over; do read l; done; echo got $l; exit 5"
        try FileContents.replace("\(bench.root)/talk.sh", with: Array(talk.utf8), durable: false)
        try Directory.create("\(bench.root)/home/gantry")
        try FileContents.replace(
            "\(bench.root)/home/gantry/commands.toml", with: Array(commands.utf8), durable: false)
        let screen = try bench.terminal(environment: ["XDG_CONFIG_HOME=\(bench.root)/home"])
        #expect(screen.wait(for: "● running"), "\(screen.rows)")
        screen.type("\u{1B}[18~")
        #expect(screen.wait(for: "at web gantry.sock"), "\(screen.rows)")
        #expect(screen.isRestored)
        screen.type("\u{3}")
        #expect(screen.wait(for: "trapped"), "\(screen.rows)")
        // This process hosts the engine: the program goes on at once.
        screen.type("\u{1A}over\r")
        #expect(screen.wait(for: "exit code 5; Enter goes back"), "\(screen.rows)")
        #expect(screen.shows("got over"), "\(screen.rows)")
        screen.type("\r")
        #expect(screen.wait(for: "[1] containers"), "\(screen.rows)")
        screen.type("\u{1B}[19~")
        #expect(screen.wait(for: "name is web"), "\(screen.rows)")
        screen.type("\u{1B}")
        #expect(screen.wait(for: "[1] containers"), "\(screen.rows)")
        screen.type("q")
        #expect(screen.ended() == 0, "\(screen.rows)")
        #expect(screen.isRestored)
    }

    @Test("Under timeout(1) in a script it is stopped in the background, and holds neither terminal nor engine")
    func underTimeout() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let program = SessionBench.program("gantry")
        let screen = try TerminalSession(
            ["/bin/sh", "-c", "timeout 600 \(program) --root \(bench.root); true"], columns: 80, rows: 24,
            environment: SessionBench.environment)
        #expect(screen.wait(for: "stopped until `fg`"), "\(screen.rows)")
        #expect(try bench.succeed("ps", "-q") == "", "the engine is free for others")
        #expect(screen.isRestored && !screen.shows("containers"), "\(screen.rows)")
    }

    @Test("run -it: line editing, window size, resize, detach and attach, exit code")
    func interactiveRun() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let screen = try bench.terminal("run", "-it", "--name", "term", "--network", "none", "gantry/starter", "sh")
        #expect(screen.wait(for: "/ #"), "\(screen.rows)")
        screen.type("stty size\r")
        #expect(screen.wait(for: "24 80"), "\(screen.rows)")
        try screen.resize(columns: 100, rows: 30)
        screen.type("clear; stty size\r")
        #expect(screen.wait(for: "30 100"), "\(screen.rows)")
        screen.type([16, 17])
        #expect(screen.ended() == 0)
        #expect(screen.isRestored)
        #expect(try bench.succeed("ps", "--format", "{{.Names}}") == "term")

        let again = try bench.terminal("attach", "term")
        again.type("\r")
        #expect(again.wait(for: "/ #"), "\(again.rows)")
        again.type("exit 11\r")
        #expect(again.ended() == 11)
        #expect(again.isRestored)
    }

    @Test("A console that is closed is not attached to again and again")
    func closedConsole() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        _ = try bench.daemon()
        try bench.succeed("run", "-dit", "--name", "box", "--network", "none", "gantry/starter", "sh")
        let screen = try bench.terminal()
        #expect(screen.wait(for: "box"), "\(screen.rows)")
        screen.type("a")
        #expect(screen.wait(for: "/ #"), "\(screen.rows)")
        screen.type(Self.leader + "q")
        #expect(screen.wait(for: "console closed"), "\(screen.rows)")
        // As long as this takes it would be attached to hundreds of times.
        try bench.succeed("run", "--rm", "--network", "none", "gantry/starter", "true")
        let attached = try bench.gantry(
            "events", "--since", "1h", "--until", "0s", "--filter", "container=box", "--filter", "event=attach")
        #expect(attached.lines.count == 1, "\(attached.text)")
        screen.type("q")
        #expect(screen.ended() == 0, "\(screen.rows)")
    }

    @Test("exec -it gives a second terminal in a running container")
    func interactiveExec() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        _ = try bench.daemon()
        try bench.succeed("run", "-d", "--name", "base", "--network", "none", "gantry/starter", "sleep", "1000")
        let screen = try bench.terminal("exec", "-it", "base", "sh")
        #expect(screen.wait(for: "/ #"), "\(screen.rows)")
        screen.type("tty && stty size\r")
        #expect(screen.wait(for: "24 80"), "\(screen.rows)")
        screen.type("exit 12\r")
        #expect(screen.ended() == 12)
        #expect(screen.isRestored)
    }

    @Test("A container's console is there again after the front end was killed and came back")
    func consoleComesBack() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        try bench.succeed("run", "-dit", "--name", "box", "--network", "none", "gantry/starter", "sh")
        let first = try bench.terminal()
        #expect(first.wait(for: "box"), "\(first.rows)")
        first.program.kill(SIGKILL)
        let second = try bench.terminal()
        #expect(second.wait(for: "box"), "\(second.rows)")
        second.type("a")
        #expect(second.wait(for: "/ #"), "\(second.rows)")
        second.type("echo back-$((1+1))\r")
        #expect(second.wait(for: "back-2"), "\(second.rows)")
        second.type(Self.leader + "d")
        second.type("q")
        #expect(second.ended() == 0, "\(second.rows)")
    }
}
