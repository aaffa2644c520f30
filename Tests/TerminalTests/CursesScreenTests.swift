import Glibc
import Terminal
import Testing

/// The curses screen in a real process on a real pseudo-terminal.
@Suite(.serialized) struct CursesScreenTests {
    private static let trueColor = ["TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"]

    private func session(_ environment: [String: String] = trueColor) throws -> ProbeSession {
        let session = try ProbeSession(environment: environment)
        try #require(session.wait { session.shows("size 80x24") }, "\(session.rows)")
        return session
    }

    private func style(_ session: ProbeSession, _ row: Int, _ column: Int) -> Style {
        session.emulator.line(session.emulator.liveStart + row)[column].style
    }

    @Test("Wide, combining and braille characters, boxes, 24-bit and palette colours arrive as drawn")
    func picture() throws {
        let session = try session()
        #expect(session.wait { session.rows[8].hasPrefix("╰") && session.emulator.cursor?.row == 2 })
        #expect(session.rows[0] == "size 80x24 depth trueColor")
        #expect(session.rows[1].hasPrefix("╭─ box ───"))
        #expect(session.rows[2].hasPrefix("│日本 🚀 e\u{301} ⣿ é "))
        #expect(style(session, 1, 0).foreground == .palette(4))
        #expect(style(session, 3, 1) == Style(foreground: .rgb(200, 30, 40), attributes: .bold))
        #expect(style(session, 3, 5) == Style(foreground: .palette(200), background: .palette(17)))
        #expect(style(session, 3, 9).background == .rgb(1, 0, 9))
        #expect(style(session, 3, 14).attributes == [.italic, .underline, .reverse])
        #expect(session.emulator.cursor == Position(column: 3, row: 2))
        #expect(session.emulator.modes.isAlternateScreen)
        #expect(session.emulator.modes.mouse == .drag)
    }

    @Test(
        "The depth follows the environment, and colours are brought down to it",
        arguments: [
            (["TERM": "xterm-256color"], "palette256", Color.palette(160)),
            (["TERM": "xterm"], "eight", .palette(1)), (["TERM": "linux"], "eight", .palette(1)),
            (["TERM": "vt100"], "none", .default),
            (["TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"], "none", .default),
            (["TERM": "tmux-256color", "COLORTERM": "24bit"], "trueColor", .rgb(200, 30, 40)),
        ])
    func depths(environment: [String: String], depth: String, red: Color) throws {
        let session = try session(environment.merging(["LANG": "C.UTF-8"]) { $1 })
        #expect(session.wait { ["╰──", "└──"].contains { session.rows[8].hasPrefix($0) } })
        #expect(session.rows[0] == "size 80x24 depth \(depth)")
        #expect(style(session, 3, 1).foreground == red)
        #expect(session.rows[2].contains("日本 🚀"))
    }

    @Test(
        "Without UTF-8 in the locale the terminal's own answer counts; without any, the picture is ASCII",
        arguments: [
            (["TERM": "xterm", "LANG": "C"], nil, "╭─ box"), (["TERM": "xterm"], "2", "╭─ box"),
            (["TERM": "xterm", "LC_ALL": "POSIX"], "3", "+- box"), (["TERM": "xterm", "LANG": "C"], "", "+- box"),
            (["TERM": "vt100", "LANG": "C"], nil, "+- box"), (["TERM": "vt100", "LANG": "C.UTF-8"], nil, "╭─ box"),
            (["TERM": "linux", "LANG": "C.UTF-8"], nil, "┌─ box"),
        ] as [([String: String], String?, String)])
    func characters(environment: [String: String], column: String?, box: String) throws {
        let session = try ProbeSession(environment: environment)
        session.answers = column == nil
        if let column, !column.isEmpty {
            #expect(session.wait { session.count(of: "\u{1B}[6n") == 1 })
            session.send("a\u{1B}[1;\(column)Rb")
        }
        #expect(session.wait { session.rows[1].hasPrefix(box) }, "\(session.rows)")
        #expect(session.rows[0].hasPrefix("size 80x24"), "\(session.rows)")
        if box.hasPrefix("+") {
            #expect(session.rows[2].contains("???? ??"), "\(session.rows)")
            #expect(session.wait { session.shows("drawn in ASCII") }, "\(session.rows)")
        }
        if column?.isEmpty == false {
            // What was typed before the first picture is not lost.
            session.send("c")
            #expect(session.wait { ["key a", "key b", "key c"].allSatisfy(session.shows) }, "\(session.rows)")
        }
        session.answers = true
        session.send("\u{1B}OP")
        #expect(session.hasEnded())
        #expect(session.hasSettingsBack())
    }

