import Glibc
import Linux
import OCI
import Testing

@testable import Runtime

/// An image, and whoever shares a volume with a container in the making, choose what lies at the targets of its mounts.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(3)))
struct MountTargetTests {
    private static let runtime = RuntimeUnderTest.ours

    /// A container with a volume, which an attacker shares, at `/vol`.
    private func sharing(_ command: [String]) throws -> (container: TestContainer, volume: String, host: String) {
        let container = try TestContainer(Self.runtime, command)
        let volume = "\(container.folder)/volume"
        try Directory.create(volume)
        container.spec.mounts.append(RuntimeMount(destination: "/vol", source: volume, options: ["rbind", "rprivate"]))
        return (container, volume, try container.hostFolder())
    }

    @Test(
        "CVE-2019-18837, CVE-2015-1335: a link at a mount's target leads nowhere but inside",
        arguments: ["/", "../../../../../../../../../", "/proc/self/root/", "/proc/1/root/"])
    func linkedTarget(_ prefix: String) throws {
        let container = try TestContainer(Self.runtime, ["true"])
        let host = try container.hostFolder()
        let source = "\(container.folder)/volume"
        try Directory.create(source)
        try container.link("/tmp", to: prefix + host.dropFirst())
        container.spec.mounts += [
            RuntimeMount(destination: "/tmp", source: source, options: ["bind"]),
            RuntimeMount(destination: "/tmp/deeper", type: "tmpfs", source: "tmpfs"),
            RuntimeMount(destination: "/tmp/file", source: "/dev/null", options: ["bind"]),
        ]
        _ = try container.run()
        try container.expectHostUntouched(host)
    }

    @Test(
        "CVE-2015-3629, CVE-2026-41579, CVE-2026-47766: in place of a link at /dev nothing is made, removed or linked outside"
    )
    func linkedDevices() throws {
        let container = try TestContainer(Self.runtime, ["true"])
        let host = try container.hostFolder()
        // What runtimes put into /dev, and take away there first.
        let names = ["ptmx", "console", "null", "fd", "stdin"]
        for name in names { try FileContents.replace("\(host)/\(name)", with: [104], durable: false) }
        for name in ["dev", "etc"] { try container.link("/\(name)", to: host) }
        for terminal in [false, true] {
            container.spec.process?.terminal = terminal
            container.spec.mounts.removeAll { $0.destination.hasPrefix("/dev") }
            _ = try container.run()
            _ = try container.command("delete", "--force", container.id)
        }
        for name in names {
            #expect(try FileContents.read("\(host)/\(name)") == [104], "\(name)")
            unlink("\(host)/\(name)")
        }
        try container.expectHostUntouched(host)
    }

    @Test(
        "CVE-2019-16884, CVE-2015-3631: nothing is mounted over files of /proc, whose writing limits the program",
        arguments: [
            "/proc/self/attr", "/proc/self/attr/exec", "/proc/sys/kernel", "/proc/1", "//proc/./self/../self/attr",
        ])
    func overProc(_ destination: String) throws {
        let container = try TestContainer(Self.runtime, ["true"])
        container.spec.mounts.append(
            RuntimeMount(destination: destination, source: try container.hostFolder(), options: ["bind"]))
        let result = try container.run()
        #expect(result.code == 1)
        #expect(result.errors.contains("cannot be mounted because it is inside /proc"), "\(result.errors)")
        #expect(try container.leftovers() == [])
    }

    @Test("CVE-2019-16884: nor by a link of the image that leads into /proc", arguments: ["tmpfs", "bind"])
    func overProcByLink(_ type: String) throws {
        let container = try TestContainer(Self.runtime, ["true"])
        try container.link("/tmp", to: "/proc/self/attr")
        container.spec.mounts.append(
            type == "bind"
                ? RuntimeMount(destination: "/tmp", source: try container.hostFolder(), options: ["bind"])
                : RuntimeMount(destination: "/tmp", type: "tmpfs", source: "tmpfs"))
        let result = try container.run()
        #expect(result.code == 1)
        #expect(result.errors.contains("inside /proc"), "\(result.errors)")
        #expect(try container.leftovers() == [])
    }

