import Glibc
import Linux
import Testing

@Suite struct ParsingTests {
    @Test("A process's name may hold anything, and its fields follow the last parenthesis")
    func processStat() throws {
        let line =
            "42 (a) S ) (b)) R 7 42 41 0 -1 4194304 1 2 3 4 11 12 0 0 20 0 3 0 98765 1000 55 18446744073709551615 0\n"
        let stat = try #require(ProcessStat(parsing: Array(line.utf8)))
        #expect(stat.pid == 42)
        #expect(stat.command == "a) S ) (b)")
        #expect(stat.state == "R" && !stat.isEnded)
        #expect((stat.parent, stat.processGroup, stat.session) == (7, 42, 41))
        #expect(stat.flags == 4_194_304 && !stat.hasNeverExecuted)
        #expect((stat.userTicks, stat.systemTicks, stat.threads) == (11, 12, 3))
        #expect((stat.startTicks, stat.residentPages) == (98765, 55))
        #expect(ProcessStat(parsing: Array("42 (x) Z".utf8)) == nil)
        #expect(ProcessStat(parsing: []) == nil)
    }

    @Test(
        "Lines end in LF, or in CR LF where another system wrote them",
        arguments: [
            ("a\nb", ["a", "b"]), ("a\r\nb\r\n", ["a", "b"]), ("a\n\nb\n", ["a", "", "b"]), ("", []), ("\r\n", [""]),
            ("a\rb\n", ["a\rb"]), ("a\n\r\n", ["a", ""]),
        ] as [(String, [String])])
    func textLines(text: String, lines: [String]) {
        #expect(TextLines.split(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) } == lines)
        #expect(TextLines.said(in: text).map(String.init) == lines.filter { !$0.isEmpty })
    }

    @Test("This process is found under its own number")
    func ownStat() throws {
        let stat = try ProcessStat.read(pid: getpid())
        #expect(stat.pid == getpid() && stat.parent == getppid() && stat.startTicks > 0)
        #expect(throws: KernelError.self) { try ProcessStat.read(pid: -1) }
    }