    @Test(
        "An unknown terminal type works as one that it resembles, with a line that says so",
        arguments: [("xterm-kitty-unheard", "xterm-256color"), ("nonsense", "xterm")])
    func unknownType(term: String, used: String) throws {
        let session = try session(["TERM": term])
        #expect(session.wait { session.rows[23].hasSuffix("using `\(used)`") })
        #expect(session.rows[23].contains("`\(term)`"))
        session.send("\u{1B}OP")
        #expect(session.hasEnded())
    }

    @Test("A dumb terminal is refused in words, and left as it was")
    func dumb() throws {
        let session = try ProbeSession(environment: ["TERM": "dumb"])
        #expect(session.hasEnded())
        #expect(session.wait { session.shows("TERM is `dumb`") }, "\(session.rows)")
        #expect(session.hasSettingsBack())
        #expect(session.count(of: "\u{1B}") == 0)
    }

    @Test(
        "Keys, mouse and pastes come as one event each",
        arguments: [
            ("a", "key a"), ("\u{01}", "key ctrl-a"), ("\u{03}", "key ctrl-c"), ("\u{1A}", "key ctrl-z"),
            ("\u{1B}[1;5C", "key ctrl-right"), ("\u{1B}OA", "key up"), ("\u{1B}[Z", "key shift-tab"),
            ("\u{1B}[24~", "key F12"), ("\u{1B}", "key esc"), ("\u{1B}x", "key alt-x"), ("日", "key 日"),
            ("\r", "key enter"), ("\n", "key ctrl-j"), ("\u{7F}", "key backspace"), ("\u{11}\u{13}", "key ctrl-s"),
            ("\u{1B}[<0;11;5M", "mouse press(Terminal.MouseEvent.Button.left) 10,4"),
            ("\u{1B}[<64;300;5M", "mouse wheelUp 299,4"), ("\u{1B}[O", "focus false"),
            ("\u{1B}[200~two\nlines\u{1B}[201~", "paste 9 two"),
        ])
    func input(bytes: String, shown: String) throws {
        let session = try session()
        session.send(bytes)
        #expect(session.wait { session.shows(shown) }, "\(session.rows.suffix(15))")
    }

    @Test("With the old-mouse entries too the modern mouse is asked for and understood")
    func mouseUnderTmux() throws {
        let session = try session(["TERM": "tmux-256color"])
        session.send("\u{1B}[<0;250;5M")
        #expect(session.wait { session.shows("left) 249,4") })
    }

    @Test("A new size is an event and a whole new picture")
    func resize() throws {
        let session = try session()
        session.setSize(Size(columns: 60, rows: 20))
        #expect(session.wait { session.rows[0].hasPrefix("size 60x20") && session.shows("resize 60x20") })
        #expect(session.rows[8].hasPrefix("╰") && session.emulator.line(session.emulator.liveStart + 8)[59].text == "╯")
    }

    @Test("A changed row costs its changed runs, an unchanged frame nothing")
    func economy() throws {
        let session = try session()
        #expect(session.wait { session.rows[8].hasPrefix("╰") })
        while session.pump(milliseconds: 100) {}
        let before = session.output.count
        // A focus report without a change of the picture but its own line in the list.
        session.send("a")
        #expect(session.wait { session.shows("key a") })
        while session.pump(milliseconds: 100) {}
        #expect(session.output.count - before < 60)
    }

