import Glibc
import Linux
import OCI
import Testing

@testable import Runtime

/// What the runtime leaves around a container: cgroups, sockets, files of its root.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(3)))
struct SurroundingsTests {
    private static let runtime = RuntimeUnderTest.ours

    @Test("CVE-2022-0492: a container starts no program of the host by a cgroup's release_agent")
    func releaseAgent() throws {
        let script = """
            for d in /sys/fs/cgroup /sys/fs/cgroup/*; do
              (echo /evil > $d/release_agent) 2>/dev/null && echo agent $d
              (echo 1 > $d/notify_on_release) 2>/dev/null && echo notify $d
              (echo 1 > $d/cgroup.procs) 2>/dev/null && echo procs $d
            done
            mkdir /tmp/cg; mount -t cgroup -o memory cgroup /tmp/cg 2>/dev/null && echo mounted
            mount -t cgroup2 cgroup /tmp/cg 2>/dev/null && echo mounted
            mount -o remount,rw /sys/fs/cgroup 2>/dev/null && echo remounted
            true
            """
        let container = try TestContainer(Self.runtime, ["sh", "-c", script])
        container.grant("CAP_DAC_OVERRIDE")
        let result = try container.run()
        #expect(result.code == 0 && result.output == "", "\(result.output)\(result.errors)")
    }

    @Test(
        "CVE-2023-25809: a read-only cgroup mount is that in every hierarchy, with namespaces of any kind",
        arguments: [true, false])
    func readOnlyCgroups(_ isPrivate: Bool) throws {
        let container = try TestContainer(
            Self.runtime,
            [
                "sh", "-c",
                "for d in /sys/fs/cgroup /sys/fs/cgroup/*; do mkdir $d/made 2>/dev/null && echo made $d; done; true",
            ])
        if isPrivate { container.spec.linux.namespaces.append(LinuxNamespace(.cgroup)) }
        container.grant("CAP_DAC_OVERRIDE")
        let result = try container.run()
        #expect(result.code == 0 && result.output == "", "\(result.output)\(result.errors)")
    }

    @Test("CVE-2020-15257: no socket of the runtime's can be reached from the network namespace")
    func abstractSockets() throws {
        let container = try TestContainer(Self.runtime)
        #expect(try container.create().code == 0)
        let lines = String(decoding: try FileContents.read("/proc/net/unix"), as: UTF8.self).split(separator: "\n")
        let own = lines.filter { $0.contains(container.id) || $0.contains("gantry-runtime") }
        #expect(!own.contains { $0.contains(" @") }, "\(own)")
    }

    @Test("CVE-2021-41103, CVE-2021-41091: what the runtime writes is closed to other users")
    func modes() throws {
        let container = try TestContainer(Self.runtime)
        container.spec.linux.seccomp = DefaultSeccomp.profile(capabilities: [])
        #expect(try container.create().code == 0)
        func mode(_ path: String) throws -> mode_t {
            var facts = stat()
            try kernelCall("stat", path) { lstat(path, &facts) }
            #expect(facts.st_uid == 0)
            return facts.st_mode & 0o777
        }
        #expect(try mode(container.root) == 0o700)
        let directory = "\(container.root)/\(container.id)"
        #expect(try mode(directory) & 0o066 == 0)
        for name in try Directory.list(directory) { #expect(try mode("\(directory)/\(name)") & 0o077 == 0, "\(name)") }
        let cache = "\(container.root)/\(SeccompCache.folder)"
        #expect(try mode(cache) == 0o700)
        for name in try Directory.list(cache) { #expect(try mode("\(cache)/\(name)") == 0o600) }
    }

    @Test("A pipe, a socket and a device in the image at each place that is opened hold nobody up")
    func blockingFiles() throws {
        let container = try TestContainer(Self.runtime, ["true"])
        for name in ["etc/passwd", "etc/group", "proc/x"] {
            try kernelCall("mkfifo", name) { mkfifo("\(container.rootfs)/\(name)", 0o644) }
        }
        container.spec.mounts.removeAll { $0.destination == "/proc" }
        try Directory.create("\(container.rootfs)/proc/sys/net/ipv4")
        mkfifo("\(container.rootfs)/proc/sys/net/ipv4/ip_forward", 0o644)
        container.spec.linux.sysctl = ["net.ipv4.ip_forward": "1"]
        #expect(try container.run().code == 1)
        #expect(try container.leftovers() == [])
    }
}
