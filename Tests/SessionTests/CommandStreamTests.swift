import Glibc
import Linux
import Testing
import Transport

/// What becomes of a command whose output has no place, whose reader stands still, or whom somebody wants to end.
@Suite(.serialized, .enabled(if: SessionBench.missing == nil, "\(SessionBench.missing ?? "")"))
struct CommandStreamTests {
    /// Runs a line of the shell in which `gantry` is this program with the bench's root; what it says of errors.
    private func shell(_ line: String, _ bench: SessionBench) throws -> String {
        var command = Spawner.shell(
            "gantry() { \(SessionBench.program("gantry")) --root \(bench.root) \"$@\"; }; \(line)")
        command.environment = SessionBench.environment
        return try Spawner.output(of: command).errors
    }

    @Test("A command that cannot write what it was asked for says so and fails")
    func fullOutput() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        try bench.succeed(
            "run", "-d", "--name", "web", "--network", "none", "gantry/starter", "sh", "-c", "echo hi; exec sleep 1000")
        #expect(eventually { (try? bench.succeed("logs", "web")) == "hi" })
        for words in [
            "cp web:/bin -", "logs web", "exec web echo hi", "run --rm --network none gantry/starter echo hi", "ps",
            "inspect web", "exec -t web echo hi",
        ] {
            let errors = try shell("gantry \(words) >/dev/full; echo code $? >&2", bench)
            #expect(errors.contains("no space left on device") && errors.hasSuffix("code 1\n"), "\(words): \(errors)")
        }
    }

    @Test("The id goes to the file that is asked for; where that cannot be made, there is no container")
    func containerIDFile() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        _ = try bench.daemon()
        let file = bench.root + "/cid"
        let create = "gantry create --network none --cidfile"
        #expect(try shell("\(create) \(file) gantry/starter >/dev/null", bench) == "")
        let id = try bench.succeed("ps", "-aq", "--no-trunc")
        #expect(String(decoding: try FileContents.read(file), as: UTF8.self) == id)
        let taken = try shell("\(create) \(file) gantry/starter", bench)
        #expect(taken.contains("container ID file found"), "\(taken)")
        let nowhere = try shell("\(create) \(bench.root)/no/cid gantry/starter", bench)
        #expect(nowhere.contains("failed to create the container ID file"), "\(nowhere)")
        let unmade = try shell("\(create) \(file)2 --pull never no/such:image", bench)
        #expect(unmade.contains("o such image") && access("\(file)2", F_OK) != 0, "\(unmade)")
        #expect(try bench.succeed("ps", "-aq", "--no-trunc") == id)
    }

    @Test("A copy that does not fit says what is missing: room")
    func fullDisk() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        _ = try bench.daemon()
        try bench.succeed("create", "--name", "web", "--network", "none", "gantry/starter")
        let target = bench.root + "/full"
        #expect(mkdir(target, 0o700) == 0)
        let errors = try shell(
            "unshare -m sh -c 'mount -t tmpfs -o size=64k none \(target) && "
                + "\(SessionBench.program("gantry")) --root \(bench.root) cp web:/bin \(target)/'; echo code $? >&2",
            bench)
        #expect(errors.contains("no space left on device") && errors.hasSuffix("code 1\n"), "\(errors)")
    }

    @Test("A copy goes where a link of this machine leads, also where nothing is yet; the link stays")
    func copyThroughLink() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        try bench.succeed("run", "--name", "web", "--network", "none", "gantry/starter", "sh", "-c", "echo new > /f")
        let (folder, link) = (bench.root + "/there", bench.root + "/link")
        #expect(mkdir(folder, 0o700) == 0 && symlink("there/file", link) == 0)
        for before in [nil, "old"] {
            if let before { try FileContents.replace(folder + "/file", with: Array(before.utf8)) }
            try bench.succeed("cp", "web:/f", link)
            #expect(String(decoding: try FileContents.read(folder + "/file"), as: UTF8.self) == "new\n")
            var facts = stat()
            #expect(lstat(link, &facts) == 0 && facts.st_mode & S_IFMT == S_IFLNK)
        }
        #expect(symlink("turn", bench.root + "/turn") == 0)
        let outcome = try bench.gantry("cp", "web:/f", bench.root + "/turn")
        #expect(outcome.code == 1 && outcome.errors.contains("too many levels of symbolic links"))
    }

    @Test("An archive that is interrupted leaves no file", arguments: [SIGINT, SIGTERM, SIGHUP])
    func interruptedArchive(signal: Int32) async throws {
        let bench = try SessionBench()
        defer { bench.close() }
        // An engine whose archive has a beginning alone.
        let server = try await HTTPServer.start(socketPath: bench.root + "/engine.sock") { request, writer in
            do {
                guard request.target.hasSuffix("/export") else {
                    return try await writer.send(200, ["Api-Version": "1.47"], body: Array("OK".utf8))
                }
                try await writer.begin(200, ["Content-Type": "application/x-tar"])
                try await writer.write([UInt8](repeating: 0, count: 512))
                try await Task.sleep(for: .seconds(1000))
            } catch {
                // The client has gone, as it shall.
            }
        }
        let folder = bench.root + "/archives"
        #expect(mkdir(folder, 0o700) == 0)
        let program = try bench.start(
            ["-H", "unix://\(bench.root)/engine.sock", "export", "-o", folder + "/out.tar", "web"])
        func isBegun() throws -> Bool {
            var facts = stat()
            return try Directory.list(folder).contains { stat("\(folder)/\($0)", &facts) == 0 && facts.st_size == 512 }
        }
        for _ in 0..<1000 {
            if try isBegun() { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(try isBegun(), "\(program.errors)")
        program.kill(signal)
        #expect(program.ended() == 128 + signal)
        #expect(try Directory.list(folder) == [])
        await server.stop()
    }

    /// Once the session handles signals, which it does from then on.
    private func isListening(_ program: RunningProgram) -> Bool {
        eventually {
            let text = (try? FileContents.read("/proc/\(program.pid)/status")).map {
                String(decoding: $0, as: UTF8.self)
            }
            let line = text?.split(separator: "\n").first { $0.hasPrefix("SigCgt:") }
            let caught = line.flatMap { UInt64($0.dropFirst(7).drop { $0 == "\t" }, radix: 16) } ?? 0
            return caught & (1 << UInt64(SIGUSR1 - 1)) != 0
        }
    }

    /// Sends a signal again and again until the program has ended.
    private func insist(_ signal: Int32, on program: RunningProgram) -> Int32? {
        _ = eventually {
            program.kill(signal)
            return program.ended(withinSeconds: 0) != nil
        }
        return program.ended(withinSeconds: 0)
    }

    @Test("Who asks for the third time is let go, though the program in the container does not listen")
    func thirdSignal() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let program = try bench.start(
            ["run", "--name", "deaf", "--network", "none", "gantry/starter", "sleep", "1000"])
        #expect(isListening(program))
        #expect(insist(SIGINT, on: program) == 1)
        #expect(program.errors.contains("got 3 SIGTERM/SIGINTs, forcefully exiting"))
        #expect(try bench.succeed("inspect", "-f", "{{.State.Status}}", "deaf") == "running")
    }

    @Test("A reader that stands still does not keep a command from ending", arguments: ["run", "exec"])
    func stoppedReader(verb: String) throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let pipe = try Descriptor.pipe()
        defer {
            pipe.reading.close()
            pipe.writing.close()
        }
        var words = ["run", "-t", "--name", "loud", "--network", "none", "gantry/starter", "yes"]
        if verb == "exec" {
            try bench.succeed(
                "run", "-d", "--name", "loud", "--network", "none", "gantry/starter", "sleep", "1000")
            words = ["exec", "-t", "loud", "yes"]
        }
        let program = try bench.start(words, outputPipe: pipe.writing)
        let isFull = eventually {
            var state = pollfd(fd: pipe.writing.rawValue, events: Int16(POLLOUT), revents: 0)
            return poll(&state, 1, 0) == 0
        }
        #expect(isFull)
        #expect(insist(SIGTERM, on: program) == (verb == "run" ? 1 : 128 + SIGTERM))
    }

    @Test("A signal for run reaches the container's program, with a terminal as without", arguments: ["-t", "-i"])
    func proxiedSignal(flag: String) throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let program = try bench.start(
            [
                "run", flag, "--network", "none", "gantry/starter", "sh", "-c",
                "trap 'exit 7' TERM; echo up; while :; do sleep 0.1; done",
            ])
        #expect(isListening(program))
        #expect(eventually { String(decoding: program.output, as: UTF8.self).hasPrefix("up") })
        program.kill(SIGTERM)
        #expect(try program.outcome().code == 7)
    }

    @Test("An interrupt at the password leaves the terminal as it was")
    func interruptedPassword() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let terminal = try bench.terminal("login", "-u", "somebody", "127.0.0.1:1")
        #expect(terminal.wait(for: "Password:"))
        #expect(!terminal.isRestored, "what is typed is not shown")
        terminal.type([3])
        #expect(terminal.ended() == 128 + SIGINT)
        #expect(terminal.isRestored)
    }

    private static let mistakes: [(line: String, code: Int32, message: String)] = [
        ("ps --bogus", 125, "unknown flag: --bogus"),
        ("ps -n x", 125, "invalid argument \"x\" for \"-n, --last\" flag"),
        ("ps --filter foo", 125, "bad format of filter (expected name=value)"),
        ("create --stop-timeout foo gantry/starter", 125, "invalid argument \"foo\" for \"--stop-timeout\" flag"),
        ("exec --bogus x y", 125, "unknown flag: --bogus"), ("run", 1, "\"gantry run\" requires at least 1 argument."),
        ("create", 1, "\"gantry create\" requires at least 1 argument."),
        ("start nope", 1, "No such container: nope\nError: failed to start containers: nope"),
        ("logs", 1, "\"gantry logs\" requires exactly 1 argument."), ("frob", 1, "'frob' is not a gantry command"),
        ("run -d -a stdout gantry/starter", 1, "cannot specify both --attach and --detach"),
        ("login --password-stdin", 1, "the --password-stdin option requires --username to be set"),
        ("login -u a -p b --password-stdin", 1, "cannot specify both --password and --password-stdin"),
        ("run --platform linux/none gantry/starter", 125, "is not this machine's"),
    ]

    @Test("A line that makes no sense ends with docker's code", arguments: mistakes)
    func codes(line: String, code: Int32, message: String) throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let outcome = try bench.start(line.split(separator: " ").map(String.init)).outcome()
        #expect(outcome.code == code && outcome.errors.contains(message), "\(outcome.code): \(outcome.errors)")
    }

    @Test("Times without a zone are of the clock on this machine's wall")
    func localTimes() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        try bench.succeed("run", "--name", "talker", "--network", "none", "gantry/starter", "echo", "hi")
        for (option, text) in [("until", "hi\n"), ("since", "")] {
            var command = Spawner.shell(
                "exec \(SessionBench.program("gantry")) --root \(bench.root) logs --\(option) "
                    + "$(date -d '+1 hour' +%Y-%m-%dT%H:%M:%S) talker")
            command.environment = SessionBench.environment + ["TZ=EST5"]
            let (output, errors) = try Spawner.output(of: command)
            #expect(output == text && errors == "", "\(option): \(errors)")
        }
    }

    @Test("The times by which a terminal's log is gone on with stand in none of its lines")
    func promptLog() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        _ = try bench.daemon()
        try bench.succeed(
            "run", "-d", "-t", "--name", "pro", "--network", "none", "gantry/starter", "sh", "-c", "printf 'prompt '")
        #expect(try bench.succeed("wait", "pro") == "0")
        try bench.succeed("start", "pro")
        #expect(try bench.succeed("wait", "pro") == "0")
        #expect(try bench.start(["logs", "--tail", "5", "pro"]).outcome().text == "prompt prompt ")
        #expect(try bench.start(["logs", "-f", "pro"]).outcome().text == "prompt prompt ")
    }

    @Test("Variables, details and sizes are as docker has them")
    func details() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let file = bench.root + "/env"
        try FileContents.replace(file, with: Array("A=1\r\nB=2\r\n".utf8))
        try bench.succeed("create", "--name", "base", "--network", "none", "gantry/starter", "true")
        try bench.succeed("commit", "-c", "ENV HERE=yes", "base", "with:env")
        let text = try bench.succeed(
            "run", "--name", "talker", "--network", "none", "--platform", "linux", "--env-file", file, "-e",
            "HERE", "-l", "k=v", "--log-opt", "labels=k", "--log-opt", "env=A", "with:env", "sh", "-c",
            "echo $A$B${HERE-gone}")
        #expect(text == "12gone")
        #expect(try bench.succeed("logs", "--details", "talker") == "A=1,k=v 12gone")
        #expect(try bench.succeed("logs", "talker") == "12gone")
        let size = try bench.succeed("inspect", "-s", "-f", "{{.SizeRw}}/{{.SizeRootFs}}", "talker")
        let numbers = size.split(separator: "/").compactMap { Int64($0) }
        #expect(numbers.count == 2 && numbers.allSatisfy { $0 >= 0 } && numbers.last ?? 0 > 0, "\(size)")
    }
}
