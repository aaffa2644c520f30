import Glibc
import JSON
import Linux
import OCI
import Testing

@testable import Runtime

/// Filters that ask an agent, and what profiles may say.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct SeccompListenerTests {
    private static func profile(_ container: TestContainer) -> LinuxSeccomp {
        var profile = LinuxSeccomp(defaultAction: "SCMP_ACT_ALLOW")
        profile.listenerPath = "\(container.folder)/agent.sock"
        profile.listenerMetadata = "for the agent"
        profile.syscalls = [LinuxSyscall(["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY")]
        return profile
    }

    /// What came over a connection, read without taking it, then taken with its descriptor.
    private static func take(_ listener: Descriptor) throws -> (JSONValue, Descriptor) {
        let connection = try UnixSocket.accept(listener)
        defer { connection.close() }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = try kernelCall("peek") { recv(connection.rawValue, &buffer, 4096, 2) }
        let state = try JSONValue(parsing: Array(buffer[..<count]))
        return (state, try UnixSocket.receiveDescriptor(connection))
    }

    @Test(
        "The agent gets the filter's descriptor with the process's state, of create and of exec",
        arguments: [true, false])
    func handOver(_ hasNoNewPrivileges: Bool) throws {
        let container = try TestContainer(.ours)
        container.spec.process?.noNewPrivileges = hasNoNewPrivileges
        container.spec.annotations = ["a": "b"]
        container.spec.linux.seccomp = Self.profile(container)
        let folder = OwnedDescriptor(try Descriptor.open(container.folder, O_PATH | O_DIRECTORY))
        let listener = OwnedDescriptor(try UnixSocket.listen(in: folder.descriptor, name: "agent.sock"))
        try container.createAndStart()
        let pid = try #require(try container.state()["pid"]?.integer)

        let (state, filter) = try Self.take(listener.descriptor)
        #expect(state["fds"]?.array == [.string("seccompFd")])
        #expect(state["metadata"]?.string == "for the agent")
        #expect(state["pid"]?.integer == pid)
        #expect(state["state"]?["id"]?.string == container.id)
        #expect(state["state"]?["status"]?.string == "creating")
        #expect(state["state"]?["annotations"]?["a"]?.string == "b")
        var target = [CChar](repeating: 0, count: 100)
        readlink(filter.procPath, &target, 99)
        #expect(
            String(decoding: target.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                == "anon_inode:seccomp notify")
        filter.close()

        let detached = try container.command("exec", "--detach", container.id, "sleep", "50")
        #expect(detached.code == 0, "\(detached.errors)")
        let (second, other) = try Self.take(listener.descriptor)
        other.close()
        #expect(second["state"]?["status"]?.string == "running")
        #expect(second["state"]?["pid"]?.integer == pid)
        #expect(second["pid"]?.integer != pid)
    }

    @Test("A call about which nobody can be asked any more fails, the others go on")
    func orphaned() throws {
        let container = try TestContainer(.ours, ["sh", "-c", "sleep 1; mkdir /made; echo on"])
        container.spec.linux.seccomp = Self.profile(container)
        let folder = OwnedDescriptor(try Descriptor.open(container.folder, O_PATH | O_DIRECTORY))
        let listener = OwnedDescriptor(try UnixSocket.listen(in: folder.descriptor, name: "agent.sock"))
        let output = "\(container.folder)/output"
        let file = OwnedDescriptor(try Descriptor.open(output, O_RDWR | O_CREAT, mode: 0o600))
        container.spec.mounts.append(
            RuntimeMount(destination: "/output", source: output, options: ["bind"]))
        container.spec.process?.args = ["sh", "-c", "mkdir /made 2> /output; echo on >> /output"]
        _ = try container.create()
        let (_, filter) = try Self.take(listener.descriptor)
        filter.close()
        #expect(try container.command("start", container.id).code == 0)
        try container.waitForEnd()
        let text = String(decoding: try file.descriptor.readAll(), as: UTF8.self)
        #expect(text.contains("Function not implemented") && text.hasSuffix("on\n"), "\(text)")
    }

    @Test("Nobody at the listener's path ends create, and leaves nothing")
    func nobody() throws {
        let container = try TestContainer(.ours)
        container.spec.linux.seccomp = Self.profile(container)
        let result = try container.create()
        #expect(result.code == 1 && result.errors.contains("linux.seccomp.listenerPath"), "\(result.errors)")
        #expect(try container.leftovers() == [])
    }

    @Test("What a profile may not say is refused, naming the property")
    func refusals() throws {
        let table: [(String, (inout LinuxSeccomp) -> Void)] = [
            (
                "linux.seccomp.listenerPath: must be set",
                {
                    $0.listenerPath = nil; $0.listenerMetadata = nil
                }
            ),
            ("linux.seccomp.listenerMetadata: must not be set", { $0.listenerPath = nil }),
            (
                "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be used as default",
                { $0.defaultAction = "SCMP_ACT_NOTIFY" }
            ),
            ("cannot be used for the write syscall", { $0.syscalls[0].names.append("write") }),
            ("linux.seccomp.syscalls[0]: names must not be empty", { $0.syscalls[0].names = [] }),
            ("linux.seccomp.syscalls[0]: SCMP_ACT_NOTIFY takes no errno", { $0.syscalls[0].errnoRet = 3 }),
            ("linux.seccomp.defaultAction: SCMP_ACT_ALLOW takes no errno", { $0.defaultErrnoRet = 3 }),
            ("seccomp flag \"X\" not supported", { $0.flags = ["X"] }),
            (
                "of use with SCMP_ACT_NOTIFY only",
                {
                    $0.syscalls = []
                    $0.flags = ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]
                }
            ),
        ]
        let folder = "/tmp/gantry-test-profile-\(getpid())"
        try Directory.create(folder)
        defer { try? Directory.removeTree(folder) }  // The test's own folder; nothing to tell.
        for (words, change) in table {
            var profile = Self.profile(try TestContainer(.ours))
            change(&profile)
            let error = #expect(throws: RuntimeError.self, "\(words)") {
                try SeccompCache(root: folder).filter(for: profile)
            }
            #expect(error?.message.contains(words) == true, "\(words): \(error?.message ?? "")")
        }
    }

    @Test("The actions do what their names say", arguments: RuntimeUnderTest.all)
    func actions(_ runtime: RuntimeUnderTest) throws {
        let table: [(LinuxSyscall, Int32, String)] = [
            (LinuxSyscall(["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 28), 1, "No space left"),
            (LinuxSyscall(["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO"), 1, "not permitted"),
            (LinuxSyscall(["mkdir", "mkdirat"], action: "SCMP_ACT_TRACE"), 1, "Function not implemented"),
            (LinuxSyscall(["mkdir", "mkdirat"], action: "SCMP_ACT_LOG"), 0, ""),
            (LinuxSyscall(["mkdir", "mkdirat"], action: "SCMP_ACT_KILL_PROCESS"), 159, "Bad system call"),
            (LinuxSyscall(["mkdir", "mkdirat"], action: "SCMP_ACT_KILL"), 159, "Bad system call"),
            (LinuxSyscall(["mkdir", "mkdirat"], action: "SCMP_ACT_KILL_THREAD"), 159, "Bad system call"),
            (LinuxSyscall(["mkdir", "mkdirat"], action: "SCMP_ACT_TRAP"), 159, "Bad system call"),
        ]
        for (rule, code, words) in table {
            let container = try TestContainer(runtime, ["sh", "-c", "mkdir /made; echo \"code $?\""])
            var profile = LinuxSeccomp(defaultAction: "SCMP_ACT_ALLOW")
            // runc 1.1 takes no flags.
            if runtime.name == RuntimeUnderTest.ours.name { profile.flags = ["SECCOMP_FILTER_FLAG_LOG"] }
            profile.syscalls = [rule]
            container.spec.linux.seccomp = profile
            let result = try container.run()
            #expect(result.output == "code \(code)\n", "\(rule.action): \(result.errors)")
            #expect(result.errors.contains(words), "\(rule.action): \(result.errors)")
        }
    }
}

/// The program for calls newer than a profile, run by an interpreter of its few instructions.
@Suite struct SeccompUnknownCallsTests {
    private static let calls = SeccompUnknownCalls(architectures: [
        .init(token: 0xC000_003E, last: 300, lastX32: 0x4000_0200), .init(token: 0x4000_0003, last: 400),
        .init(token: 0xC000_00B7), .init(token: 0x8000_0016, last: 350, isMultiplexed: true),
    ])

    @Test(
        "A call above the highest one of its architecture is unknown, any other goes to the filter",
        arguments: [
            (0xC000_003E, 300, false), (0xC000_003E, 301, true), (0xC000_003E, 0x4000_0200, false),
            (0xC000_003E, 0x4000_0201, true), (0x4000_0003, 350, false), (0x4000_0003, 401, true),
            (0xC000_00B7, 9999, false), (0x8000_0016, 0, true), (0x8000_0016, 1, false), (0x8000_0016, 351, true),
            (0x1234, 9999, false),
        ] as [(UInt32, UInt32, Bool)])
    func answers(_ architecture: UInt32, _ number: UInt32, _ isUnknown: Bool) {
        #expect(Self.run(Self.calls.program, architecture, number) == isUnknown)
    }

    @Test("Without x32 its calls are the filter's to refuse")
    func withoutX32() {
        let program = SeccompUnknownCalls(architectures: [.init(token: 0xC000_003E, last: 300)]).program
        #expect(!Self.run(program, 0xC000_003E, 0x4000_0201))
        #expect(Self.run(program, 0xC000_003E, 301))
    }

    @Test("A permissive profile, and one that says ENOSYS itself, needs no help")
    func needless() throws {
        func compiled(_ action: String, _ errno: UInt32?, _ rule: String) throws -> [UInt8] {
            var profile = LinuxSeccomp(defaultAction: action)
            profile.defaultErrnoRet = errno
            profile.syscalls = [LinuxSyscall(["read", "write", "exit"], action: rule)]
            return try SeccompCompiler.compile(profile)
        }
        let plain = try compiled("SCMP_ACT_ERRNO", 38, "SCMP_ACT_ALLOW")
        let helped = try compiled("SCMP_ACT_ERRNO", 1, "SCMP_ACT_ALLOW")
        #expect(helped.count == plain.count + 7 * 8)
        #expect(try compiled("SCMP_ACT_KILL", nil, "SCMP_ACT_ALLOW").prefix(56) == helped.prefix(56))
        #expect(try compiled("SCMP_ACT_ALLOW", nil, "SCMP_ACT_ERRNO").prefix(56) != helped.prefix(56))
    }

    /// Whether the program answers itself; else it leads to its end, where the filter follows.
    private static func run(_ program: [UInt8], _ architecture: UInt32, _ number: UInt32) -> Bool {
        var accumulator: UInt32 = 0
        var position = 0
        while position < program.count / 8 {
            let bytes = program[(position * 8)..<(position * 8 + 8)].map { UInt32($0) }
            let value = bytes[4] | bytes[5] << 8 | bytes[6] << 16 | bytes[7] << 24
            func jump(_ holds: Bool) { position += Int(holds ? bytes[2] : bytes[3]) }
            position += 1
            switch bytes[0] {
            case 0x20: accumulator = value == 0 ? number : architecture
            case 0x15: jump(accumulator == value)
            case 0x25: jump(accumulator > value)
            case 0x35: jump(accumulator >= value)
            case 0x05: position += Int(value)
            case 0x06: return value == 0x0005_0026
            default: preconditionFailure("an instruction that the program should not have: \(bytes[0])")
            }
        }
        return false
    }
}
