import Glibc
import JSON
import Linux
import OCI
import Testing

@testable import Runtime

/// What a process's own properties do to it: scheduling, personality, mask, keys, clocks.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct ProcessPropertiesTests {
    @Test("The scheduler's policy and nice value are the program's, also of exec")
    func scheduler() throws {
        let container = try TestContainer(.ours, ["sleep", "60"])
        var scheduler = RuntimeScheduler(.batch)
        scheduler.nice = 7
        container.spec.process?.scheduler = scheduler
        try container.createAndStart()
        let pid = try #require(try container.state()["pid"]?.integer)
        #expect(sched_getscheduler(pid_t(pid)) == 3)
        #expect(getpriority(__priority_which_t(0), id_t(pid)) == 7)
        let result = try container.exec("sh", "-c", "cat /proc/self/stat")
        let fields = result.output.split(separator: " ")
        #expect(fields.count > 40 && fields[18] == "7" && fields[40] == "3", "\(result.output)\(result.errors)")
    }

    @Test("What a policy does not take is refused, naming the property")
    func schedulerRefusals() throws {
        let table: [(String, String)] = [
            (#"{"policy":"SCHED_FAST"}"#, "process.scheduler.policy"),
            (#"{"policy":"SCHED_OTHER","nice":20}"#, "process.scheduler.nice"),
            (#"{"policy":"SCHED_OTHER","priority":1}"#, "process.scheduler.priority"),
            (#"{"policy":"SCHED_FIFO","runtime":1}"#, "process.scheduler.runtime"),
            (#"{"policy":"SCHED_FIFO","flags":["SCHED_FLAG_X"]}"#, "process.scheduler.flags[0]"),
            (#"{}"#, "process.scheduler.policy"),
        ]
        for (text, property) in table {
            let json = try JSONValue(parsing: Array(#"{"cwd":"/","scheduler":\#(text)}"#.utf8))
            let error = #expect(throws: RuntimeSpecError.self) {
                try RuntimeProcess(RuntimeProperty(json, name: "process"))
            }
            #expect(error?.property == property)
        }
        // What only the kernel knows is told with the property's name too: no machine runs SCHED_ISO.
        let container = try TestContainer(.ours)
        container.spec.process?.scheduler = RuntimeScheduler(.iso)
        let result = try container.create()
        #expect(result.code == 1 && result.errors.contains("process.scheduler: sched_setattr"), "\(result.errors)")
        #expect(try container.leftovers() == [])
    }

    @Test("The priority of input and output is the program's")
    func ioPriority() throws {
        let container = try TestContainer(.ours, ["busybox", "ionice", "-p", "1"])
        container.spec.process?.ioPriority = RuntimeIOPriority(.bestEffort, priority: 6)
        let result = try container.run()
        #expect(result.output.hasPrefix("best-effort: prio 6"), "\(result.output)\(result.errors)")
    }

    @Test("Under the personality of a 32-bit machine uname says so, also in exec")
    func personality() throws {
        let container = try TestContainer(.ours)
        container.spec.linux.personality = LinuxPersonality(.linux32)
        try container.createAndStart()
        #expect(try container.exec("busybox", "uname", "-m").output == "i686\n")
    }

    @Test("exec begins on its initial processors and ends on its final ones")
    func processors() throws {
        let container = try TestContainer(.ours)
        container.spec.process?.execCPUAffinity = RuntimeCPUAffinity(initial: "0", final: "0")
        try container.createAndStart()
        let pinned = try container.exec("grep", "Cpus_allowed_list", "/proc/self/status")
        #expect(pinned.output == "Cpus_allowed_list:\t0\n", "\(pinned.errors)")
        var process = try #require(container.spec.process)
        process.execCPUAffinity = RuntimeCPUAffinity(final: "x")
        process.args = ["true"]
        let file = "\(container.folder)/process.json"
        try FileContents.replace(file, with: process.json.compactBytes, durable: false)
        let refused = try container.command("exec", "--process", file, container.id)
        #expect(refused.errors.contains("process.execCPUAffinity.final"), "\(refused.errors)")
    }

    @Test(
        "Lists of processors are read as cpuset(7) has them",
        arguments: [
            ("0", [1]), ("0-3,7", [0x8F]), ("8", [0, 1]), ("1,0", [3]), ("3-1", nil), ("", nil), ("a", nil),
            ("0-", nil), ("99999", nil),
        ] as [(String, [UInt8]?)])
    func lists(_ list: String, _ bytes: [UInt8]?) {
        #expect(ProcessorSet(list)?.bytes == bytes)
    }

    @Test("Without a umask of its own a program has 0022, whatever the caller's", arguments: RuntimeUnderTest.all)
    func umask(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime, ["sh", "-c", "umask"])
        let own = Glibc.umask(0o077)
        defer { _ = Glibc.umask(own) }
        chmod(container.folder, 0o755)
        #expect(try container.run().output == "0022\n")
    }

    @Test("The session keyring is the container's own, and its owner may search it", arguments: RuntimeUnderTest.all)
    func keyring(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime, ["cat", "/proc/keys"])
        container.spec.linux.maskedPaths = []
        let result = try container.run()
        let line = result.output.split(separator: "\n").first { $0.contains("_ses.\(container.id)") }
        let fields = line?.split(separator: " ") ?? []
        try #require(fields.count > 4, "\(result.output)\(result.errors)")
        #expect(UInt32(fields[4], radix: 16).map { $0 & 0x80000 } == 0x80000)
    }

    @Test("exec reads the container's clocks, hooks read the runtime's")
    func clocks() throws {
        let container = try TestContainer(.ours)
        let record = "\(container.folder)/offsets"
        container.spec.linux.namespaces.append(LinuxNamespace(.time))
        container.spec.linux.timeOffsets = [
            "boottime": LinuxTimeOffset(seconds: 7200), "monotonic": LinuxTimeOffset(seconds: -1, nanoseconds: 5),
        ]
        container.spec.hooks.createRuntime = [
            RuntimeHook(path: "/bin/sh", args: ["sh", "-c", "cat /proc/self/timens_offsets > \(record)"])
        ]
        try container.createAndStart()
        let inside = try container.exec("cat", "/proc/self/timens_offsets")
        #expect(
            inside.output.split(whereSeparator: \.isWhitespace) == ["monotonic", "-1", "5", "boottime", "7200", "0"],
            "\(inside.errors)")
        let outside = String(decoding: try FileContents.read(record), as: UTF8.self)
        #expect(outside.split(whereSeparator: \.isWhitespace) == ["monotonic", "0", "0", "boottime", "0", "0"])
        let offset = LinuxNamespace(.time, path: "/proc/\(try #require(try container.state()["pid"]?.integer))/ns/time")
        let second = try TestContainer(.ours, ["cat", "/proc/self/timens_offsets"])
        second.spec.linux.namespaces.append(offset)
        #expect(try second.run().output == inside.output)
    }

    @Test("A hook of the end that fails is told, and changes nothing")
    func lateHooks() throws {
        let container = try TestContainer(.ours)
        let record = "\(container.folder)/late"
        let failing = RuntimeHook(path: "/bin/sh", args: ["sh", "-c", "exit 4"])
        let noting = RuntimeHook(path: "/bin/sh", args: ["sh", "-c", "echo ran >> \(record)"])
        container.spec.hooks.poststart = [failing, noting]
        container.spec.hooks.poststop = [failing, noting]
        _ = try container.create()
        let started = try container.command("start", container.id)
        let told = "hook #0: error running hook: exit status 4"
        #expect(started.code == 0 && started.errors.contains("poststart \(told)"), "\(started.errors)")
        #expect(try container.status() == "running")
        let deleted = try container.command("delete", "--force", container.id)
        #expect(deleted.code == 0 && deleted.errors.contains("poststop \(told)"), "\(deleted.errors)")
        #expect(String(decoding: try FileContents.read(record), as: UTF8.self) == "ran\nran\n")
    }

    @Test("A sysctl of a network namespace that turns out to be the host's is refused", arguments: RuntimeUnderTest.all)
    func hostNetwork(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        container.spec.linux.namespaces.removeAll { $0.kind == .network }
        container.spec.linux.namespaces.append(LinuxNamespace(.network, path: "/proc/self/ns/net"))
        container.spec.linux.sysctl = ["net.ipv4.ip_forward": "0"]
        let result = try container.create()
        #expect(result.errors.contains("not allowed in host network namespace"), "\(result.errors)")
        #expect(try container.leftovers() == [])
    }
}
