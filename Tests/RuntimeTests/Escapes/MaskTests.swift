import Glibc
import Linux
import OCI
import Testing

@testable import Runtime

/// Masks, the terminal's file and writes to /proc must hit what they are meant for, whatever the image or a shared volume
/// has in its place.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(3)))
struct MaskTests {
    private static let runtime = RuntimeUnderTest.ours
    private static let look = ["sh", "-c", "for f in /proc/version /proc/timer_list; do stat -c '%n %t:%T' $f; done"]
    private static let masked = "/proc/version 1:3\n/proc/timer_list 1:3\n"

    /// A container whose `/dev` is a volume that an attacker shares.
    private func sharingDev(_ command: [String]) throws -> (container: TestContainer, volume: String) {
        let container = try TestContainer(Self.runtime, command)
        let volume = "\(container.folder)/dev"
        try Directory.create("\(volume)/pts")
        container.spec.mounts.removeAll { $0.destination.hasPrefix("/dev") }
        container.spec.mounts.append(RuntimeMount(destination: "/dev", source: volume, options: ["rbind", "rprivate"]))
        container.spec.linux.maskedPaths = ["/proc/version", "/proc/timer_list"]
        return (container, volume)
    }

    @Test("CVE-2025-31133, CVE-2025-62161: masks are the host's null device, whatever the image calls so")
    func replacedNull() throws {
        let (container, volume) = try sharingDev(Self.look)
        symlink("/proc/sys/kernel/core_pattern", "\(volume)/null")
        let result = try container.run()
        #expect(result.output == Self.masked, "\(result.errors)")
    }

    @Test("CVE-2025-31133: also while it is exchanged")
    func exchangedNull() throws {
        let (container, volume) = try sharingDev(Self.look)
        symlink("/proc/sys/kernel/core_pattern", "\(volume)/null")
        try kernelCall("mknod", volume) { mknod("\(volume)/other", S_IFCHR | 0o666, 0x103) }
        let exchanger = Exchanger("\(volume)/null", "\(volume)/other")
        defer { exchanger.stop() }
        for _ in 0..<20 {
            let result = try container.run()
            #expect(result.output == Self.masked, "\(result.errors)")
        }
        #expect(exchanger.count > 1000)
    }

    @Test("CVE-2025-31133: a masked directory that is exchanged does not become the mask of the next")
    func exchangedMask() throws {
        let container = try TestContainer(Self.runtime, ["sh", "-c", "ls /first /second"])
        for name in ["first", "other", "second"] {
            try Directory.create("\(container.rootfs)/\(name)")
            try FileContents.replace("\(container.rootfs)/\(name)/in-\(name)", with: [], durable: false)
        }
        container.spec.linux.maskedPaths = ["/first", "/second"]
        let exchanger = Exchanger("\(container.rootfs)/first", "\(container.rootfs)/other")
        defer { exchanger.stop() }
        for _ in 0..<20 {
            let result = try container.run()
            let second = result.output.split(separator: "/second:\n", omittingEmptySubsequences: false).last ?? ""
            #expect(!second.contains("in-"), "\(result.output)")
        }
    }

    @Test("CVE-2025-52565, CVE-2025-62596: a terminal comes from the kernel's devpts and from nothing else")
    func fakeTerminals() throws {
        let (container, volume) = try sharingDev(["true"])
        for name in ["ptmx", "0", "1", "2"] { symlink("/proc/sys/kernel/core_pattern", "\(volume)/pts/\(name)") }
        container.spec.process?.terminal = true
        let result = try container.run()
        #expect(result.code == 1)
        #expect(result.errors.contains("/dev/pts"), "\(result.errors)")
        #expect(try container.leftovers() == [])
    }

    @Test(
        "CVE-2025-52565, CVE-2026-88264: the terminal's file is mounted on no link, whether or not it could be made",
        arguments: [false, true])
    func linkedConsole(isReadOnly: Bool) throws {
        let (container, volume) = try sharingDev(["stat", "-c", "%t", "/proc/self/attr/exec"])
        symlink("/proc/self/attr/exec", "\(volume)/console")
        container.spec.mounts.append(
            RuntimeMount(
                destination: "/dev/pts", type: "devpts", source: "devpts", options: ["newinstance", "ptmxmode=0666"]))
        container.spec.process?.terminal = true
        container.spec.root?.readonly = isReadOnly
        let result = try container.run()
        #expect(result.code == 1)
        #expect(result.errors.contains("/dev/console"), "\(result.errors)")
        #expect(try container.leftovers() == [])
    }

