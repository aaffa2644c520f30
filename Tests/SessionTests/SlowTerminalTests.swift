import Testing

/// The front end on a terminal that shows what it is sent late.
@Suite(.serialized, .enabled(if: SessionBench.missing == nil, "\(SessionBench.missing ?? "")"))
struct SlowTerminalTests {
    /// Writes without end, no line like the one before.
    private static let flood = "while :; do head -c 6000 /dev/urandom | od -An -tx1 -w60; done"

    @Test("A terminal that is behind is sent no flood; the engine works on, keys are heard, and the newest is shown")
    func behind() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        try bench.succeed(
            "run", "-d", "--name", "flood", "--network", "none", "gantry/starter", "sh", "-c", Self.flood)
        let screen = try bench.terminal(columns: 160, rows: 50)
        #expect(screen.wait(for: "console · flood"), "\(screen.rows)")
        screen.answers = false
        // What is on its way when the answers stop, then nothing more while none comes.
        let isQuiet = screen.wait {
            let before = screen.receivedBytes
            screen.pump(milliseconds: 400)
            return screen.receivedBytes == before
        }
        #expect(isQuiet, "\(screen.receivedBytes)")
        // The screen hosts the engine: it answers others meanwhile.
        #expect(try bench.succeed("ps", "--format", "{{.Names}}") == "flood")
        screen.type("?")
        screen.answers = true
        #expect(screen.wait(for: "everywhere on the main screen"), "\(screen.rows)")
        screen.type("q")
        #expect(screen.wait(for: "console · flood"), "\(screen.rows)")
        screen.type("q")
        #expect(screen.ended() == 0, "\(screen.rows)")
        #expect(screen.isRestored)
    }

    @Test("A terminal without a cursor to place is refused in words")
    func dumb() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let screen = try bench.terminal(environment: ["TERM=dumb"])
        #expect(screen.ended() == 1, "\(screen.rows)")
        #expect(screen.shows("TERM is `dumb`"), "\(screen.rows)")
        #expect(screen.isRestored)
    }
}