    @Test("Quitting restores the terminal: settings, screen, mouse, cursor")
    func quit() throws {
        let session = try session()
        session.send("\u{1B}OP")
        #expect(session.hasEnded())
        #expect(session.exitStatus == 0)
        #expect(session.wait { session.shows("ended after 1 events") })
        expectRestored(session)
    }

    @Test("SIGTERM and SIGHUP are events, so that the program can end in order", arguments: [SIGTERM, SIGHUP, SIGINT])
    func terminate(signal: Int32) throws {
        let session = try session()
        session.kill(signal)
        #expect(session.hasEnded())
        #expect(session.exitStatus == 0)
        expectRestored(session)
    }

    @Test("A terminal that goes away ends the program in order")
    func hangUp() throws {
        let session = try session()
        session.hangUp()
        #expect(session.endsWithinTenSeconds())
        #expect(session.exitStatus == 0)
    }

    @Test("A crash restores the terminal, and its message is seen afterwards")
    func crash() throws {
        let session = try session()
        session.send("\u{1B}OQ")
        #expect(session.hasEnded())
        #expect(session.exitStatus.map { $0 & 0x7F } == SIGILL || session.exitStatus.map { $0 & 0x7F } == SIGTRAP)
        #expect(session.wait { session.shows("the probe was told to crash") }, "\(session.rows)")
        expectRestored(session)
    }

    @Test("A program that hangs ends at the second signal, and the terminal is restored")
    func hang() throws {
        let session = try session()
        session.send("\u{1B}[18~")
        while session.pump(milliseconds: 200) {}
        session.kill(SIGTERM)
        while session.pump(milliseconds: 200) {}
        #expect(session.emulator.modes.isAlternateScreen)
        session.kill(SIGTERM)
        #expect(session.hasEnded())
        #expect(session.exitStatus.map { $0 & 0x7F } == SIGTERM)
        expectRestored(session)
    }

    @Test("Suspending gives the terminal back, continuing takes it and draws anew")
    func suspend() throws {
        // A shell with job control: who stops must have somebody in the session to wake it.
        let session = try ProbeSession(environment: Self.trueColor, script: "set -m; PROBE; echo gave back; read l; fg")
        #expect(session.wait { session.shows("size 80x24") })
        session.send("\u{1B}OR")
        #expect(session.wait { session.shows("gave back") })
        expectRestored(session)
        session.send("\n")
        #expect(session.wait { session.emulator.modes.isAlternateScreen && session.shows("resumed") })
        #expect(!session.hasSettingsBack())
        #expect(session.rows[8].hasPrefix("╰"))
        session.send("\u{1B}OP")
        #expect(session.hasEnded())
        expectRestored(session)
    }

    @Test("A size that changed while the program was stopped is told of when it goes on")
    func resizedWhileStopped() throws {
        let session = try ProbeSession(environment: Self.trueColor, script: "set -m; PROBE; echo gave back; read l; fg")
        #expect(session.wait { session.shows("size 80x24") })
        session.send("\u{1B}OR")
        #expect(session.wait { session.shows("gave back") })
        session.setSize(Size(columns: 100, rows: 30))
        session.send("\n")
        #expect(session.wait { session.rows[0].hasPrefix("size 100x30") && session.shows("resize 100x30") })
        session.send("\u{1B}OP")
        #expect(session.hasEnded())
        expectRestored(session)
    }

    /// Waits in a shell's script until the last job in the background is stopped.
    private static let stopped = "until grep -q 'State:.T' /proc/$!/status; do sleep 0.02; done"

    @Test("In the background it stops before it touches the terminal, and begins in the foreground")
    func background() throws {
        let session = try ProbeSession(
            environment: Self.trueColor, script: "set -m; PROBE & \(Self.stopped); echo behind; read l; fg")
        #expect(session.wait { session.shows("behind") })
        #expect(session.hasSettingsBack() && !session.emulator.modes.isAlternateScreen)
        session.send("\n")
        #expect(session.wait { session.shows("size 80x24") })
        session.send("\u{1B}OP")
        #expect(session.hasEnded())
        expectRestored(session)
    }

