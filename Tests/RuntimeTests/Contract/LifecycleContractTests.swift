import Glibc
import JSON
import Linux
import OCI
import Testing

/// What every OCI runtime does with a container's life; tried on ours and on runc, side by side.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct LifecycleContractTests {
    @Test(
        "A container goes from created over running to stopped, and delete leaves nothing",
        arguments: RuntimeUnderTest.all)
    func life(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        let created = try container.create()
        #expect(created.code == 0, "\(created.errors)")
        #expect(try container.status() == "created")
        #expect(try container.command("start", container.id).code == 0)
        #expect(try container.status() == "running")
        #expect(try container.command("kill", container.id, "KILL").code == 0)
        try container.waitForEnd()
        #expect(try container.status() == "stopped")
        #expect(try container.command("delete", container.id).code == 0)
        #expect(try container.leftovers() == [])
    }

    @Test("The state names what the specification asks for", arguments: RuntimeUnderTest.all)
    func state(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        // Of two ways to write one letter neither is lost.
        container.spec.annotations = ["com.example.key": "value", "\u{E9}": "one", "e\u{301}": "two"]
        try container.createAndStart()
        let state = try container.state()
        #expect(state["id"]?.string == container.id)
        #expect(state["status"]?.string == "running")
        #expect(state["bundle"]?.string == container.bundle)
        #expect(state["rootfs"]?.string == container.rootfs)
        #expect(state["annotations"]?["com.example.key"]?.string == "value")
        #expect(state["annotations"]?["\u{E9}"]?.string == "one")
        #expect(state["annotations"]?["e\u{301}"]?.string == "two")
        let pid = Int32(try #require(state["pid"]?.integer))
        #expect(try container.cgroup.processes() == [pid])
        // runc's start may return a moment before the program is executed; ours does not.
        if runtime.name == RuntimeUnderTest.ours.name { #expect(try ProcessStat.read(pid: pid).command == "sleep") }
        let list = try container.command("list", "--quiet")
        #expect(list.output == container.id + "\n")
        let ids = try JSONValue(parsing: try container.command("list", "-f", "json").output).array
        #expect(ids?.first?["id"]?.string == container.id)
    }

    @Test("run passes the program's exit code through and leaves nothing", arguments: RuntimeUnderTest.all)
    func exitCode(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime, ["sh", "-c", "echo out; echo err >&2; exit 7"])
        let result = try container.run()
        #expect(result.code == 7)
        #expect(result.output == "out\n")
        #expect(result.errors == "err\n")
        #expect(try container.leftovers() == [])
    }

    @Test("The same id twice is refused and does the first no harm", arguments: RuntimeUnderTest.all)
    func taken(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        try container.createAndStart()
        let second = try container.create()
        #expect(second.code == 1)
        #expect(second.errors.contains("container with given ID already exists"))
        #expect(try container.status() == "running")
    }

    @Test("What is not there is said so", arguments: RuntimeUnderTest.all)
    func missing(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        for command in ["state", "start", "kill", "delete", "pause", "resume"] {
            let result = try container.command(command, container.id)
            #expect(result.code == 1)
            #expect(result.errors.contains("container does not exist"), "\(command): \(result.errors)")
        }
        #expect(try container.command("delete", "--force", container.id).code == 0)
    }

    @Test("A running container is not deleted unless by force", arguments: RuntimeUnderTest.all)
    func force(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        try container.createAndStart()
        let refused = try container.command("delete", container.id)
        #expect(refused.code == 1)
        #expect(refused.errors.contains("is not stopped: running"))
        #expect(try container.command("delete", "--force", container.id).code == 0)
        #expect(try container.leftovers() == [])
    }

    @Test("Paused processes stand still, and refuse exec, until resumed", arguments: RuntimeUnderTest.all)
    func pause(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        try container.createAndStart()
        #expect(try container.command("pause", container.id).code == 0)
        #expect(try container.status() == "paused")
        let exec = try container.exec("true")
        #expect(exec.code == 255)
        #expect(exec.errors.contains("cannot exec in a paused container"))
        #expect(try container.command("resume", container.id).code == 0)
        #expect(try container.status() == "running")
        #expect(try container.exec("true").code == 0)
        #expect(try container.command("resume", container.id).errors.contains("container not paused"))
    }

    @Test("A paused container can be killed", arguments: RuntimeUnderTest.all)
    func killPaused(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        try container.createAndStart()
        #expect(try container.command("pause", container.id).code == 0)
        #expect(try container.command("delete", "--force", container.id).code == 0)
        #expect(try container.leftovers() == [])
    }

    @Test(
        "What another runtime has frozen by version 1, beside version 2, goes on with resume and ends with kill",
        .enabled(if: isHybrid, "needs both versions of cgroups"))
    func frozenByAnother() throws {
        let container = try TestContainer(.ours)
        try container.createAndStart()
        let cgroup = try container.cgroup
        let freezer = try #require(cgroup.layout.directory(of: cgroup.path, controller: "freezer"))
        let freeze = { try FileContents.write("FROZEN", to: "\(freezer)/freezer.state") }
        try freeze()
        #expect(try container.status() == "paused")
        #expect(try container.command("resume", container.id).code == 0)
        #expect(try container.status() == "running")
        #expect(try container.exec("true").code == 0)
        try freeze()
        #expect(try container.command("kill", container.id, "KILL").code == 0)
        try container.waitForEnd()
        #expect(try container.command("delete", container.id).code == 0)
        #expect(try container.leftovers() == [])
    }

    // A machine that cannot be read has none.
    private static let isHybrid = (try? CgroupLayout.current())?.mode == .hybrid

    @Test("A created container can be ended before it is started", arguments: RuntimeUnderTest.all)
    func killCreated(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        #expect(try container.create().code == 0)
        #expect(try container.command("kill", container.id, "TERM").code == 0)
        try container.waitForEnd()
        #expect(try container.status() == "stopped")
        #expect(
            try container.command("start", container.id).errors.contains("cannot start a container that has stopped"))
    }

    @Test("A second start is refused", arguments: RuntimeUnderTest.all)
    func startedTwice(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        try container.createAndStart()
        let again = try container.command("start", container.id)
        #expect(again.code == 1)
        #expect(again.errors.contains("cannot start an already running container"))
    }

    @Test(
        "A program that cannot be run is told at create, in known words, and nothing is left",
        arguments: RuntimeUnderTest.all,
        [
            ("nope", "exec: \"nope\": executable file not found in $PATH"),
            ("/nope", "exec: \"/nope\": stat /nope: no such file or directory"),
            ("/etc", "exec: \"/etc\": permission denied"), ("/data", "exec: \"/data\": permission denied"),
        ])
    func programMissing(_ runtime: RuntimeUnderTest, _ sample: (program: String, words: String)) throws {
        let container = try TestContainer(runtime, [sample.program])
        try FileContents.replace("\(container.rootfs)/data", with: [], mode: 0o644, durable: false)
        let result = try container.create()
        #expect(result.code == 1)
        let quoted = sample.words.split(separator: "\"").joined(separator: "\\\"")
        #expect(result.errors.contains(quoted), "\(result.errors)")
        #expect(try container.leftovers() == [])
    }

    @Test("Messages go to the log as JSON, and to standard error", arguments: RuntimeUnderTest.all)
    func log(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime, ["nope"])
        try container.write()
        let log = "\(container.folder)/log.json"
        let result = try container.command("--log", log, "--log-format", "json", "create", container.id)
        #expect(result.code == 1)
        let line = try #require(try FileContents.read(log).split(separator: 10).last)
        let entry = try JSONValue(parsing: Array(line))
        #expect(entry["level"]?.string == "error")
        #expect(entry["msg"]?.string?.hasSuffix("executable file not found in $PATH") == true)
        #expect(result.errors == "\(entry["msg"]?.string ?? "")\n")
    }

    @Test("A log that cannot be written is refused before anything is done", arguments: RuntimeUnderTest.all)
    func unwritableLog(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        try container.write()
        let result = try container.command("--log", "\(container.folder)/none/log", "create", container.id)
        #expect(result.code == 1 && result.errors.contains("no such file or directory"), "\(result.errors)")
        #expect(try container.leftovers() == [])
    }

    @Test("Options may stand behind the operands, but for what a process gets", arguments: RuntimeUnderTest.all)
    func optionsBehind(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime, ["sleep", "60"])
        try container.createAndStart()
        #expect(try container.exec("echo", "--tty").output == "--tty\n")
        let result = try container.command("delete", container.id, "--force")
        #expect(result.code == 0, "\(result.errors)")
        #expect(try container.leftovers() == [])
    }

    @Test("The pid file holds the first process, written before create returns", arguments: RuntimeUnderTest.all)
    func pidFile(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        try container.write()
        let file = "\(container.folder)/pid"
        #expect(try container.command("create", "--pid-file", file, container.id).code == 0)
        let text = String(decoding: try FileContents.read(file), as: UTF8.self)
        #expect(Int64(text) == (try container.state()["pid"]?.integer))
    }

    @Test("A usage error changes nothing", arguments: RuntimeUnderTest.all)
    func usage(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        // Then the cgroup is called by the id.
        container.spec.linux.cgroupsPath = nil
        try container.write()
        #expect(try container.command("create", "").errors.contains("container id cannot be empty"))
        #expect(try container.command("create", "..").errors.contains("invalid container ID format"))
        #expect(try container.command("create").code == 1)
        #expect(try container.command("create", "--frob", "x").errors.contains("flag provided but not defined: -frob"))
        #expect(try container.command("create", "a/b").errors.contains("invalid container ID format"))
        #expect(try container.command("frob").code == 3)
        #expect(try container.leftovers() == [])
    }
}

