import CLinux
import Glibc
import Linux
import OCI
import Testing

@testable import Runtime

/// A process of the runtime on its way into a container is the way out of it: by its file, its memory, its descriptors,
/// its directory.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(3)))
struct EnteringTests {
    private static let runtime = RuntimeUnderTest.ours

    private static func programBytes() throws -> Int {
        var facts = stat()
        try kernelCall("stat", runtime.path) { stat(runtime.path, &facts) }
        return try FileContents.read(runtime.path).hashValue ^ Int(facts.st_mtim.tv_nsec)
    }

    /// Inside: tries to look into every process that is no own one, until the file `/tmp/enough` is there.
    private static func watcher(_ hostPlace: String) -> String {
        """
        while [ ! -e /tmp/enough ]; do
          for p in /proc/[0-9]*; do
            case $p in /proc/1|/proc/$$) continue;; esac
            exe=$(readlink $p/exe 2>/dev/null) || continue
            case "$exe" in */busybox|"") continue;; esac
            echo "saw $exe" >> /tmp/seen
            (echo broken >> $p/exe) 2>/dev/null && echo "wrote $exe" >> /tmp/seen
            [ -e $p/root\(hostPlace) ] && echo "root of the host" >> /tmp/seen
            for f in $p/fd/*; do
              [ -e $f\(hostPlace) ] && echo "descriptor of the host" >> /tmp/seen
              [ -e $f/../../../../../..\(hostPlace) ] && echo "way to the host" >> /tmp/seen
            done
          done
        done
        """
    }

    /// A container that watches. Its own folder is a place that only the host has.
    private func watching() throws -> TestContainer {
        let container = try TestContainer(Self.runtime)
        container.install("readlink")
        container.spec.process?.args = ["sh", "-c", Self.watcher(container.folder)]
        return container
    }

