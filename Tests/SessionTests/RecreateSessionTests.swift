import Glibc
import Testing

/// Containers made anew by the front end, on the engine of the built program.
@Suite(.serialized, .enabled(if: SessionBench.missing == nil, "\(SessionBench.missing ?? "")"))
struct RecreateSessionTests {
    private static let clear = "\u{15}"

    @Test(
        "A container is made anew with its name, volume and labels; where the new one cannot start the old one is back")
    func recreated() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        try bench.succeed(
            "run", "-d", "--name", "web", "--network", "none", "-e", "A=1", "-v", "/data", "--label", "kept=yes",
            "--stop-signal", "KILL", "gantry/starter", "sh", "-c", "echo first >> /data/file; exec sleep 1000")
        let first = try bench.succeed("inspect", "-f", "{{.Id}}", "web")
        let screen = try bench.terminal()
        #expect(screen.wait(for: "web"), "\(screen.rows)")
        screen.type("c")
        #expect(screen.wait(for: "recreate web"), "\(screen.rows)")
        screen.type("\t\t" + Self.clear + "nope\r")
        #expect(screen.wait(for: "stop and recreate"), "\(screen.rows)")
        screen.type("y")
        #expect(screen.wait(for: "executable file not found"), "\(screen.rows)")
        let state = "{{.Id}} {{.State.Running}}"
        #expect(eventually { (try? bench.succeed("inspect", "-f", state, "web")) == "\(first) true" })
        // The form is at the command, and goes on to the environment.
        screen.type(Self.clear + "sh -c 'cat /data/file; exec sleep 1000'" + String(repeating: "\t", count: 7))
        screen.type(Self.clear + "A=2\r")
        #expect(screen.wait(for: "stop and recreate"), "\(screen.rows)")
        screen.type("y")
        #expect(screen.wait(for: "web runs"), "\(screen.rows)")
        let told = try bench.succeed(
            "inspect", "-f", "{{.Id}} {{.State.Running}} {{.Config.Env}} {{.Config.Labels.kept}}", "web")
        #expect(!told.hasPrefix(first) && told.contains(" true ") && told.contains("A=2") && told.hasSuffix(" yes"))
        #expect(eventually { (try? bench.succeed("logs", "web"))?.contains("first") == true })
        #expect(try bench.succeed("ps", "-aq").split(separator: "\n").count == 1)
        #expect(try bench.succeed("volume", "ls", "-q").split(separator: "\n").count == 1)
    }

    /// A front end that has made a new container in place of `web`, and is stopping the old one.
    private func recreating(_ bench: SessionBench) throws -> TerminalSession {
        let screen = try bench.terminal()
        #expect(screen.wait(for: "web"), "\(screen.rows)")
        screen.type("c")
        #expect(screen.wait(for: "recreate web"), "\(screen.rows)")
        screen.type("\r")
        #expect(screen.wait(for: "stop and recreate"), "\(screen.rows)")
        screen.type("y")
        // The new one has been made, and the old one is being stopped.
        #expect(eventually { (try? bench.succeed("ps", "-aq"))?.split(separator: "\n").count == 2 })
        return screen
    }

    @Test(
        "A front end that is ended while the old one stops puts that back first: it has its name, and runs",
        arguments: [SIGTERM, SIGHUP])
    func ended(_ signal: Int32) throws {
        let bench = try SessionBench()
        defer { bench.close() }
        try bench.succeed(
            "run", "-d", "--name", "web", "--network", "none", "--stop-timeout", "2", "gantry/starter", "sh", "-c",
            "trap '' TERM; while :; do sleep 1; done")
        let first = try bench.succeed("inspect", "-f", "{{.Id}}", "web")
        let screen = try recreating(bench)
        screen.program.kill(signal)
        #expect(screen.ended() == 128 + signal, "\(screen.rows)")
        let state = "{{.Id}} {{.State.Running}}"
        #expect(try bench.succeed("inspect", "-f", state, "web") == "\(first) true")
        #expect(try bench.succeed("ps", "-aq").split(separator: "\n").count == 1)
    }

    @Test("What a front end that was killed in the middle leaves is told of by the next, which undoes or finishes it")
    func killed() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        try bench.succeed(
            "run", "-d", "--name", "web", "--network", "none", "--stop-timeout", "1", "gantry/starter", "sh", "-c",
            "trap '' TERM; while :; do sleep 1; done")
        let first = try bench.succeed("inspect", "-f", "{{.Id}}", "web")
        for end in ["undo", "finish"] {
            try recreating(bench).program.kill(SIGKILL)
            let next = try bench.terminal()
            #expect(next.wait(for: "recreation of web was cut off: c on web-next-"), "\(next.rows)")
            next.type("gc")
            #expect(next.wait(for: "recreation of web, cut off"), "\(next.rows)")
            next.type("\(end)\r")
            #expect(next.wait(for: "\(end) the recreation of web?"), "\(next.rows)")
            next.type("y")
            #expect(next.wait(for: end == "undo" ? "web is as it was" : "web was recreated"), "\(next.rows)")
            let told = try bench.succeed("inspect", "-f", "{{.Id}} {{.State.Running}}", "web")
            #expect(told.hasPrefix(first) == (end == "undo") && told.hasSuffix(" true"), "\(told)")
            #expect(try bench.succeed("ps", "-aq").split(separator: "\n").count == 1)
            next.type("q")
            #expect(next.ended() == 0, "\(next.rows)")
        }
    }
}
