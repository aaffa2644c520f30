import Glibc
import Linux
import Testing

/// The command line of the built program, as scripts use it.
@Suite(.serialized, .enabled(if: SessionBench.missing == nil, "\(SessionBench.missing ?? "")"))
struct CommandSessionTests {
    @Test("run passes output and exit code on, and --rm leaves nothing")
    func runToTheEnd() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let outcome = try bench.gantry(
            "run", "--rm", "--network", "none", "gantry/starter", "sh", "-c", "echo -n out; echo err >&2; exit 3")
        #expect(outcome.text == "out")
        #expect(outcome.errors == "err\n")
        #expect(outcome.code == 3)
        #expect(try bench.succeed("ps", "-aq") == "")
    }

    private static let endings: [(words: [String], code: Int32)] = [
        (["gantry/starter", "true"], 0), (["gantry/starter", "sh", "-c", "sh -c 'kill -9 $$'; exit $?"], 137),
        (["gantry/starter", "no-such-program"], 127), (["gantry/starter", "/etc"], 126), (["gantry/starter", ""], 127),
        (["no/such/image", "true"], 125), (["--memory", "1k", "gantry/starter", "true"], 125),
        (["--no-such-flag", "gantry/starter"], 125),
        (["--mount", "type=bind,src=/no/such,dst=/x", "gantry/starter"], 125),
        (["--device", "/dev/nosuch", "gantry/starter"], 127), (["--cidfile", "/nosuch/x", "gantry/starter"], 127),
    ]

    @Test("run ends with docker's exit codes", arguments: endings)
    func exitCodes(_ words: [String], _ code: Int32) throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let outcome = try bench.start(["run", "--rm", "--network", "none"] + words).outcome()
        #expect(outcome.code == code, "\(outcome.errors)")
        #expect(code == 0 || code == 137 || !outcome.errors.isEmpty)
        #expect(try bench.succeed("ps", "-aq") == "", "nothing is left of a run that failed")
    }

    private static let failedExecs: [(words: [String], code: Int32)] = [
        (["-u", "nosuch", "web", "true"], 126), (["-w", "relative", "web", "true"], 126), (["web", "/etc"], 126),
        (["web", "no-such-program"], 127), (["web", ""], 127), (["nobody", "true"], 1),
        (["--env-file", "/nosuch", "web", "true"], 1),
    ]

    @Test("exec ends with docker's exit codes where nothing was run")
    func execExitCodes() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        _ = try bench.succeed("run", "-d", "--name", "web", "--network", "none", "gantry/starter", "sleep", "1000")
        for (words, code) in Self.failedExecs {
            let outcome = try bench.start(["exec"] + words).outcome()
            #expect(outcome.code == code && !outcome.errors.isEmpty, "\(words): \(outcome.code) \(outcome.errors)")
        }
        _ = try bench.succeed("rm", "-f", "web")
    }

    @Test("run -d tells the id also where the program cannot be started")
    func failedDetachedRun() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let outcome = try bench.gantry("run", "-d", "--name", "web", "--network", "none", "gantry/starter", "nosuch")
        #expect(outcome.code == 127)
        #expect(outcome.text == (try bench.succeed("ps", "-aq", "--no-trunc")) + "\n")
        _ = try bench.succeed("rm", "web")
    }

    @Test("What goes into run -i comes out of cat, all of it and in order")
    func inputPassesThrough() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let input = (0..<200_000).flatMap { Array("line \($0)\n".utf8) }
        let outcome = try bench.start(
            ["run", "-i", "--rm", "--network", "none", "gantry/starter", "cat"], input: input
        ).outcome()
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(outcome.output == input)
    }

    @Test("No byte of a large output is lost")
    func largeOutput() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let outcome = try bench.gantry(
            "run", "--rm", "--network", "none", "gantry/starter", "sh", "-c", "yes abcdefg | head -n 2000000")
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(outcome.output.count == 16_000_000)
    }

    @Test("A container's life: run -d, ps, exec, logs, pause, rename, stop, start, rm")
    func life() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let id = try bench.succeed(
            "run", "-d", "--name", "web", "--network", "none", "-e", "GREETING=hello", "gantry/starter", "sh", "-c",
            "trap 'echo bye; exit 5' TERM; echo $GREETING; while :; do sleep 0.1; done")
        #expect(id.count == 64)
        #expect(try bench.succeed("ps", "-q") == String(id.prefix(12)))
        #expect(try bench.succeed("ps", "--format", "{{.Names}} {{.State}}") == "web running")
        #expect(eventually { (try? bench.succeed("logs", "web")) == "hello" })
        #expect(try bench.succeed("exec", "-e", "A=b", "-w", "/tmp", "web", "sh", "-c", "echo $A; pwd") == "b\n/tmp")
        #expect(try bench.gantry("exec", "web", "sh", "-c", "exit 9").code == 9)
        #expect(try bench.gantry("exec", "web", "no-such-program").code == 127)
        try bench.succeed("pause", "web")
        #expect(try bench.succeed("inspect", "-f", "{{.State.Status}}", "web") == "paused")
        try bench.succeed("unpause", "web")
        try bench.succeed("rename", "web", "site")
        #expect(try bench.gantry("rm", "site").code == 1, "it runs")
        try bench.succeed("stop", "-t", "10", "site")
        #expect(try bench.succeed("inspect", "-f", "{{.State.ExitCode}}", "site") == "5")
        #expect(try bench.succeed("logs", "site") == "hello\nbye")
        #expect(try bench.succeed("start", "site") == "site")
        #expect(try bench.succeed("top", "site", "-o", "pid,comm").contains("sh"))
        #expect(try bench.succeed("stats", "--no-stream", "--format", "{{.Name}}", "site") == "site")
        try bench.succeed("rm", "-f", "site")
        #expect(try bench.succeed("ps", "-aq") == "")
    }

    @Test("wait prints the exit code, and start -a shows what is written")
    func waitAndStart() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        try bench.succeed(
            "create", "--name", "job", "--network", "none", "gantry/starter", "sh", "-c", "echo done; exit 4")
        let outcome = try bench.gantry("start", "-a", "job")
        #expect(outcome.text == "done\n")
        #expect(outcome.code == 4)
        #expect(try bench.succeed("wait", "job") == "4")
    }

    @Test("inspect finds whatever has the name, or what it is told to look for")
    func inspectsAnything() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        try bench.succeed("volume", "create", "things")
        #expect(try bench.succeed("inspect", "-f", "{{.Driver}}", "bridge", "things") == "bridge\nlocal")
        #expect(try bench.succeed("inspect", "-f", "{{.RepoTags}}", "gantry/starter") == "[gantry/starter:latest]")
        let outcome = try bench.gantry("inspect", "--type", "container", "things")
        #expect(outcome.code == 1 && outcome.errors.contains("No such container: things"), "\(outcome.errors)")
    }

    private static let refusals: [(words: [String], message: String)] = [
        (["inspect", "nobody"], "No such object: nobody"), (["logs", "nobody"], "No such container: nobody"),
        (["start", "nobody"], "No such container: nobody"), (["rm", "nobody"], "No such container: nobody"),
        (["exec", "nobody", "true"], "No such container: nobody"),
        (["image", "inspect", "nobody"], "No such image: nobody"),
        (["create", "--name", "a b", "gantry/starter"], "Invalid container name (a b)"),
        (["create", "Bad//Name"], "invalid reference format"), (["load", "-i", "/no/such/file"], "/no/such/file"),
    ]

    @Test("Refusals are said in docker's words, on standard error", arguments: refusals)
    func refuses(_ words: [String], _ message: String) throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let outcome = try bench.start(words).outcome()
        #expect(outcome.code != 0)
        #expect(outcome.errors.lowercased().contains(message.lowercased()), "\(outcome.errors)")
    }

    @Test("A name in use is refused, and nothing is left of the second")
    func nameInUse() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        try bench.succeed("create", "--name", "one", "--network", "none", "gantry/starter")
        let second = try bench.gantry("run", "--name", "one", "--network", "none", "gantry/starter")
        #expect(second.code == 125)
        #expect(second.errors.contains("is already in use by container"))
        #expect(try bench.succeed("ps", "-aq").split(separator: "\n").count == 1)
    }

    @Test("A container's configuration is its image's, with what was asked for over it")
    func mergedConfiguration() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        try bench.succeed("create", "--name", "base", "--network", "none", "gantry/starter", "true")
        try bench.succeed(
            "commit", "-c", "EXPOSE 81", "-c", "VOLUME /vol", "-c", "HEALTHCHECK --interval=5s CMD true", "base",
            "with:all")
        try bench.succeed(
            "create", "--name", "full", "--network", "none", "--expose", "82", "-v", "/own", "with:all")
        let template = "{{json .Config.ExposedPorts}} {{json .Config.Volumes}} {{json .Config.Healthcheck}}"
        #expect(
            try bench.succeed("inspect", "-f", template, "full")
                == #"{"81/tcp":{},"82/tcp":{}} {"/own":{},"/vol":{}} "#
                + #"{"Test":["CMD-SHELL","true"],"Interval":5000000000}"#)
    }

    @Test("What does not run uses nothing, and is shown by its name, or among all")
    func idleStats() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        _ = try bench.succeed("create", "--name", "idle", "--network", "none", "gantry/starter", "true")
        let line = [
            "stats", "--no-stream", "--format", "{{.Container}} {{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.PIDs}}",
        ]
        #expect(try bench.start(line + ["idle"]).outcome().text == "idle idle 0.00% 0B / 0B 0\n")
        let id = try bench.succeed("ps", "-aq")
        #expect(try bench.start(line + ["-a"]).outcome().text == "\(id) idle 0.00% 0B / 0B 0\n")
        #expect(try bench.start(line).outcome().text == "")
        _ = try bench.succeed("rm", "idle")
    }

    @Test("stats without names shows a container that starts later, too")
    func laterStats() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        _ = try bench.daemon()
        try bench.succeed("run", "-d", "--name", "first", "--network", "none", "gantry/starter", "sleep", "1000")
        let stats = try bench.start(["stats", "--format", "{{.Name}}"])
        func lines() -> [Substring] { String(decoding: stats.output, as: UTF8.self).split(separator: "\n") }
        #expect(eventually { lines().contains("first") }, "\(stats.errors)")
        try bench.succeed("run", "-d", "--name", "late", "--network", "none", "gantry/starter", "sleep", "1000")
        #expect(eventually { lines().contains("late") }, "\(stats.errors)")
        try bench.succeed("rm", "-f", "first", "late")
        try bench.succeed("run", "-d", "--name", "next", "--network", "none", "gantry/starter", "sleep", "1000")
        #expect(eventually { lines().last == "next" }, "\(stats.errors)")
        stats.kill(SIGKILL)
    }

    @Test("What removes much asks on standard output, and only y is yes")
    func confirmation() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        try bench.succeed("network", "create", "spare")
        let asked =
            "WARNING! This will remove all custom networks not used by at least one container.\n"
            + "Are you sure you want to continue? [y/N] "
        for word in ["yes", "n", ""] {
            let outcome = try bench.gantry("network", "prune", input: Array("\(word)\n".utf8))
            #expect(outcome.code == 0 && outcome.text == asked && outcome.errors == "", "\(outcome.errors)")
        }
        #expect(try bench.succeed("network", "ls", "--format", "{{.Name}}").contains("spare"))
        let outcome = try bench.gantry("network", "prune", input: Array("Y\n".utf8))
        #expect(outcome.text == asked + "Deleted Networks:\nspare\n\n")
    }

    @Test("Help, versions and completions need no engine")
    func withoutEngine() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        #expect(try bench.succeed("--version").contains("0.1.0"))
        #expect(try bench.succeed("run", "--help").contains("--cap-add"))
        #expect(try bench.succeed("version", "--client").contains("0.1.0"))
        for shell in ["bash", "zsh", "fish"] { #expect(try bench.succeed("completion", shell).contains("gantry")) }
        #expect(access(bench.root + "/data", F_OK) != 0, "nothing was made")
    }

    @Test("A reader that goes away ends the command as SIGPIPE would, not the container")
    func closedOutput() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let gantry = "\(SessionBench.program("gantry")) --root \(bench.root)"
        var command = Spawner.shell(
            "{ \(gantry) run --name endless --network none gantry/starter sh -c 'while echo y; do sleep 0.01; done'; "
                + "echo code $? >&2; } | head -n 1")
        command.environment = SessionBench.environment
        let (output, errors) = try Spawner.output(of: command)
        #expect(output == "y\n")
        #expect(errors == "code 141\n")
        #expect(try bench.succeed("inspect", "-f", "{{.State.Status}}", "endless") == "running")
        for words in ["export endless", "cp endless:/bin -", "save gantry/starter"] {
            var cut = Spawner.shell("{ \(gantry) \(words); echo code $? >&2; } | head -c 10 >/dev/null")
            cut.environment = SessionBench.environment
            #expect(try Spawner.output(of: cut).errors == "code 141\n", "\(words)")
        }
        // The reader is known to be gone before the list is written.
        var list = Spawner.shell(
            "{ trap '' PIPE; while echo x; do :; done 2>/dev/null; \(gantry) ps; echo code $? >&2; } | :")
        list.environment = SessionBench.environment
        #expect(try Spawner.output(of: list).errors == "code 141\n")
    }

    @Test("Several containers are stopped at once; names come in their order, the error at the end")
    func severalAtOnce() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        _ = try bench.daemon()
        let folder = bench.root + "/both"
        #expect(mkdir(folder, 0o700) == 0)
        // Each ends in peace only where the other is asked to end meanwhile.
        for (name, other) in [("one", "two"), ("two", "one")] {
            try bench.succeed(
                "run", "-d", "--name", name, "--network", "none", "-v", "\(folder):/both", "gantry/starter", "sh", "-c",
                "trap 'touch /both/\(name); while [ ! -e /both/\(other) ]; do usleep 1000; done; exit 5' TERM; "
                    + "touch /both/\(name)-ready; while :; do usleep 1000; done")
        }
        #expect(eventually { access(folder + "/one-ready", F_OK) == 0 && access(folder + "/two-ready", F_OK) == 0 })
        let outcome = try bench.gantry("stop", "-t", "30", "one", "nosuch", "two")
        #expect(outcome.text == "one\ntwo\n" && outcome.code == 1)
        #expect(outcome.errors == "Error response from daemon: No such container: nosuch\n")
        #expect(try bench.succeed("inspect", "-f", "{{.State.ExitCode}}", "one", "two") == "5\n5")
        let removal = try bench.gantry("rm", "-f", "nosuch", "two", "one")
        #expect(removal.text == "two\none\n" && removal.code == 0)
        #expect(removal.errors.contains("No such container: nosuch"))
    }

    @Test("A copy takes the place of no device and no fifo, and says why in docker's words")
    func specialTargets() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let (fifo, device) = (bench.root + "/fifo", bench.root + "/device")
        #expect(mkfifo(fifo, 0o600) == 0 && mknod(device, S_IFCHR | 0o600, 0x103) == 0)
        for (path, got, kind) in [(fifo, "an irregular file", S_IFIFO), (device, "a device", S_IFCHR)] {
            let outcome = try bench.gantry("cp", "web:/f", path)
            #expect(outcome.code == 1)
            #expect(outcome.errors.contains("\"\(path)\" must be a directory or a regular file: got \(got)"))
            var facts = stat()
            #expect(lstat(path, &facts) == 0 && facts.st_mode & S_IFMT == kind)
        }
    }

    @Test("The host of an engine has as many files as it may, its containers what a process here has")
    func openFiles() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        var before = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #expect(getrlimit(resource, &before) == 0)
        var lowered = before
        lowered.rlim_cur = 300
        #expect(setrlimit(resource, &lowered) == 0)
        defer { setrlimit(resource, &before) }
        let host = try bench.daemon()
        try bench.succeed("run", "-d", "--name", "web", "--network", "none", "gantry/starter", "sleep", "1000")
        #expect(try bench.succeed("exec", "web", "sh", "-c", "ulimit -Sn; ulimit -Hn") == "300\n\(before.rlim_max)")
        let pid = try bench.succeed("inspect", "-f", "{{.State.Pid}}", "web")
        func limits(_ pid: String) throws -> [Substring] {
            let text = String(decoding: try FileContents.read("/proc/\(pid)/limits"), as: UTF8.self)
            let line = text.split(separator: "\n").first { $0.hasPrefix("Max open files") } ?? ""
            return line.split(separator: " ").dropFirst(3).prefix(2).map { $0 }
        }
        #expect(try limits(pid) == ["300", "\(before.rlim_max)"])
        #expect(try limits("\(host.pid)") == ["\(before.rlim_max)", "\(before.rlim_max)"])
    }
}