    private func entered(_ container: TestContainer, _ program: [String], times: Int) throws -> String {
        try container.createAndStart()
        for _ in 0..<times { _ = try container.runtime.run(["exec", container.id] + program, root: container.root) }
        _ = try container.exec("touch", "/tmp/enough")
        // The watcher wrote nothing where it saw nothing.
        let bytes = (try? FileContents.read("\(container.rootfs)/tmp/seen")) ?? []
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("CVE-2019-5736: a program that is the runtime's own file cannot be written to by the container")
    func ownFileAsProgram() throws {
        let before = try Self.programBytes()
        let container = try watching()
        container.grant("CAP_DAC_OVERRIDE", "CAP_SYS_PTRACE")
        try container.link("/bin/itself", to: "/proc/self/exe")
        try FileContents.replace(
            "\(container.rootfs)/bin/script", with: Array("#!/proc/self/exe\n".utf8), mode: 0o755, durable: false)
        _ = try entered(container, ["/bin/itself", "--help"], times: 8)
        for _ in 0..<8 { _ = try container.exec("/bin/script") }
        #expect(try Self.programBytes() == before)
        // The same as the first program of a container.
        let first = try TestContainer(Self.runtime, ["/bin/script"])
        try FileContents.replace(
            "\(first.rootfs)/bin/script", with: Array("#!/proc/self/exe\n".utf8), mode: 0o755, durable: false)
        _ = try first.run()
        #expect(try Self.programBytes() == before)
    }

    @Test("CVE-2016-9962: nothing inside can look into a process that is on its way in")
    func watchedExec() throws {
        let container = try watching()
        let seen = try entered(container, ["/bin/true"], times: 20)
        #expect(seen == "")
    }

    @Test("CVE-2016-9962: with the right to trace, what is on its way in has nothing of the host's left")
    func tracedExec() throws {
        let container = try watching()
        container.grant("CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH")
        let seen = try entered(container, ["/bin/true"], times: 40)
        #expect(!seen.contains("host"), "\(seen)")
        #expect(!seen.contains("wrote"), "\(seen)")
    }

    /// Inside: notes every process whose rights are not the first one's.
    private static let rightsWatcher = """
        own=$(grep -E '^Cap(Prm|Eff|Bnd)' /proc/1/status)
        while [ ! -e /tmp/enough ]; do
          for p in /proc/[0-9]*; do
            case $p in /proc/1|/proc/$$) continue;; esac
            other=$(grep -E '^Cap(Prm|Eff|Bnd)' $p/status 2>/dev/null)
            [ -z "$other" ] || [ "$other" = "$own" ] || echo "$other" >> /tmp/seen
          done
        done
        """

    @Test(
        "CVE-2016-9962: what is on its way in has no right that its program has not, with or without no_new_privs",
        arguments: [true, false], [true, false])
    func rightsOfExec(_ noNewPrivileges: Bool, _ filters: Bool) throws {
        let container = try TestContainer(Self.runtime, ["sh", "-c", Self.rightsWatcher])
        container.spec.process?.noNewPrivileges = noNewPrivileges
        container.grant("CAP_SYS_PTRACE")
        if filters { container.spec.linux.seccomp = DefaultSeccomp.profile(capabilities: ["CAP_SYS_PTRACE"]) }
        let seen = try entered(container, ["/bin/true"], times: 60)
        #expect(seen == "")
    }

    @Test("A filter that lets no process be made is no hindrance to exec")
    func forkless() throws {
        let container = try TestContainer(Self.runtime)
        container.spec.process?.noNewPrivileges = false
        var profile = LinuxSeccomp(defaultAction: "SCMP_ACT_ALLOW")
        profile.syscalls = [LinuxSyscall(["clone", "clone3", "fork", "vfork"], action: "SCMP_ACT_ERRNO")]
        container.spec.linux.seccomp = profile
        try container.createAndStart()
        #expect(try container.exec("echo", "in").output == "in\n")
        let refused = try container.exec("sh", "-c", "true | true")
        #expect(refused.code != 0)
    }

    @Test("CVE-2024-21626: no descriptor of the runtime is a working directory, of a container or an exec")
    func workingDirectory() throws {
        let container = try TestContainer(Self.runtime)
        let secret = "\(container.wayOut)\(try container.hostFolder().dropFirst())/secret"
        try container.createAndStart()
        for number in 3..<24 {
            let path = "/proc/self/fd/\(number)"
            let result = try container.command("exec", "--cwd", path, container.id, "cat", secret)
            #expect(result.code != 0 && result.output == "", "\(path): \(result.output)")
        }
        for number in 3..<24 { try expectNoWayOut(by: "/proc/self/fd/\(number)", linked: false) }
    }

    @Test("CVE-2024-21626: nor by a link of the image")
    func linkedWorkingDirectory() throws {
        for number in 3..<16 { try expectNoWayOut(by: "/proc/self/fd/\(number)", linked: true) }
    }

    private func expectNoWayOut(by path: String, linked: Bool) throws {
        let container = try TestContainer(Self.runtime)
        let secret = "\(container.wayOut)\(try container.hostFolder().dropFirst())/secret"
        container.spec.process?.args = ["cat", secret]
        container.spec.process?.cwd = linked ? "/tmp" : path
        if linked { try container.link("/tmp", to: path) }
        let result = try container.run()
        #expect(result.code != 0 && result.output == "", "\(path): \(result.output)")
    }

    @Test("CVE-2015-3627, CVE-2016-8649: the program has its three descriptors and no other, by create, run and exec")
    func descriptors() throws {
        let list = ["ls", "/proc/self/fd"]
        let ran = try TestContainer(Self.runtime, list).run()
        // The fourth is the directory that ls itself reads.
        #expect(ran.output.split(separator: "\n") == ["0", "1", "2", "3"], "\(ran.output)\(ran.errors)")
        let container = try TestContainer(Self.runtime)
        // Something of the caller's that is open without close-on-exec must not come in either.
        let open = OwnedDescriptor(try Descriptor.open("/", O_RDONLY | O_DIRECTORY))
        try container.createAndStart()
        let result = try Self.runtime.run(
            ["exec", container.id] + list, root: container.root, extra: [open.descriptor, open.descriptor])
        #expect(result.output.split(separator: "\n") == ["0", "1", "2", "3"], "\(result.output)\(result.errors)")
    }

    @Test(
        "exec has the session keyring of the container and not its caller's, unless that was asked for",
        arguments: [true, false])
    func keyring(_ isOwn: Bool) throws {
        // Only who possesses it sees this thread's, which the runtime is started with.
        let name = "gantry-test-\(UInt64.random(in: 0...UInt64.max))"
        let serial = try kernelCall("keyctl join") { gantry_keyctl_join_session(name) }
        try kernelCall("keyctl setperm") { gantry_keyctl_set_permissions(serial, 0x3F00_0000) }
        let container = try TestContainer(Self.runtime)
        container.spec.linux.maskedPaths = []
        try container.write()
        let options = isOwn ? [] : ["--no-new-keyring"]
        let created = try Self.runtime.run(
            ["create"] + options + [container.id], root: container.root, in: container.bundle)
        #expect(created.code == 0, "\(created.errors)")
        let keys = try container.exec("cat", "/proc/keys")
        #expect(keys.output.contains(name) == !isOwn, "\(keys.errors)")
        #expect(keys.output.contains("_ses.\(container.id)") == isOwn)
    }
}
