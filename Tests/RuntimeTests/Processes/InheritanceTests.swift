import Glibc
import JSON
import Linux
import OCI
import Testing

@testable import Runtime

/// What callers hand to a container and get of it by descriptors and sockets.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct InheritanceTests {
    @Test("A pidfd of the first process and of further ones comes over the socket")
    func pidfd() throws {
        let container = try TestContainer(.ours)
        try container.write()
        let directory = OwnedDescriptor(try Descriptor.open(container.folder, O_PATH | O_DIRECTORY))
        let listener = OwnedDescriptor(try UnixSocket.listen(in: directory.descriptor, name: "p.sock"))
        let path = "\(container.folder)/p.sock"
        let created = try container.command("create", "--pidfd-socket", path, container.id)
        try #require(created.code == 0, "\(created.errors)")
        let initial = OwnedDescriptor(try Self.receive(from: listener.descriptor))
        #expect(try Self.pid(of: initial.descriptor) == (try container.state()["pid"]?.integer))
        #expect(try container.command("start", container.id).code == 0)
        let exec = try container.command(
            "exec", "--detach", "--pidfd-socket", path, "--pid-file", "\(container.folder)/e.pid", container.id,
            "sleep", "60")
        #expect(exec.code == 0, "\(exec.errors)")
        let further = OwnedDescriptor(try Self.receive(from: listener.descriptor))
        let written = String(decoding: try FileContents.read("\(container.folder)/e.pid"), as: UTF8.self)
        #expect(try Self.pid(of: further.descriptor) == Int64(written))
        let refused = try container.command("exec", "--pidfd-socket", "/nope/x", container.id, "true")
        #expect(refused.code == 255)
    }

    private static func receive(from listener: Descriptor) throws -> Descriptor {
        let connection = OwnedDescriptor(try UnixSocket.accept(listener))
        return try UnixSocket.receiveDescriptor(connection.descriptor)
    }

    private static func pid(of pidfd: Descriptor) throws -> Int64? {
        let text = String(decoding: try FileContents.read("/proc/self/fdinfo/\(pidfd.rawValue)"), as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix("Pid:") }
        return line.flatMap { Int64($0.dropFirst(4).trimmingPrefix { $0 == "\t" || $0 == " " }) }
    }

    @Test("Sockets of systemd's activation reach the program, which is told that they are for it")
    func activation() throws {
        let container = try TestContainer(
            .ours, ["sh", "-c", "cat <&3; cat <&4; echo $LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES"])
        try container.write()
        let (first, second) = (try Self.pipe(holding: "one\n"), try Self.pipe(holding: "two\n"))
        defer { for end in [first, second] { end.close() } }
        // LISTEN_PID must be the runtime's own pid, which a shell that becomes the runtime knows.
        let script = "export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web; exec \(container.runtime.path) \"$@\""
        let words = ["--root", container.root, "run", "--preserve-fds", "1", container.id]
        let shell = RuntimeUnderTest(name: "sh", path: "/bin/sh")
        let result = try shell.runPlain(
            ["-c", script, "sh"] + words, in: container.bundle, extra: [first, second])
        #expect(result.output == "one\ntwo\n1 1 web\n", "\(result.errors)")
        // Meant for another process: no descriptor is passed, no variable set.
        container.spec.process?.args = ["sh", "-c", "ls /proc/self/fd; echo [$LISTEN_FDS]"]
        try container.write()
        let other = try shell.runPlain(
            ["-c", "export LISTEN_PID=1 LISTEN_FDS=1; exec \(container.runtime.path) \"$@\"", "sh"]
                + ["--root", container.root, "run", container.id], in: container.bundle, extra: [])
        #expect(other.output == "0\n1\n2\n3\n[]\n", "\(other.errors)")
    }

    private static func pipe(holding text: String) throws -> Descriptor {
        let (reading, writing) = try Descriptor.pipe()
        defer { writing.close() }
        try writing.writeAll(Array(text.utf8))
        return reading
    }

    @Test("A preserved descriptor that is not open is told", arguments: RuntimeUnderTest.all)
    func preservedMissing(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        try container.write()
        let result = try container.command("create", "--preserve-fds", "7", container.id)
        #expect(result.code == 1)
        #expect(result.errors.contains("unable to stat preserved-fd"), "\(result.errors)")
    }

    @Test("exec goes into cgroups below the container's, by controller")
    func subCgroups() throws {
        let container = try TestContainer(.ours)
        try container.createAndStart()
        let layout = try CgroupLayout.current()
        let controller = layout.mode == .unified ? "" : "pids:"
        let base = try #require(layout.directory(of: "/\(container.id)", controller: "pids"))
        let words = ["exec", "--cgroup", "\(controller)below", container.id, "grep", "below", "/proc/self/cgroup"]
        let missing = try container.runtime.run(words, root: container.root)
        #expect(missing.code == 255)
        #expect(missing.errors.contains("no such file or directory"), "\(missing.errors)")
        try Directory.create("\(base)/below")
        let result = try container.runtime.run(words, root: container.root)
        #expect(result.output.hasSuffix("/\(container.id)/below\n"), "\(result.errors)")
        let unknown = try container.command("exec", "--cgroup", "nope:x", container.id, "true")
        #expect(unknown.errors.contains("unknown controller nope"), "\(unknown.errors)")
    }

    @Test(
        "Cgroups of exec are read by controller",
        arguments: [
            (["a/b"], ["": "a/b"]), (["cpu,cpuacct:x", "pids:y"], ["cpu": "x", "cpuacct": "x", "pids": "y"]),
            (["a", "b"], nil), ([":x"], nil), (["cpu:x", "cpu:y"], nil), (["../x"], nil), (["cpu:a/../../b"], nil),
        ])
    func subCgroupWords(words: [String], expected: [String: String]?) {
        #expect((try? SubCgroups(words))?.paths == expected)
    }
}
