import Glibc
import JSON
import Linux
import OCI
import Testing

@testable import Runtime

/// Who a container's program is, what the image says of that, and whose limits it is under.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct IdentityTests {
    private static let runtime = RuntimeUnderTest.ours

    @Test(
        "CVE-2024-40635: an id too large for the kernel is refused, and does not come round to root's",
        arguments: ["4294967296", "4294967297", "18446744073709551616", "-1", "-4294967296", "4294967295", "0.5"])
    func overflow(_ number: String) throws {
        for key in ["uid", "gid"] {
            let container = try TestContainer(Self.runtime, ["id"])
            // Written by hand: the model of a document cannot even hold these.
            let text = container.spec.json.compactText.replacing("\"\(key)\":0", with: "\"\(key)\":\(number)")
            #expect(text.contains(number))
            try FileContents.replace(
                "\(container.bundle)/config.json", with: Array(text.utf8), mode: 0o644, durable: false)
            let result = try container.command("run", container.id)
            #expect(result.code == 1 && result.output == "", "\(result.output)")
            #expect(result.errors.contains("process.user"), "\(result.errors)")
            #expect(try container.leftovers() == [])
        }
    }

    @Test(
        "CVE-2024-40635: an id beyond 31 bits is that id, for the program and for an exec",
        arguments: [2_147_483_647, 2_147_483_648, 4_294_967_294] as [UInt32])
    func large(_ number: UInt32) throws {
        let container = try TestContainer(Self.runtime)
        container.spec.process?.user = RuntimeUser(uid: number, gid: number)
        try container.createAndStart()
        let words: [String] = ["grep", "-E", "^(Uid|Gid):", "/proc/1/status"]
        let first = try container.runtime.run(["exec", container.id] + words, root: container.root)
        let ids = [Substring](repeating: Substring(String(number)), count: 4).joined(separator: "\t")
        #expect(first.output == "Uid:\t\(ids)\nGid:\t\(ids)\n", "\(first.errors)")
        let own: [String] = ["exec", "--user", "\(number):\(number)", container.id, "grep", "-E", "^(Uid|Gid):"]
        let second = try container.runtime.run(own + ["/proc/self/status"], root: container.root)
        #expect(second.output == first.output, "\(second.errors)")
    }

    @Test(
        "CVE-2024-9676, CVE-2024-5154: the image's list of users is read in its root, and no link leads out of it",
        arguments: ["link", "climbing", "proc"])
    func linkedUsers(_ kind: String) throws {
        let container = try TestContainer(Self.runtime, ["sh", "-c", "echo $HOME"])
        let host = try container.hostFolder()
        try FileContents.replace(
            "\(host)/secret", with: Array("root:x:0:0::/stolen:/bin/sh\n".utf8), mode: 0o644, durable: false)
        container.spec.process?.env = ["PATH=/bin"]
        switch kind {
        case "link": try container.link("/etc/passwd", to: "\(host)/secret")
        case "climbing": try container.link("/etc/passwd", to: "\(container.wayOut)\(host.dropFirst())/secret")
        default: try container.link("/etc/passwd", to: "/proc/1/root\(host)/secret")
        }
        let result = try container.run()
        #expect(result.code == 0 && result.output == "/\n", "\(result.output) \(result.errors)")
    }

    @Test(
        "CVE-2024-9676, CVE-2025-4437, CVE-2026-47262, CVE-2026-135844: a list of users without an end holds nobody up",
        arguments: ["fifo", "zero", "sparse", "line"])
    func endlessUsers(_ kind: String) throws {
        let container = try TestContainer(Self.runtime, ["sh", "-c", "echo $HOME"])
        container.spec.process?.env = ["PATH=/bin"]
        let place = "\(container.rootfs)/etc/passwd"
        switch kind {
        case "fifo": mkfifo(place, 0o644)
        case "zero": symlink("/dev/zero", place)
        case "line":
            let line = Array("root:x:0:0:".utf8) + [UInt8](repeating: 97, count: 2 << 20) + Array(":/long:\n".utf8)
            try FileContents.replace(place, with: line, mode: 0o644, durable: false)
        default:
            try FileContents.replace(place, with: [10], mode: 0o644, durable: false)
            #expect(truncate(place, 1 << 40) == 0)
        }
        // Far less than the file would take, were it read whole.
        var limits = container.spec.linux.resources ?? LinuxResources()
        limits.memory = LinuxMemory(limitBytes: 32 << 20)
        container.spec.linux.resources = limits
        let result = try container.run()
        #expect(result.code == 0 && result.output == "/\n", "\(result.output) \(result.errors)")
    }

    @Test("CVE-2025-47291: a container in a user namespace is in its cgroup and under its limits like any other")
    func limitsOfUserNamespace() throws {
        let container = try TestContainer(Self.runtime)
        container.spec.linux.namespaces.append(LinuxNamespace(.user))
        let mapping = LinuxIDMapping(containerID: 0, hostID: 100_000, size: 65536)
        (container.spec.linux.uidMappings, container.spec.linux.gidMappings) = ([mapping], [mapping])
        var resources = container.spec.linux.resources ?? LinuxResources()
        resources.pids = LinuxPids(limit: 7)
        resources.memory = LinuxMemory(limitBytes: 48 << 20)
        container.spec.linux.resources = resources
        try container.createAndStart()
        #expect(try container.limit("pids", legacy: "pids.max", unified: "pids.max") == "7")
        let memory = try container.limit("memory", legacy: "memory.limit_in_bytes", unified: "memory.max")
        #expect(memory == String(48 << 20))
        let pid = try #require(try container.state()["pid"]?.integer)
        let own = String(decoding: try FileContents.read("/proc/\(pid)/cgroup"), as: UTF8.self)
        let layout = try CgroupLayout.current()
        for controller in layout.mode == .unified ? [""] : ["pids", "memory", "devices"] {
            let line = own.split(separator: "\n").first { line in
                let parts = line.split(separator: ":", omittingEmptySubsequences: false)
                return parts.count == 3 && parts[1].split(separator: ",").contains(Substring(controller))
                    || controller.isEmpty && line.hasPrefix("0::")
            }
            #expect(line?.hasSuffix("/\(container.id)") == true, "\(controller): \(own)")
        }
        let forks = "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 30 & done; echo made"
        let result = try container.exec("sh", "-c", forks)
        #expect(result.code != 0 || result.errors.contains("fork"), "\(result.output)\(result.errors)")
    }
}