    @Test(
        "A program that makes its children in a pid namespace of their own is on its way nowhere",
        .enabled(if: geteuid() == 0))
    func childrensNamespace() async throws {
        let pid = try Spawn(
            program: "/usr/bin/unshare", arguments: ["unshare", "-p", "-f", "--kill-child", "sleep", "1000"]
        ).start()
        let process = OwnedDescriptor(try PidFD.open(pid: pid))
        func namespace(_ name: String) -> ino_t {
            var facts = stat()
            return stat("/proc/\(pid)/ns/\(name)", &facts) == 0 ? facts.st_ino : 0
        }
        while namespace("pid_for_children") == 0 || namespace("pid_for_children") == namespace("pid") {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(try !ProcessStat.read(pid: pid).isEntering)
        try PidFD.send(SIGKILL, to: process.descriptor)
        _ = try PidFD.reap(process.descriptor)
    }

    @Test("A line of mountinfo with optional fields and escapes")
    func mountTable() throws {
        let text =
            #"36 35 98:0 /a\040b /mnt\134x rw,noatime shared:1 master:2 - ext3 /dev/root rw,errors=continue"#
            + "\nnonsense\n37 35 0:9 / /mnt rw - tmpfs  rw\n"
        let entries = MountTable.parse(Array(text.utf8))
        let entry = try #require(entries.first)
        // A mount may have been made without a source.
        #expect(entries.count == 2 && entries.last?.source == "" && entries.last?.superOptions == ["rw"])
        #expect(entry.root == "/a b" && entry.mountPoint == #"/mnt\x"#)
        #expect(entry.propagation == ["shared:1", "master:2"])
        #expect(entry.type == "ext3" && entry.source == "/dev/root" && entry.superOptions == ["rw", "errors=continue"])
    }

    @Test(
        "The layout of cgroups is told from the mounts",
        arguments: [
            ("1 0 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw", CgroupLayout.Mode.unified),
            ("1 0 0:1 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory", .legacy),
            (
                "1 0 0:1 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
                    + "2 0 0:2 / /sys/fs/cgroup/unified rw - cgroup2 none rw", .hybrid
            ),
            (
                "1 0 0:1 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
                    + "2 0 0:2 / /sys/fs/cgroup/unified rw - cgroup2 none rw\n"
                    + "3 2 0:3 / /sys/fs/cgroup/unified rw - tmpfs none rw", .legacy
            ),
        ])
    func layout(_ text: String, _ mode: CgroupLayout.Mode) {
        let layout = CgroupLayout(mounts: MountTable.parse(Array(text.utf8)))
        #expect(layout.mode == mode)
        let memory = layout.directory(of: "/g/id", controller: "memory")
        #expect(memory == (mode == .unified ? "/sys/fs/cgroup/g/id" : "/sys/fs/cgroup/memory/g/id"))
    }

    @Test(
        "Signals by name and number",
        arguments: [
            ("KILL", 9), ("SIGTERM", 15), ("sigint", 2), ("9", 9), ("RTMIN", 34), ("RTMIN+3", 37), ("RTMAX-1", 63),
            ("FOO", nil), ("", nil), ("99", nil), ("-1", nil), ("RTMIN+99", nil),
        ] as [(String, Int32?)])
    func signals(_ text: String, _ number: Int32?) { #expect(Signal.number(text) == number) }

    @Test(
        "Paths are cut and cleaned as text",
        arguments: [
            ("/a/b", "/a", "b"), ("b", ".", "b"), ("/b", "/", "b"), ("/a/b/", "/a", "b"), ("a//b", "a/", "b"),
            ("/", "/", ""),
        ])
    func split(_ path: String, _ parent: String, _ name: String) { #expect(PathName.split(path) == (parent, name)) }

    @Test(arguments: [("/a/../../b/./c//", "/b/c"), ("", "/"), ("a", "/a"), ("/..", "/")])
    func cleaned(_ path: String, _ clean: String) { #expect(PathName.cleaned(path) == clean) }

    @Test("Every moment that 64 bits can hold has its text, and a distance to every other")
    func extremeMoments() {
        let first = Timestamp(nanosecondsSinceEpoch: .min)
        let last = Timestamp(nanosecondsSinceEpoch: .max)
        #expect(first.rfc3339Nano == "1677-09-21T00:12:43.145224192Z" && first.nanoseconds == 145_224_192)
        #expect(last.rfc3339Nano == "2262-04-11T23:47:16.854775807Z")
        #expect(last.nanoseconds(since: first) == .max && first.nanoseconds(since: last) == .min)
        #expect(last.nanoseconds(since: Timestamp(nanosecondsSinceEpoch: 5)) == .max - 5)
    }

    @Test("Capabilities by name")
    func capabilities() {
        #expect(CapabilitySet(name: "CAP_CHOWN")?.rawValue == 1)
        #expect(CapabilitySet(name: "sys_admin")?.rawValue == 1 << 21)
        #expect(CapabilitySet(name: "CAP_CHECKPOINT_RESTORE")?.rawValue == 1 << 40)
        #expect(CapabilitySet(name: "CAP_FOO") == nil)
        #expect(CapabilitySet(rawValue: 0x21).names == ["CAP_CHOWN", "CAP_KILL"])
    }

    @Test(
        "A directory of any name is found again among others of an overlay's option",
        arguments: ["/a", "/a:b", "/a,b", "/a\\", "/a\\:b", "/:", "/é,:\\\\x"])
    func overlayPaths(path: String) {
        let text = OverlayPath.escaped(path)
        #expect(OverlayPath.unescaped(text) == path)
        #expect(OverlayPath.parts("/first:\(text):/last") == ["/first", text, "/last"])
        #expect(OverlayPath.parts("") == [])
    }
}