    @Test("CVE-2025-52881: a sysctl is written to the true procfs or not at all, also while /proc is exchanged")
    func exchangedProc() throws {
        let container = try TestContainer(Self.runtime, ["true"])
        container.spec.linux.sysctl = ["net.ipv4.ip_forward": "1"]
        try Directory.create("\(container.rootfs)/fake/sys/net/ipv4")
        let fake = "\(container.rootfs)/fake/sys/net/ipv4/ip_forward"
        try FileContents.replace(fake, with: Array("untouched".utf8), durable: false)
        symlink("/fake", "\(container.rootfs)/link")
        let exchanger = Exchanger("\(container.rootfs)/proc", "\(container.rootfs)/link")
        for _ in 0..<30 {
            _ = try container.run()
            _ = try container.command("delete", "--force", container.id)
        }
        exchanger.stop()
        #expect(exchanger.count > 1000)
        #expect(try FileContents.read(fake) == Array("untouched".utf8))
    }

    @Test(
        "CVE-2022-0811: a sysctl sets one value of an own namespace, by no name and no value another",
        arguments: [
            ("net/../kernel/core_pattern", "|/evil"), ("net.ipv4/../../../kernel/core_pattern", "|/evil"),
            ("net/./../kernel/core_pattern", "|/evil"), ("net.//kernel.core_pattern", "|/evil"),
            ("kernel.shm_rmid_forced", "1+kernel.core_pattern=|/evil"),
            ("kernel.shm_rmid_forced=1\nkernel.core_pattern", "|/evil"), ("kernel.core_pattern", "|/evil"),
        ])
    func sysctlNames(_ name: String, _ value: String) throws {
        let before = try FileContents.read("/proc/sys/kernel/core_pattern")
        let container = try TestContainer(Self.runtime, ["true"])
        container.spec.linux.sysctl = [name: value]
        let result = try container.run()
        #expect(result.code == 1, "\(result.errors)")
        let after = try FileContents.read("/proc/sys/kernel/core_pattern")
        #expect(after == before)
        if after != before {
            try FileContents.write(String(decoding: before, as: UTF8.self), to: "/proc/sys/kernel/core_pattern")
        }
        #expect(try container.leftovers() == [])
    }

    @Test(
        "CVE-2015-3630, CVE-2017-16539: the template hides or protects what /proc has of the host's",
        arguments: [
            "/proc/asound", "/proc/timer_stats", "/proc/latency_stats", "/proc/scsi", "/proc/kcore", "/proc/keys",
            "/proc/timer_list", "/proc/sched_debug", "/proc/acpi", "/sys/firmware",
        ])
    func templateMasks(_ path: String) throws {
        #expect(Invocation.template().linux.maskedPaths.contains(path))
        let container = try TestContainer(
            Self.runtime, ["sh", "-c", "cat \(path) 2>/dev/null; ls \(path)/ 2>/dev/null"])
        #expect(try container.run().output == "")
    }

    @Test(
        "CVE-2015-3630: nor can it be written",
        arguments: ["/proc/sys/kernel/core_pattern", "/proc/bus/x", "/proc/fs/x", "/proc/irq/x"])
    func templateReadOnly(_ path: String) throws {
        let container = try TestContainer(Self.runtime, ["sh", "-c", "echo x > \(path) && echo wrote"])
        container.grant("CAP_DAC_OVERRIDE", "CAP_SYS_RAWIO", "CAP_SYS_PTRACE")
        #expect(try container.run().output == "")
    }

    @Test("Without pivot_root too, a user namespace inside gets no procfs and no sysfs that is not masked")
    func unmaskedWithoutPivot() throws {
        let container = try TestContainer(
            Self.runtime,
            [
                "sh", "-c",
                """
                unshare -Urmpf sh -c 'mount -t proc proc /proc && echo mounted proc; [ $$ = 1 ] && echo inside'
                unshare -Urmn sh -c 'mount -t sysfs sysfs /sys && echo mounted sysfs'
                cat /proc/keys; [ -e /proc/self/status ] && echo shown
                """,
            ])
        container.install("unshare")
        container.spec.process?.user.uid = 1000
        container.spec.process?.noNewPrivileges = false
        try container.write()
        let result = try container.command("run", "--no-pivot", container.id)
        #expect(result.output == "inside\nshown\n", "\(result.errors)")
        #expect(try container.leftovers() == [])
    }
}
