import Glibc
import JSON
import Linux
import OCI
import Testing

@testable import Runtime

/// Further processes in a container, and terminals.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct ExecContractTests {
    @Test("exec passes output and exit code through, and is inside", arguments: RuntimeUnderTest.all)
    func inside(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        container.spec.hostname = "inside"
        try container.createAndStart()
        let result = try container.exec("sh", "-c", "hostname; [ $$ -lt 50 ] && echo few; exit 9")
        #expect(result.code == 9)
        #expect(result.output == "inside\nfew\n")
    }

    @Test("exec takes user, groups, directory and environment", arguments: RuntimeUnderTest.all)
    func options(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        try container.createAndStart()
        let words = [
            "exec", "--user", "5:6", "--additional-gids", "7", "--cwd", "/tmp", "--env", "A=b", container.id, "sh",
            "-c",
            "id -u; id -g; id -G; pwd; echo $A",
        ]
        let result = try runtime.run(words, root: container.root)
        #expect(result.output == "5\n6\n6 7\n/tmp\nb\n", "\(result.errors)")
    }

    @Test("Of variables of one name the last one counts", arguments: RuntimeUnderTest.all)
    func repeatedVariables(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        container.spec.process?.env += ["SAME=a", "SAMEAS=x", "SAME=b"]
        try container.createAndStart()
        // The environment as the program finds it, without a shell in between.
        let words = ["exec", "--env", "SAMEAS=y", container.id, "cat", "/proc/self/environ"]
        let result = try runtime.run(words, root: container.root)
        let variables = result.output.split(separator: "\0").filter { $0.hasPrefix("SAME") }.sorted()
        #expect(variables == ["SAME=b", "SAMEAS=y"], "\(result.errors)")
        let refused = try runtime.run(["exec", "--env", "NAME", container.id, "true"], root: container.root)
        #expect(refused.code != 0)
        #expect(refused.errors.contains("invalid environment variable"))
    }

    @Test("Very many variables take no more than their number", .timeLimit(.minutes(1)))
    func manyVariables() {
        let names = (0..<100_000).map { "NAME\($0)" }
        let last = names.map { "\($0)=b" }
        #expect(ProcessSetup.lastOfEach(names.map { "\($0)=a" } + last) == last)
        #expect(ProcessSetup.lastOfEach(["A=1", "AB=2", "A=3", "B=4", "A="]) == ["AB=2", "B=4", "A="])
    }

    @Test("A user at the limit of its processes gets the one it may have", arguments: RuntimeUnderTest.all)
    func processLimit(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        container.spec.process?.user = RuntimeUser(uid: 54321, gid: 54321)
        container.spec.process?.rlimits = [RuntimeRlimit(type: "RLIMIT_NPROC", soft: 2, hard: 2)]
        try container.createAndStart()
        let result = try runtime.run(
            ["exec", "--user", "54321:54321", container.id, "echo", "here"], root: container.root)
        #expect(result.output == "here\n", "\(result.errors)")
    }

    @Test("exec can begin before it is told its process, by a pipe, and is none where it is told nothing")
    func processPipe() throws {
        let container = try TestContainer(.ours)
        try container.createAndStart()
        for isTold in [true, false] {
            let file = "\(container.folder)/pipe-\(isTold)"
            try #require(mkfifo(file, 0o600) == 0)
            let words = ["exec", "--process", file, container.id]
            let executing = OwnedDescriptor(
                try container.runtime.begin(words, root: container.root, in: container.bundle, environment: []))
            // Whoever opens a pipe waits for its other end: so the runtime has come to its process.
            let pipe = OwnedDescriptor(try Descriptor.open(file, O_WRONLY))
            if isTold {
                var process = RuntimeProcess(args: ["sh", "-c", "exit 7"])
                process.env = ["PATH=/bin"]
                try pipe.descriptor.writeAll(process.json.compactBytes)
            }
            pipe.release().close()
            #expect(try PidFD.reap(executing.descriptor) == (isTold ? 7 : 255))
        }
    }

    @Test("exec reads its process from a file and writes its pid", arguments: RuntimeUnderTest.all)
    func processFile(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        try container.createAndStart()
        var process = RuntimeProcess(args: ["sleep", "61"])
        process.env = ["PATH=/bin"]
        let file = "\(container.folder)/process.json"
        try FileContents.replace(file, with: process.json.compactBytes, durable: false)
        let pidFile = "\(container.folder)/exec.pid"
        let result = try container.command("exec", "--detach", "--process", file, "--pid-file", pidFile, container.id)
        #expect(result.code == 0, "\(result.errors)")
        let pid = try #require(Int32(String(decoding: try FileContents.read(pidFile), as: UTF8.self)))
        #expect(try container.cgroup.processes().contains(pid))
        let listed = try JSONValue(parsing: try container.command("ps", "--format", "json", container.id).output)
        #expect(listed.array?.contains(.integer(Int64(pid))) == true)
    }

    @Test("exec of what is not there says so with 255", arguments: RuntimeUnderTest.all)
    func missing(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        try container.createAndStart()
        let result = try container.exec("nope")
        #expect(result.code == 255)
        #expect(result.errors.contains("executable file not found in $PATH"))
        #expect(try container.exec("/etc").errors.contains("permission denied"))
    }

    @Test(
        "exec has the container's capabilities and filter, and no descriptor of the runtime",
        arguments: RuntimeUnderTest.all)
    func rights(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        container.spec.linux.seccomp = DefaultSeccomp.profile(capabilities: ["CAP_KILL"])
        try container.createAndStart()
        let result = try container.exec(
            "sh", "-c", "grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status; ls /proc/self/fd")
        let expected = """
            CapEff:\t0000000020000420
            CapBnd:\t0000000020000420
            NoNewPrivs:\t1
            Seccomp:\t2
            0
            1
            2
            3

            """
        #expect(result.output == expected, "\(result.errors)")
    }

    @Test("Preserved descriptors reach the program, others do not", arguments: RuntimeUnderTest.all)
    func preserved(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime, ["sh", "-c", "cat <&3; ls /proc/self/fd"])
        try container.write()
        let (reading, writing) = try Descriptor.pipe()
        try writing.writeAll(Array("kept\n".utf8))
        writing.close()
        defer { reading.close() }
        let result = try container.command("run", "--preserve-fds", "1", container.id, extra: [reading])
        #expect(result.output == "kept\n0\n1\n2\n3\n4\n", "\(result.errors)")
    }

    @Test(
        "A terminal comes over the console socket, has the size asked for, and is /dev/console",
        arguments: RuntimeUnderTest.all)
    func console(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(
            runtime, ["sh", "-c", "tty; stty size; test -c /dev/console && echo console; sleep 60"])
        container.spec.process?.terminal = true
        container.spec.process?.consoleSize = RuntimeConsoleSize(height: 33, width: 77)
        try container.write()
        let directory = OwnedDescriptor(try Descriptor.open(container.folder, O_PATH | O_DIRECTORY))
        let listener = OwnedDescriptor(try UnixSocket.listen(in: directory.descriptor, name: "c.sock"))
        let created = try container.command(
            "create", "--console-socket", "\(container.folder)/c.sock", container.id)
        try #require(created.code == 0, "\(created.errors)")
        let connection = OwnedDescriptor(try UnixSocket.accept(listener.descriptor))
        var name = [UInt8](repeating: 0, count: 64)
        let count = recv(connection.descriptor.rawValue, &name, name.count, Int32(MSG_PEEK))
        // crun's is a single zero.
        #expect(runtime.name == "crun" || name.prefix(max(0, count)).elementsEqual("/dev/ptmx".utf8))
        let master = OwnedDescriptor(try UnixSocket.receiveDescriptor(connection.descriptor))
        #expect(try container.command("start", container.id).code == 0)
        let text = try Self.read(master.descriptor, until: "console\r\n")
        #expect(text == "/dev/pts/0\r\n33 77\r\nconsole\r\n")
    }

    @Test("A terminal without anybody to take it is refused", arguments: RuntimeUnderTest.all)
    func terminalRefused(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        container.spec.process?.terminal = true
        let result = try container.create()
        #expect(result.code == 1)
        #expect(result.errors.contains("will detach without setting console socket"))
        container.spec.process?.terminal = false
        try container.write()
        let other = try container.command("create", "--console-socket", "/nope", container.id)
        #expect(other.errors.contains("cannot use console socket if"))
        #expect(try container.leftovers() == [])
    }

    private static func read(_ terminal: Descriptor, until end: String) throws -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while !String(decoding: bytes, as: UTF8.self).hasSuffix(end) {
            var entry = pollfd(fd: terminal.rawValue, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 20_000) > 0 else { break }
            bytes += chunk[..<(try terminal.read(into: &chunk))]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// runc has no cgroup of version 2 beside those of version 1.
    private static let withUnified = (try? CgroupLayout.current())?.mode == .unified ? RuntimeUnderTest.all : [.ours]

    @Test("exec finds its place in a container that has divided its cgroup of version 2", arguments: withUnified)
    func dividedCgroup(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        let layout = try CgroupLayout.current()
        let base = try #require(layout.unifiedDirectory(of: "/\(container.id)"), "no version 2 here")
        if layout.mode == .hybrid {
            container.spec.linux.resources?.hugepageLimits = [LinuxHugepageLimit(pageSize: "2MB", limitBytes: 4 << 20)]
        }
        try container.createAndStart()
        // As a service manager or an engine inside would: it goes below, then hands out what it has.
        let pid = try #require(try container.state()["pid"]?.integer)
        let names = String(decoding: try FileContents.read("\(base)/cgroup.controllers"), as: UTF8.self)
        let controllers = names.split { $0 == " " || $0 == "\n" }.map(String.init)
        let divided = try #require(["memory", "hugetlb"].first(where: controllers.contains), "\(names)")
        try Directory.create("\(base)/init")
        try FileContents.write(String(pid), to: "\(base)/init/cgroup.procs")
        try FileContents.write("+\(divided)", to: "\(base)/cgroup.subtree_control")
        let result = try container.exec("grep", "^0::", "/proc/self/cgroup")
        #expect(result.code == 0 && result.output.hasSuffix("/\(container.id)/init\n"), "\(result)")
        let elsewhere = try container.command("exec", "--cgroup", "/", container.id, "true")
        #expect(elsewhere.code == 255 || runtime.name != RuntimeUnderTest.ours.name)
    }

    @Test("What exec's document leaves out is as the container's program has it", arguments: RuntimeUnderTest.all)
    func sparseProcessFile(_ runtime: RuntimeUnderTest) throws {
        let script = "grep -E '^Cap(Prm|Eff|Bnd|Amb)' /proc/self/status; ulimit -n; cat /proc/self/oom_score_adj"
        let container = try TestContainer(runtime)
        container.spec.process?.rlimits = [RuntimeRlimit(type: "RLIMIT_NOFILE", soft: 77, hard: 88)]
        container.spec.process?.oomScoreAdj = 321
        try container.createAndStart()
        var process = RuntimeProcess(args: ["sh", "-c", script])
        process.env = ["PATH=/bin"]
        process.noNewPrivileges = true
        let file = "\(container.folder)/process.json"
        try FileContents.replace(file, with: process.json.compactBytes, durable: false)
        let result = try container.command("exec", "--process", file, container.id)
        #expect(result.output.contains("CapEff:\t0000000020000420\n"), "\(result.errors)")
        // runc 1.1 does not take all of it over.
        guard runtime.name == RuntimeUnderTest.ours.name else { return }
        #expect(result.output.hasSuffix("77\n321\n"), "\(result.output)")
    }

    @Test("An exec that fails to say what it made has made nothing", arguments: RuntimeUnderTest.all)
    func unwrittenPid(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        try container.createAndStart()
        let before = try container.cgroup.processes()
        let path = "\(container.folder)/missing/pid"
        let words = ["exec", "--detach", "--pid-file", path, container.id, "sleep", "60"]
        let result = try runtime.run(words, root: container.root)
        #expect(result.code != 0)
        #expect(try container.cgroup.processes() == before)
    }
}
