import CLinux
import Glibc
import Linux
import OCI
import Testing

@testable import Runtime

/// A program gets the rights that its configuration names, and not one more.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(3)))
struct PrivilegeTests {
    private static let runtime = RuntimeUnderTest.ours
    private static let status = ["cat", "/proc/self/status"]

    private func fields(_ text: String) -> [String: String] {
        var found: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { found[String(parts[0])] = parts[1].filter { $0 != "\t" }.description }
        }
        return found
    }

    private static let none = String(repeating: "0", count: 16)

    @Test("CVE-2016-8867, CVE-2018-10856: an ordinary user has no capability that was not asked to be ambient")
    func ordinaryUser() throws {
        let container = try TestContainer(Self.runtime, Self.status)
        container.spec.process?.user.uid = 1000
        container.grant("CAP_NET_RAW", "CAP_SYS_ADMIN")
        let found = fields(try container.run().output)
        for name in ["CapInh", "CapPrm", "CapEff", "CapAmb"] { #expect(found[name] == Self.none, "\(name)") }
    }

    @Test("CVE-2022-27650, CVE-2022-24769: nothing is inheritable that was not asked to be")
    func inheritableOfRun() throws {
        let container = try TestContainer(Self.runtime, Self.status)
        container.grant("CAP_NET_RAW")
        #expect(fields(try container.run().output)["CapInh"] == Self.none)
    }

    @Test("CVE-2022-29162, CVE-2025-27612: nor by exec --cap")
    func inheritableOfExec() throws {
        let container = try TestContainer(Self.runtime)
        try container.createAndStart()
        let result = try container.command(
            "exec", "--cap", "CAP_NET_RAW", container.id, "cat", "/proc/self/status")
        let found = fields(result.output)
        #expect(found["CapInh"] == Self.none, "\(result.errors)")
        #expect(found["CapEff"] != Self.none)
        let unknown = try container.command("exec", "--cap", "CAP_NOPE", container.id, "true")
        #expect(unknown.code == 0 && unknown.errors.contains("unavailable capabilities: [CAP_NOPE]"), "\(unknown)")
    }

    @Test("CVE-2022-36109, CVE-2022-2989: no group of the caller's stays, neither in the container nor in an exec")
    func groups() throws {
        let container = try TestContainer(Self.runtime, ["sh", "-c", "grep Groups /proc/self/status; sleep 30"])
        container.spec.process?.user.uid = 1000
        container.spec.process?.user.gid = 1000
        var own = [gid_t](repeating: 0, count: 64)
        let count = getgroups(64, &own)
        setgroups(3, [0, 4, 27])
        defer { setgroups(Int(max(0, count)), own) }
        try container.createAndStart()
        let result = try container.exec("cat", "/proc/self/status")
        #expect(fields(result.output)["Groups"]?.filter { $0 != " " } == "", "\(result.output)")
        let id = try container.exec("id")
        #expect(id.output == "uid=1000 gid=1000\n" || id.output == "uid=1000 gid=1000 groups=1000\n", "\(id.output)")
    }

    @Test("CVE-2016-3697: a number is an id, also where the image has a user of that name")
    func numericName() throws {
        let container = try TestContainer(Self.runtime)
        try FileContents.replace(
            "\(container.rootfs)/etc/passwd", with: Array("1000:x:0:0::/:/bin/sh\n".utf8), mode: 0o644, durable: false)
        try container.createAndStart()
        let result = try container.command("exec", "--user", "1000", container.id, "id", "-u")
        #expect(result.output == "1000\n", "\(result.errors)")
    }

    @Test(
        "CVE-2026-30892: the user of an exec is the one named, with or without a group",
        arguments: [
            ("1", "1 0"), ("1:2", "1 2"), ("0", "0 0"), ("65534:1", "65534 1"), ("-1", nil), ("4294967295", nil),
            ("4294967296", nil),
            ("1:", nil),
            (":1", nil), ("1x", nil), ("root", nil), ("1:2:3", nil), ("", nil),
        ])
    func execUser(_ user: String, _ ids: String?) throws {
        let container = try TestContainer(Self.runtime)
        try container.createAndStart()
        let result = try container.command(
            "exec", "--user", user, container.id, "sh", "-c", "echo $(id -u) $(id -g)")
        if let ids {
            #expect(result.output == ids + "\n", "\(result.errors)")
        } else {
            #expect(result.code != 0 && result.output == "", "\(result.output)")
        }
    }

    @Test("In a user namespace, where the host's nodes are shown, a device is no other file of the host's")
    func devicesOfUserNamespace() throws {
        let container = try TestContainer(Self.runtime, ["sh", "-c", "cat /dev/* 2>/dev/null; cat /etc/secret"])
        let path = "\(try container.hostFolder())/secret"
        container.spec.linux.namespaces.append(LinuxNamespace(.user))
        let mapping = LinuxIDMapping(containerID: 0, hostID: 100_000, size: 1000)
        (container.spec.linux.uidMappings, container.spec.linux.gidMappings) = ([mapping], [mapping])
        container.spec.mounts.removeAll { $0.type == "cgroup" || $0.type == "sysfs" }
        for (major, minor) in [(1, 3), (8, 0)] {
            container.spec.linux.devices = [
                LinuxDevice(path: path, type: "c", major: Int64(major), minor: Int64(minor))
            ]
            let result = try container.run()
            #expect(result.code == 1 && result.output == "", "\(result.output)")
            #expect(try container.leftovers() == [])
        }
    }

    @Test("The number that says `as it was` to the kernel is no id, of a user, a group or a further group")
    func noID() throws {
        for change in [\RuntimeUser.uid, \RuntimeUser.gid] {
            let container = try TestContainer(Self.runtime, ["id"])
            container.spec.process?.user[keyPath: change] = .max
            let result = try container.run()
            #expect(result.code == 1 && result.output == "", "\(result.output)")
            #expect(result.errors.contains("process.user"), "\(result.errors)")
        }
        let container = try TestContainer(Self.runtime, ["id"])
        container.spec.process?.user.additionalGids = [1, .max]
        #expect(try container.run().code == 1)
    }

    @Test("CVE-2019-10144, CVE-2019-10145, CVE-2019-10147: exec is under the container's filter, rights and limits")
    func execIsConfined() throws {
        let container = try TestContainer(Self.runtime)
        var profile = LinuxSeccomp(defaultAction: "SCMP_ACT_ALLOW")
        profile.syscalls = [LinuxSyscall(["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 95)]
        container.spec.linux.seccomp = profile
        try container.createAndStart()
        let first = fields(
            String(
                decoding: try FileContents.read("/proc/\(try container.state()["pid"]?.integer ?? 0)/status"),
                as: UTF8.self))
        let further = fields(try container.exec("cat", "/proc/self/status").output)
        for name in ["Seccomp", "NoNewPrivs", "CapBnd", "CapEff", "CapPrm"] {
            #expect(first[name] == further[name], "\(name)")
        }
        #expect(further["Seccomp"] == "2")
        let directory = try #require(try container.cgroup.lifetimeDirectory)
        let groups = try container.exec("cat", "/proc/self/cgroup").output
        #expect(groups.contains(PathName.split(directory).name), "\(groups)")
        #expect(try container.exec("mkdir", "/tmp/a").errors.contains("not supported"))
    }

    @Test("CVE-2017-5226, CVE-2016-10124: the caller's terminal is not the program's, which could type into it")
    func callersTerminal() throws {
        let terminal = OwnedDescriptor(try Descriptor.open("/dev/ptmx", O_RDWR | O_NOCTTY))
        var locked: Int32 = 0
        // TIOCSPTLCK.
        try kernelCall("unlock") { gantry_ioctl_pointer(terminal.descriptor.rawValue, 0x4004_5431, &locked) }
        let far = OwnedDescriptor(try PseudoTerminal.peer(of: terminal.descriptor))
        let container = try TestContainer(Self.runtime, ["sh", "-c", "cut -d' ' -f7 /proc/self/stat; exec 3</dev/tty"])
        container.install("cut")
        try container.write()
        let result = try Self.runtime.run(
            ["run", container.id], root: container.root, in: container.bundle, input: far.descriptor)
        #expect(result.output == "0\n", "\(result.errors)")
        #expect(result.errors.contains("/dev/tty"), "\(result.errors)")
    }

    @Test("CVE-2021-43784: mappings that are too many end in an error, never in a container without them")
    func hugeMappings() throws {
        let container = try TestContainer(Self.runtime, ["touch", "/tmp/ran"])
        container.spec.linux.namespaces.append(LinuxNamespace(.user))
        let mappings = (0..<5000).map { LinuxIDMapping(containerID: $0 * 2, hostID: 100_000 + $0 * 2, size: 1) }
        (container.spec.linux.uidMappings, container.spec.linux.gidMappings) = (mappings, mappings)
        let result = try container.run()
        #expect(result.code == 1)
        #expect(access("\(container.rootfs)/tmp/ran", F_OK) != 0)
        #expect(try container.leftovers() == [])
    }

    @Test("CVE-2025-23266: a hook gets the environment that the hook names, not the container's")
    func hookEnvironment() throws {
        let container = try TestContainer(Self.runtime, ["true"])
        let output = "\(container.folder)/environment"
        container.spec.process?.env += ["LD_PRELOAD=/evil.so"]
        let hook = RuntimeHook(path: "/bin/sh", args: ["sh", "-c", "env > \(output)"])
        container.spec.hooks.createContainer = [hook]
        container.spec.hooks.createRuntime = [hook]
        let result = try container.run()
        #expect(result.code == 0, "\(result.errors)")
        let text = String(decoding: try FileContents.read(output), as: UTF8.self)
        #expect(!text.contains("LD_PRELOAD"), "\(text)")
    }

    @Test("CVE-2022-1227, CVE-2019-14271: no program of the image runs outside, such as its ps")
    func programsOfImage() throws {
        let container = try TestContainer(Self.runtime)
        let host = try container.hostFolder()
        unlink("\(container.rootfs)/bin/ps")
        try FileContents.replace(
            "\(container.rootfs)/bin/ps", with: Array("#!/bin/sh\ntouch \(host)/ran /tmp/ran\n".utf8), mode: 0o755,
            durable: false)
        try container.createAndStart()
        let result = try container.command("ps", container.id)
        #expect(result.output.contains("sleep"), "\(result.errors)")
        try container.expectHostUntouched(host)
        #expect(access("\(container.rootfs)/tmp/ran", F_OK) != 0)
    }
}
