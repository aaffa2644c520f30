import Glibc
import Linux
import OCI
import Testing

@testable import Runtime

/// A container that joins another's pid namespace is built there by a process that still has the host's files, memory and
/// rights; the processes of the other see it.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct JoiningTests {
    /// Inside: tries what ptrace(2)'s rules guard of every process that is no program of the image, and says what of it
    /// could be had.
    private static let look = """
        for p in /proc/[0-9]*; do
          case "$(readlink $p/exe)" in */busybox) continue;; esac
          [ -e $p/status ] || continue
          echo found
          for name in exe root cwd ns/mnt fd/0 fd/1 fd/2 fd/3 fd/4 fd/5 fd/6 fd/7 fd/8 fd/9; do
            readlink $p/$name >/dev/null && echo "read $name"
          done
          for name in mem environ maps auxv; do (: < $p/$name) && echo "opened $name"; done
          for name in syscall stack auxv; do [ -z "$(cat $p/$name)" ] || echo "read $name"; done
          (: >> $p/mem) && echo "opened mem to write"
          ls $p/root/ >/dev/null && echo "listed root"
        done 2>/dev/null
        """

    private static func inUserNamespace(_ container: TestContainer) {
        container.spec.linux.namespaces.append(LinuxNamespace(.user))
        let mapping = LinuxIDMapping(containerID: 0, hostID: 100_000, size: 65536)
        (container.spec.linux.uidMappings, container.spec.linux.gidMappings) = ([mapping], [mapping])
        // The namespace has no right to the right to trace outside.
        container.grant("CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH")
    }

    @Test(
        "CVE-2016-9962: who shares its pid namespace cannot look into a container while it is made, nor while it waits",
        arguments: [false, true])
    func joined(_ hasUserNamespace: Bool) throws {
        let first = try TestContainer(.ours, ["sleep", "600"])
        first.install("readlink")
        if hasUserNamespace { Self.inUserNamespace(first) }
        try first.createAndStart()
        let pid = try #require(try first.state()["pid"]?.integer)

        let second = try TestContainer(.ours, ["sleep", "600"])
        if hasUserNamespace {
            Self.inUserNamespace(second)
            second.spec.linux.namespaces.removeAll { $0.kind == .user }
            second.spec.linux.namespaces.append(LinuxNamespace(.user, path: "/proc/\(pid)/ns/user"))
            (second.spec.linux.uidMappings, second.spec.linux.gidMappings) = ([], [])
        }
        second.spec.linux.namespaces.removeAll { $0.kind == .pid }
        second.spec.linux.namespaces.append(LinuxNamespace(.pid, path: "/proc/\(pid)/ns/pid"))
        // While this hook waits, init has its mounts made and the host's root still.
        let (hooked, goOn) = ("\(second.folder)/hooked", "\(second.folder)/go-on")
        let script = "touch \(hooked); while [ ! -e \(goOn) ]; do sleep 0.05; done"
        second.spec.hooks.prestart = [RuntimeHook(path: "/bin/sh", args: ["sh", "-c", script])]
        try second.write()
        let creating = OwnedDescriptor(
            try second.runtime.begin(["create", second.id], root: second.root, in: second.bundle, environment: []))
        var rounds = 0
        while access(hooked, F_OK) != 0, rounds < 2400 { (rounds, _) = (rounds + 1, poll(nil, 0, 25)) }
        let during = try first.exec("sh", "-c", Self.look)
        #expect(during.output == "found\n", "\(during.output)\(during.errors)")
        try FileContents.replace(goOn, with: [], durable: false)
        #expect(try PidFD.reap(creating.descriptor) == 0)
        let after = try first.exec("sh", "-c", Self.look)
        #expect(after.output == "found\n", "\(after.output)\(after.errors)")
        #expect(try second.command("start", second.id).code == 0)
    }

    /// Inside: tries to reach the host by the root directory of every process but its own, until `/tmp/enough` is there.
    private static func watcher(_ hostPlace: String) -> String {
        """
        while [ ! -e /tmp/enough ]; do
          for p in /proc/[0-9]*; do
            case $p in /proc/1|/proc/$$) continue;; esac
            [ -e $p/status ] && : > /tmp/met
            [ -e $p/root\(hostPlace) ] && echo "the root of the host" >> /tmp/seen
          done
        done
        """
    }

    @Test(
        "CVE-2016-9962: nor at any moment before, when it has the rights of the namespaces already and the host's root")
    func bornInside() throws {
        let first = try TestContainer(.ours)
        Self.inUserNamespace(first)
        chmod("\(first.rootfs)/tmp", 0o777)
        first.spec.process?.args = ["sh", "-c", Self.watcher(first.folder)]
        try first.createAndStart()
        let pid = try #require(try first.state()["pid"]?.integer)

        let second = try TestContainer(.ours)
        second.spec.linux.namespaces.removeAll { $0.kind == .pid }
        second.spec.linux.namespaces += [
            LinuxNamespace(.user, path: "/proc/\(pid)/ns/user"), LinuxNamespace(.pid, path: "/proc/\(pid)/ns/pid"),
        ]
        for _ in 0..<40 {
            #expect(try second.create().code == 0)
            #expect(try second.command("delete", "--force", second.id).code == 0)
        }
        _ = try first.exec("touch", "/tmp/enough")
        #expect(access("\(first.rootfs)/tmp/met", F_OK) == 0, "the watcher met nobody")
        #expect(access("\(first.rootfs)/tmp/seen", F_OK) != 0)
    }
}