    @Test("What is continued in the background after ctrl-z stops again, and leaves the terminal to the shell")
    func continuedBehind() throws {
        let script = """
            set -m; PROBE & \(Self.stopped); echo first; read l; fg
            bg >/dev/null; \(Self.stopped); echo behind; read l; fg
            """
        let session = try ProbeSession(environment: Self.trueColor, script: script)
        #expect(session.wait { session.shows("first") })
        session.send("\n")
        #expect(session.wait { session.shows("size 80x24") })
        session.send("\u{1B}OR")
        #expect(session.wait { session.shows("behind") })
        expectRestored(session)
        session.send("\n")
        #expect(session.wait { session.emulator.modes.isAlternateScreen && session.shows("resumed") })
        session.send("\u{1B}OP")
        #expect(session.hasEnded())
        expectRestored(session)
    }

    @Test("Where no shell can bring it to the foreground it says so, and leaves the terminal as it is")
    func orphaned() throws {
        // The shell between ends at once: whoever could continue the group is gone then, and the terminal another's.
        let script = """
            set -m; (sh -c 'f() { ps -o $1= -p $2 | tr -d " "; }
            until [ "$(f sid $(f ppid $$))" != "$(f sid $$)" ] && [ "$(f tpgid $$)" != "$(f pgid $$)" ]
            do sleep 0.02; done
            PROBE </dev/tty; echo code $?' &); read l; echo over
            """
        let session = try ProbeSession(environment: Self.trueColor, script: script)
        #expect(session.wait { session.shows("code 3") }, "\(session.rows)")
        #expect(session.shows("in the background of its terminal"))
        #expect(session.hasSettingsBack() && session.count(of: "\u{1B}[?1000h") == 0)
        session.send("\n")
        #expect(session.hasEnded())
    }

    @Test(
        "Any signal that ends a program restores the terminal first", arguments: [SIGQUIT, SIGUSR1, SIGALRM, SIGXCPU])
    func deadlySignals(_ signal: Int32) throws {
        let session = try ProbeSession(environment: Self.trueColor, script: "ulimit -c 0; exec PROBE")
        #expect(session.wait { session.shows("size 80x24") })
        session.kill(signal)
        #expect(session.hasEnded())
        #expect(session.exitStatus.map { $0 & 0x7F } == signal)
        expectRestored(session)
    }

    @Test("What is written to standard error does not disturb the picture, and comes after it")
    func standardError() throws {
        let session = try session()
        session.send("\u{1B}[15~b")
        #expect(session.wait { session.shows("key b") })
        #expect(!session.shows("a line on standard error"))
        session.send("\u{1B}OP")
        #expect(session.wait { session.shows("a line on standard error") })
    }

    @Test("The clipboard is written as OSC 52")
    func clipboard() throws {
        let session = try session()
        session.send("\u{1B}[17~")
        #expect(session.wait { session.count(of: "\u{1B}]52;c;Y2xpcA==\u{07}") == 1 })
    }

    @Test(
        "In tmux the text is in its buffer, too: as it is set up by itself it takes none from OSC 52",
        .enabled(if: access("/usr/bin/tmux", X_OK) == 0, "no tmux here"))
    func tmuxBuffer() throws {
        let folder = "/tmp/gantry-tmux-\(UInt64.random(in: 0...UInt64.max))"
        let tmux = "tmux -S \(folder)/s"
        let script = """
            mkdir \(folder) && \(tmux) -f /dev/null new-session -d 'sleep 600'; TMUX=\(folder)/s,1,0 PROBE
            echo "buffer: $(\(tmux) show-buffer)"; \(tmux) kill-server; rm -r \(folder); echo all over
            """
        let session = try ProbeSession(environment: Self.trueColor, script: script)
        #expect(session.wait { session.shows("size 80x24") })
        session.send("\u{1B}[17~b")
        #expect(session.wait { session.shows("key b") })
        session.send("\u{1B}OP")
        #expect(session.wait { session.shows("all over") })
        #expect(session.shows("buffer: clip"))
    }

