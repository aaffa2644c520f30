import CLinux
import Glibc
import Linux
import OCI
import Testing

@testable import Runtime

/// A process that may trace a container's first one, as in a pid namespace that both share, can take copies of its
/// descriptors. Holding them must neither hold `start` back nor make a container that runs look as if it waited.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct StartHoldTests {
    /// Every socket that the process has, copied.
    private static func copies(of process: Descriptor, pid: Int32) throws -> [Descriptor] {
        try Directory.list("/proc/\(pid)/fd").compactMap(Int32.init).compactMap { number in
            let copy = gantry_pidfd_getfd(process.rawValue, number)
            guard copy >= 0 else { return nil }
            var facts = stat()
            if fstat(copy, &facts) == 0, facts.st_mode & S_IFMT == S_IFSOCK { return Descriptor(rawValue: copy) }
            close(copy)
            return nil
        }
    }

    @Test("Copies of the sockets of a process that is started do not hold the start back", arguments: [true, false])
    func heldBack(byCommand: Bool) throws {
        let container = try TestContainer(.ours)
        // It keeps the process between the word and the execution until its sockets have been copied.
        let wait = ": >/tmp/begun; while [ ! -e /tmp/go ]; do sleep 0.05; done"
        container.spec.hooks.startContainer = [RuntimeHook(path: "/bin/sh", args: ["sh", "-c", wait])]
        try container.write()
        if byCommand { try #require(try container.command("create", container.id).code == 0) }
        let words = byCommand ? ["start"] : ["run", "--detach"]
        let starting = OwnedDescriptor(
            try container.runtime.begin(
                words + [container.id], root: container.root, in: container.bundle, environment: []))
        for _ in 0..<800 where access("\(container.rootfs)/tmp/begun", F_OK) != 0 { poll(nil, 0, 25) }
        let pid = Int32(try #require(try container.state()["pid"]?.integer))
        let process = OwnedDescriptor(try PidFD.open(pid: pid))
        let copies = try Self.copies(of: process.descriptor, pid: pid)
        defer { for copy in copies { copy.close() } }
        // The gate and the connection, or the channel.
        #expect(copies.count >= (byCommand ? 2 : 1))
        try FileContents.replace("\(container.rootfs)/tmp/go", with: [], durable: false)
        #expect(try PidFD.waitForEnd(starting.descriptor, timeoutMilliseconds: 20_000))
        if try !PidFD.waitForEnd(starting.descriptor, timeoutMilliseconds: 0) {
            try PidFD.send(SIGKILL, to: starting.descriptor)
        }
        #expect(try PidFD.reap(starting.descriptor) == 0)
        #expect(try container.status() == "running")
    }
}