    @Test(
        "CVE-2019-19921, CVE-2023-27561, CVE-2023-28642, CVE-2025-54867: /proc and /sys are no links of the image",
        arguments: ["/proc", "/sys"])
    func linkedProc(_ name: String) throws {
        let (container, volume, host) = try sharing(["true"])
        try Directory.create("\(volume)/fake")
        container.spec.mounts.removeAll { $0.type == "cgroup" }
        container.spec.mounts.reverse()
        try container.link(name, to: "/vol/fake")
        let result = try container.run()
        #expect(result.code == 1)
        #expect(result.errors.contains("must be mounted on ordinary directory"), "\(result.errors)")
        try container.expectHostUntouched(host)
        #expect(try Directory.list("\(volume)/fake") == [])
        #expect(try container.leftovers() == [])
    }

    @Test("CVE-2019-19921: what is set by /proc is not written to a file system that only looks like it")
    func fakeProc() throws {
        let container = try TestContainer(Self.runtime, ["true"])
        container.spec.mounts.removeAll { $0.destination == "/proc" }
        try Directory.create("\(container.rootfs)/proc/sys/net/ipv4")
        let fake = "\(container.rootfs)/proc/sys/net/ipv4/ip_forward"
        try FileContents.replace(fake, with: Array("untouched".utf8), durable: false)
        container.spec.linux.sysctl = ["net.ipv4.ip_forward": "1"]
        let result = try container.run()
        #expect(result.code == 1, "\(result.errors)")
        #expect(try FileContents.read(fake) == Array("untouched".utf8))
    }

    @Test("CVE-2021-30465: a target that is exchanged for a link while it is mounted stays inside")
    func exchangedTarget() throws {
        let (container, volume, host) = try sharing(["sh", "-c", "cat /vol/*/secret /mark/secret"])
        try Directory.create("\(volume)/target")
        symlink("\(container.wayOut)\(container.folder.dropFirst())", "\(volume)/link")
        let exchanger = Exchanger("\(volume)/target", "\(volume)/link")
        defer { exchanger.stop() }
        for name in ["target/host", "target/host/a", "target/host/b"] {
            container.spec.mounts.append(RuntimeMount(destination: "/vol/\(name)", type: "tmpfs", source: "tmpfs"))
        }
        container.spec.mounts.append(RuntimeMount(destination: "/vol/target", source: volume, options: ["rbind"]))
        for _ in 0..<40 {
            let result = try container.run()
            #expect(!result.output.contains(TestContainer.secretText))
            _ = try container.command("delete", "--force", container.id)
        }
        #expect(exchanger.count > 1000)
        try container.expectHostUntouched(host)
    }

    @Test("CVE-2024-45310: no file and no directory is made outside by a race over a volume")
    func exchangedParent() throws {
        let (container, volume, host) = try sharing(["true"])
        try Directory.create("\(volume)/target")
        symlink("\(container.wayOut)\(host.dropFirst())", "\(volume)/link")
        let exchanger = Exchanger("\(volume)/target", "\(volume)/link")
        defer { exchanger.stop() }
        container.spec.mounts += [
            RuntimeMount(destination: "/vol/target/new/directory", source: volume, options: ["bind"]),
            RuntimeMount(destination: "/vol/target/file", source: "/dev/null", options: ["bind"]),
        ]
        container.spec.process?.cwd = "/vol/target/work"
        for _ in 0..<40 {
            _ = try container.run()
            _ = try container.command("delete", "--force", container.id)
        }
        #expect(exchanger.count > 1000)
        try container.expectHostUntouched(host)
    }

    @Test("CVE-2025-24965: the runtime writes no file of its own through a root file system's links")
    func writesInRoot() throws {
        let container = try TestContainer(Self.runtime, ["true"])
        let host = try container.hostFolder()
        container.spec.process?.cwd = "/work/deeper"
        try container.link("/work", to: host)
        for name in [".krun_config.json", ".dockerenv", "etc/hosts", "etc/resolv.conf"] {
            try container.link("/\(name)", to: "\(host)/made")
        }
        _ = try container.run()
        try container.expectHostUntouched(host)
    }
}