/// What only gantry-runtime promises.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct OwnLifecycleTests {
    @Test("A container in the foreground counts as running while run waits for it")
    func foreground() throws {
        let container = try TestContainer(.ours, ["sh", "-c", "echo up; exec sleep 60"])
        try container.write()
        let (reading, writing) = try Descriptor.pipe()
        defer { reading.close() }
        var spawn = Spawn(
            program: container.runtime.path,
            arguments: ["gantry-runtime", "--root", container.root, "run", container.id])
        spawn.descriptors = [nil, writing, Descriptor.standardError]
        spawn.workingDirectory = container.bundle
        let pid = try spawn.start()
        writing.close()
        var chunk = [UInt8](repeating: 0, count: 16)
        #expect(try reading.read(into: &chunk) == 3)
        #expect(try container.status() == "running")
        #expect(try container.command("kill", container.id, "KILL").code == 0)
        var status: Int32 = 0
        #expect(waitpid(pid, &status, 0) == pid)
        #expect(status >> 8 & 0xFF == 137)
        #expect(try container.leftovers() == [])
    }

    @Test("A frozen cgroup is refused: whoever came into it would stand still")
    func frozenCgroup() throws {
        // runc 1.1 looks at version 1 alone, and waits for ever on a machine that has both.
        let container = try TestContainer(.ours)
        let cgroup = try container.cgroup
        try cgroup.create()
        try cgroup.setFrozen(true)
        let result = try container.create()
        #expect(result.code == 1)
        #expect(result.errors.contains("container's cgroup unexpectedly frozen"), "\(result.errors)")
        try cgroup.setFrozen(false)
        try cgroup.remove()
        #expect(try container.leftovers() == [])
    }

    @Test("A cgroup with somebody else's processes in it is left alone")
    func usedCgroup() throws {
        let first = try TestContainer(.ours)
        try first.createAndStart()
        let second = try TestContainer(.ours)
        second.spec.linux.cgroupsPath = first.spec.linux.cgroupsPath
        let result = try second.create()
        #expect(result.code == 1)
        #expect(result.errors.contains("cgroup is not empty"))
        #expect(try first.status() == "running")
        #expect(try second.leftovers() == [])
    }

    @Test(
        "A cgroup's path that was not written to its end names none, and delete --force ends nothing by it",
        arguments: [true, false])
    func brokenOffPath(isWhole: Bool) throws {
        let container = try TestContainer(.ours)
        try container.createAndStart()
        let other = "\(container.id)-half"
        try Directory.create("\(container.root)/\(other)")
        let text = "/\(container.id)\(isWhole ? "\n" : "")"
        try FileContents.replace(
            "\(container.root)/\(other)/state.pending", with: Array(text.utf8), durable: false)
        #expect(try container.command("delete", "--force", other).code == 0)
        #expect(access("\(container.root)/\(other)", F_OK) != 0)
        #expect(try container.status() == (isWhole ? "stopped" : "running"))
    }

    @Test("A container that an older runtime made, with its configuration in a file of its own, is as any other")
    func olderFiles() throws {
        let container = try TestContainer(.ours)
        try container.createAndStart()
        let folder = "\(container.root)/\(container.id)"
        let lines = try FileContents.read("\(folder)/state.json").split(
            separator: 10, maxSplits: 2, omittingEmptySubsequences: false)
        try #require(lines.count == 3)
        try FileContents.replace("\(folder)/config.json", with: Array(lines[2]), durable: false)
        try FileContents.replace("\(folder)/state.json", with: Array(lines[1]), durable: false)
        #expect(try container.exec("true").code == 0)
        #expect(try container.status() == "running")
        #expect(try container.command("delete", "--force", container.id).code == 0)
        #expect(try container.leftovers() == [])
    }

    @Test("A runtime killed in the middle of create leaves nothing that delete --force does not find")
    func killedCreate() throws {
        let container = try TestContainer(.ours)
        // The hook ends the runtime while init waits for it.
        let file = "\(container.folder)/init.pid"
        let script = "grep -o '\"pid\":[0-9]*' > \(file); kill -KILL $PPID"
        container.spec.hooks.createRuntime = [RuntimeHook(path: "/bin/sh", args: ["sh", "-c", script])]
        #expect(try container.create().code == 137)
        let text = String(decoding: try FileContents.read(file), as: UTF8.self)
        let pid = try #require(Int32(text.drop { $0 != ":" }.dropFirst().prefix { $0.isNumber }))
        // Init ends by itself as soon as its channel is closed. No descriptor: it has ended already.
        if let process = try? PidFD.open(pid: pid) {
            defer { process.close() }
            #expect(try PidFD.waitForEnd(process, timeoutMilliseconds: 10_000))
        }
        #expect(try container.command("delete", "--force", container.id).code == 0)
        #expect(try container.leftovers() == [])
    }

    @Test("A pipe where the image should have its users holds nobody up")
    func pipedUsers() throws {
        let container = try TestContainer(.ours, ["sh", "-c", "echo $HOME"])
        #expect(mkfifo("\(container.rootfs)/etc/passwd", 0o600) == 0)
        #expect(try container.run().output == "/\n")
    }

    @Test("One that is paused before its start is not started until it is resumed", arguments: RuntimeUnderTest.all)
    func pausedBeforeStart(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        #expect(try container.create().code == 0)
        #expect(try container.command("pause", container.id).code == 0)
        let refused = try container.command("start", container.id)
        #expect(refused.code == 1)
        #expect(refused.errors.contains("cannot start a container in the paused state"), "\(refused.errors)")
        #expect(try container.command("resume", container.id).code == 0)
        #expect(try container.status() == "created")
        #expect(try container.command("start", container.id).code == 0)
        #expect(try container.status() == "running")
    }

    @Test("A container whose record cannot be read hides no other from list")
    func unreadableRecord() throws {
        let container = try TestContainer(.ours)
        #expect(try container.create().code == 0)
        for name in ["broken", "no id"] {
            try Directory.create("\(container.root)/\(name)")
            try FileContents.replace("\(container.root)/\(name)/state.json", with: Array("{".utf8), durable: false)
        }
        let list = try container.command("list", "--quiet")
        #expect(list.code == 0 && list.output == container.id + "\n")
        #expect(list.errors.contains("load container broken: "), "\(list.errors)")
        #expect(list.errors.contains("load container no id: "), "\(list.errors)")
    }

    @Test("An empty path of an option is none", arguments: RuntimeUnderTest.all)
    func emptyPaths(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        try container.write()
        let created = try container.command("create", "--bundle", "", "--pid-file", "", container.id)
        #expect(created.code == 0, "\(created.errors)")
    }
}