    @Test(
        "In GNU screen texts of any length go through to the terminal, also where only its name tells of it",
        .enabled(if: access("/usr/bin/screen", X_OK) == 0, "no GNU screen here"), arguments: ["", "env -u STY "])
    func throughScreen(before: String) throws {
        let folder = "/tmp/gantry-screen-\(UInt64.random(in: 0...UInt64.max))"
        let script = """
            mkdir -m 700 \(folder) && SCREENDIR=\(folder) HOME=\(folder) screen -U \(before)PROBE
            rm -r \(folder); echo all over
            """
        let session = try ProbeSession(environment: Self.trueColor, script: script)
        #expect(session.wait { session.shows("size 80x24") }, "\(session.rows)")
        session.send("\u{1B}[17~")
        #expect(session.wait { session.count(of: "\u{1B}]52;c;Y2xpcA==\u{07}") == 1 })
        session.send("\u{1B}[19~b")
        let long = String(repeating: "Y2xpcGNsaXBjbGlw", count: 100)
        #expect(session.wait { session.count(of: "\u{1B}]52;c;\(long)\u{07}") == 1 })
        #expect(session.wait { session.shows("key b") })
        #expect(!session.shows("Y2xp"), "nothing of it is printed")
        session.send("\u{1B}OP")
        #expect(session.wait { session.shows("all over") })
    }

    @Test("A terminal that is behind gets no further pictures, and then the newest")
    func behind() throws {
        let session = try session()
        #expect(session.wait { session.rows[8].hasPrefix("╰") })
        while session.pump(milliseconds: 100) {}
        session.answers = false
        // Each new size is a whole new picture of some 2 KiB; the first few fill what may be on its way.
        for columns in 81...95 {
            session.setSize(Size(columns: columns, rows: 24))
            while session.pump(milliseconds: 50) {}
        }
        #expect(session.rows[0].hasPrefix("size 8"), "\(session.rows[0])")
        #expect(session.count(of: "\u{1B}[5n") <= 7)
        session.answers = true
        session.sendAnswers()
        #expect(session.wait { session.rows[0].hasPrefix("size 95x24") }, "\(session.rows[0])")
        #expect(!session.shows("key"), "an answer is no key")
    }

    @Test("A terminal that never answers is drawn on as before, and is not waited for")
    func mute() throws {
        let session = try ProbeSession(environment: Self.trueColor)
        session.answers = false
        try #require(session.wait { session.shows("size 80x24") })
        for columns in 81...95 {
            session.setSize(Size(columns: columns, rows: 24))
            while session.pump(milliseconds: 50) {}
        }
        #expect(session.wait { session.rows[0].hasPrefix("size 95x24") }, "\(session.rows[0])")
        session.send("\u{1B}OP")
        #expect(session.hasEnded())
        expectRestored(session)
    }

    @Test("A picture of several rows is shown at once, and no answer is left to the shell")
    func wholePicture() throws {
        let session = try session()
        session.setSize(Size(columns: 100, rows: 30))
        #expect(session.wait { session.rows[0].hasPrefix("size 100x30") })
        #expect(session.count(of: "\u{1B}[?2026h") >= 1)
        session.answers = false
        session.setSize(Size(columns: 90, rows: 24))
        #expect(session.wait { session.rows[0].hasPrefix("size 90x24") })
        session.send("\u{1B}OP")
        // The question is open: the terminal is not given back before its answer, within reason.
        #expect(session.wait { session.count(of: "\u{1B}[?1000l") == 1 })
        #expect(!session.hasSettingsBack())
        session.answers = true
        session.sendAnswers()
        #expect(session.hasEnded())
        expectRestored(session)
        #expect(session.count(of: "\u{1B}[?2026h") <= session.count(of: "\u{1B}[?2026l"))
    }

    private func expectRestored(_ session: ProbeSession) {
        #expect(session.wait { session.hasSettingsBack() && !session.emulator.modes.isAlternateScreen })
        #expect(session.emulator.modes.mouse == .off)
        #expect(session.emulator.cursor != nil)
        #expect(session.count(of: "\u{1B}[?2004l") >= 1)
    }
}
