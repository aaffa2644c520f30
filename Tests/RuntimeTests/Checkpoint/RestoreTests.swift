import CLinux
import Glibc
import JSON
import Linux
import OCI
import Testing

@testable import Runtime

/// What belongs to a container besides its processes, over `checkpoint` and `restore`: mounts, streams, terminal, memory
/// that is fetched later.
@Suite(
    .serialized,
    .enabled(if: RuntimeUnderTest.isPrivileged && CheckpointTests.works, "needs root and a CRIU that works"),
    .timeLimit(.minutes(5)))
struct RestoreTests {
    private static func images(_ container: TestContainer) -> String { "\(container.folder)/images" }

    private static func checkpoint(_ container: TestContainer, _ options: String...) throws {
        let words = ["checkpoint", "--image-path", images(container), "--work-path", container.folder]
        let saved = try container.runtime.run(
            words + options + [container.id], root: container.root, in: container.bundle)
        try #require(saved.code == 0, "\(saved.errors)")
    }

    private static func restore(_ container: TestContainer, _ options: String...) throws {
        let words = ["restore", "--detach", "--image-path", images(container), "--work-path", container.folder]
        let restored = try container.runtime.run(
            words + options + [container.id], root: container.root, in: container.bundle)
        try #require(restored.code == 0, "\(restored.errors)")
    }

    @Test("Binds of the host, one in the other, one behind a link and one on a tmpfs, are there again")
    func binds() throws {
        let container = try TestContainer(.ours, ["sh", "-c", CheckpointTests.counting])
        for name in ["outer/in", "inner"] { try Directory.create("\(container.folder)/\(name)") }
        for (name, text) in [("outer/a", "outer\n"), ("inner/b", "inner\n")] {
            try FileContents.replace("\(container.folder)/\(name)", with: Array(text.utf8), mode: 0o644, durable: false)
        }
        container.spec.mounts += [
            RuntimeMount(destination: "/data", source: "\(container.folder)/outer", options: ["rbind"]),
            RuntimeMount(destination: "/data/in", source: "\(container.folder)/inner", options: ["rbind", "ro"]),
            RuntimeMount(destination: "/etc/hosts", source: "\(container.folder)/inner/b", options: ["bind"]),
            RuntimeMount(destination: "/linked", source: "\(container.folder)/inner", options: ["bind"]),
            RuntimeMount(destination: "/quick", type: "tmpfs", source: "tmpfs"),
            RuntimeMount(destination: "/quick/in", source: "\(container.folder)/inner", options: ["bind"]),
        ]
        container.spec.linux.namespaces.append(LinuxNamespace(.cgroup))
        // A link of the image stands in the way of one of them.
        try Directory.create("\(container.rootfs)/real/place")
        symlink("/real/place", "\(container.rootfs)/linked")
        try container.createAndStart()
        _ = try container.exec("sh", "-c", "echo kept >/quick/file")
        try Self.checkpoint(container)
        try Self.restore(container)
        let read =
            "cat /data/a /data/in/b /etc/hosts /quick/file /quick/in/b /real/place/b; echo x 2>/dev/null >/data/in/c || echo ro"
        let result = try container.exec("sh", "-c", read)
        #expect(result.output == "outer\ninner\ninner\nkept\ninner\ninner\nro\n", "\(result.errors)")
        #expect(try container.command("delete", "--force", container.id).code == 0)
        #expect(try container.leftovers() == [])
    }

    @Test("CVE-2026-119101, CVE-2026-115520: by a link of the image no other folder of the host is bound again")
    func linksOfTheImage() throws {
        let container = try TestContainer(.ours, ["sh", "-c", CheckpointTests.counting])
        for name in ["given", "secret"] {
            let folder = "\(container.folder)/\(name)"
            try Directory.create(folder)
            try FileContents.replace("\(folder)/text", with: Array("\(name)\n".utf8), mode: 0o644, durable: false)
        }
        // Outside it leads to the secret, whose place inside is another.
        symlink("../../../../..\(container.folder)/secret", "\(container.rootfs)/place")
        container.spec.mounts.append(
            RuntimeMount(destination: "/place", source: "\(container.folder)/given", options: ["rbind", "ro"]))
        try container.createAndStart()
        try Self.checkpoint(container)
        try Self.restore(container)
        let read = "cat /place/text \(container.folder)/secret/text; (: >/place/text) 2>/dev/null || echo ro"
        let result = try container.exec("sh", "-c", read)
        #expect(result.output == "given\ngiven\nro\n", "\(result.errors)")
        #expect(try container.command("delete", "--force", container.id).code == 0)
        #expect(try container.leftovers() == [])
    }

    @Test("Masks cannot be changed, and the session keyring is not the caller's, after it as before")
    func masksAndKeys() throws {
        // Only who possesses it sees this thread's, which the runtime is started with.
        let name = "gantry-test-\(UInt64.random(in: 0...UInt64.max))"
        let serial = try kernelCall("keyctl join") { gantry_keyctl_join_session(name) }
        try kernelCall("keyctl setperm") { gantry_keyctl_set_permissions(serial, 0x3F00_0000) }
        let wait = "while [ ! -e /tmp/go ]; do sleep 0.1; done"
        let script = "\(CheckpointTests.aside) \(wait); cat /proc/keys > /tmp/keys; : > /tmp/done; sleep 60"
        let container = try TestContainer(.ours, ["sh", "-c", script])
        container.install("chmod")
        container.grant("CAP_FOWNER")
        container.spec.linux.maskedPaths = ["/proc/timer_list"]
        try container.createAndStart()
        try Self.checkpoint(container)
        try Self.restore(container)
        let changed = try container.exec("chmod", "666", "/proc/timer_list")
        #expect(changed.code != 0 && changed.errors.contains("Read-only file system"), "\(changed.errors)")
        _ = try container.exec("touch", "/tmp/go")
        var rounds = 0
        while access("\(container.rootfs)/tmp/done", F_OK) != 0, rounds < 2400 {
            (rounds, _) = (rounds + 1, poll(nil, 0, 25))
        }
        let keys = String(decoding: try FileContents.read("\(container.rootfs)/tmp/keys"), as: UTF8.self)
        #expect(keys.contains("_ses.\(container.id)"), "\(keys)")
        #expect(!keys.contains(name), "\(keys)")
    }

    @Test("Limits are in force again")
    func limits() throws {
        let container = try TestContainer(.ours, ["sh", "-c", CheckpointTests.counting])
        container.spec.linux.resources?.memory = LinuxMemory(limitBytes: 64 << 20)
        container.spec.linux.resources?.pids = LinuxPids(limit: 40)
        try container.createAndStart()
        try Self.checkpoint(container)
        try Self.restore(container)
        #expect(try container.limit("pids", legacy: "pids.max", unified: "pids.max") == "40")
        let memory = try container.limit("memory", legacy: "memory.limit_in_bytes", unified: "memory.max")
        #expect(memory == String(64 << 20))
    }

    @Test("The memory policy, which the images do not hold, is the configuration's again")
    func memoryPolicy() throws {
        try #require(access("/proc/self/numa_maps", R_OK) == 0, "this kernel has no memory nodes")
        let container = try TestContainer(.ours, ["sh", "-c", CheckpointTests.counting])
        container.spec.linux.memoryPolicy = LinuxMemoryPolicy(.bind, nodes: "0", flags: [.staticNodes])
        try container.createAndStart()
        try Self.checkpoint(container)
        try Self.restore(container)
        let pid = try #require(try container.state()["pid"]?.integer)
        let maps = String(decoding: try FileContents.read("/proc/\(pid)/numa_maps"), as: UTF8.self)
        #expect(maps.split(separator: " ").dropFirst().first == "bind=static:0")
    }

    @Test("What a pre-dump has saved is left out of the dump, which is restored with it")
    func preDump() throws {
        // Memory that does not change between the two.
        let words = "x=$(dd if=/dev/zero bs=1M count=1 2>/dev/null | tr '\\0' x); \(CheckpointTests.counting)"
        let container = try TestContainer(.ours, ["sh", "-c", words])
        container.install("tr")
        try container.createAndStart()
        try CheckpointTests.wait(for: container, beyond: 2)
        let (first, second) = ("\(container.folder)/first", "\(container.folder)/second")
        let before = try container.command(
            "checkpoint", "--pre-dump", "--image-path", first, "--work-path", container.folder, container.id)
        try #require(before.code == 0, "\(before.errors)")
        #expect(before.errors.isEmpty)
        #expect(try container.status() == "running")
        let saved = try container.command(
            "checkpoint", "--image-path", second, "--parent-path", "../first", "--work-path", container.folder,
            container.id)
        try #require(saved.code == 0, "\(saved.errors)")
        #expect(try Self.pages(in: first) > 1 << 20)
        #expect(try Self.pages(in: second) < Self.pages(in: first) / 2)
        let count = CheckpointTests.count(container)
        let restore: [String] = ["restore", "--detach", "--work-path", container.folder, "--image-path", second]
        // A parent that somebody else could have written to is as bad as such images.
        chmod(first, 0o777)
        let refused = try container.runtime.run(
            restore + [container.id], root: container.root, in: container.bundle)
        #expect(refused.errors.contains("second/parent` to criu: others than its owner"), "\(refused.errors)")
        chmod(first, 0o700)
        let restored = try container.runtime.run(
            restore + [container.id], root: container.root, in: container.bundle)
        try #require(restored.code == 0, "\(restored.errors)")
        try CheckpointTests.wait(for: container, beyond: count + 1)
    }

    /// The bytes of memory in a folder of images.
    private static func pages(in folder: String) throws -> Int {
        try Directory.list(folder).filter { $0.hasPrefix("pages-") }.reduce(0) { sum, name in
            var facts = stat()
            try kernelCall("stat", name) { stat("\(folder)/\(name)", &facts) }
            return sum + Int(facts.st_size)
        }
    }

    @Test("A pipe that was a standard stream is the one that restore is given")
    func pipes() throws {
        let container = try TestContainer(
            .ours, ["sh", "-c", "i=0; while true; do i=$((i+1)); echo $i; echo $i >/tmp/count; sleep 0.1; done"])
        try container.write()
        let first = try Self.writing(["create", container.id], container)
        #expect(try container.command("start", container.id).code == 0)
        try CheckpointTests.wait(for: container, beyond: 2)
        first.close()
        try Self.checkpoint(container)
        let before = CheckpointTests.count(container)
        let second = try Self.writing(
            ["restore", "--detach", "--image-path", Self.images(container), container.id], container)
        defer { second.close() }
        try CheckpointTests.wait(for: container, beyond: before + 2)
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = try second.read(into: &bytes)
        let lines = String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n").compactMap { Int($0) }
        #expect((lines.first ?? 0) > 2 && lines.count > 1, "\(lines)")
    }

    /// Runs the program to its end with a pipe as its standard output; the pipe's other end.
    private static func writing(_ words: [String], _ container: TestContainer) throws -> Descriptor {
        let (reading, writing) = try Descriptor.pipe()
        let null = OwnedDescriptor(try Descriptor.open("/dev/null", O_RDWR))
        var spawn = Spawn(
            program: container.runtime.path, arguments: ["gantry-runtime", "--root", container.root] + words)
        spawn.descriptors = [null.descriptor, writing, null.descriptor]
        spawn.workingDirectory = container.bundle
        let process = OwnedDescriptor(try PidFD.open(pid: try spawn.start()))
        writing.close()
        #expect(try PidFD.reap(process.descriptor) == 0, "\(words)")
        return reading
    }

    @Test("A terminal is handed out again, with the shell that has it")
    func terminal() throws {
        let container = try TestContainer(.ours, ["sh"])
        container.spec.process?.terminal = true
        container.spec.process?.consoleSize = RuntimeConsoleSize(height: 22, width: 66)
        try container.write()
        let folder = OwnedDescriptor(try Descriptor.open(container.folder, O_PATH | O_DIRECTORY))
        func terminal(_ words: [String], _ name: String) throws -> Descriptor {
            let listener = OwnedDescriptor(try UnixSocket.listen(in: folder.descriptor, name: name))
            let result = try container.runtime.run(
                words + ["--console-socket", "\(container.folder)/\(name)", container.id], root: container.root,
                in: container.bundle)
            try #require(result.code == 0, "\(result.errors)")
            let connection = OwnedDescriptor(try UnixSocket.accept(listener.descriptor))
            return try UnixSocket.receiveDescriptor(connection.descriptor)
        }
        let first = try terminal(["create"], "first.sock")
        #expect(try container.command("start", container.id).code == 0)
        try first.writeAll(Array("x=41; echo got-$x\n".utf8))
        #expect(try Self.read(first, until: "got-41\r\n").contains("got-41"))
        try Self.checkpoint(container)
        first.close()
        let words = ["restore", "--detach", "--image-path", Self.images(container), "--work-path", container.folder]
        let second = OwnedDescriptor(try terminal(words, "second.sock"))
        try second.descriptor.writeAll(Array("echo has-$((x+1)); stty size\n".utf8))
        #expect(try Self.read(second.descriptor, until: "22 66\r\n").contains("has-42\r\n22 66"))
    }

    private static func read(_ terminal: Descriptor, until end: String) throws -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while !String(decoding: bytes, as: UTF8.self).contains(end) {
            var entry = pollfd(fd: terminal.rawValue, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 30_000) > 0 else { break }
            bytes += chunk[..<(try terminal.read(into: &chunk))]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("Memory is fetched later: the status descriptor tells that the pages are served, and the copy runs on")
    func lazyPages() throws {
        let container = try TestContainer(.ours, ["sh", "-c", CheckpointTests.counting])
        try container.createAndStart()
        try CheckpointTests.wait(for: container, beyond: 2)
        let (reading, writing) = try Descriptor.pipe()
        defer { reading.close() }
        let server = ["--page-server", "127.0.0.1:27277"]
        let dump = try Self.spawn(
            container.runtime.path,
            ["gantry-runtime", "--root", container.root, "checkpoint", "--lazy-pages", "--status-fd", "3"] + server
                + ["--image-path", Self.images(container), "--work-path", container.folder, container.id],
            container, extra: [writing])
        writing.close()
        var status = [UInt8](repeating: 9, count: 4)
        #expect(try reading.read(into: &status) == 1)
        #expect(status[0] == 0)
        let daemon = try Self.spawn(
            "/usr/sbin/criu",
            [
                "criu", "lazy-pages", "--page-server", "--address", "127.0.0.1", "--port", "27277", "-D",
                Self.images(container), "-W", container.folder,
            ], container, extra: [])
        // It makes this socket in its folder once it takes orders.
        let socket = "\(container.folder)/lazy-pages.socket"
        for _ in 0..<800 where access(socket, F_OK) != 0 { poll(nil, 0, 25) }
        let before = CheckpointTests.count(container)
        let copy = try TestContainer(.ours)
        copy.spec = container.spec
        copy.spec.root?.path = container.rootfs
        copy.spec.linux.cgroupsPath = "/\(copy.id)"
        try copy.write()
        let restored = try copy.command(
            "restore", "--detach", "--lazy-pages", "--image-path", Self.images(container), "--work-path",
            container.folder, copy.id)
        #expect(restored.code == 0, "\(restored.errors)")
        try CheckpointTests.wait(for: container, beyond: before + 1)
        #expect(try copy.status() == "running")
        for process in [dump, daemon] {
            #expect(try PidFD.waitForEnd(process, timeoutMilliseconds: 60_000))
            #expect(try PidFD.reap(process) == 0)
            process.close()
        }
    }

    private static func spawn(
        _ program: String, _ words: [String], _ container: TestContainer, extra: [Descriptor]
    ) throws -> Descriptor {
        let null = OwnedDescriptor(try Descriptor.open("/dev/null", O_RDWR))
        var spawn = Spawn(program: program, arguments: words)
        spawn.environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
        spawn.descriptors = [null.descriptor, null.descriptor, null.descriptor] + extra
        spawn.workingDirectory = container.bundle
        return try PidFD.open(pid: try spawn.start())
    }

    @Test("A restore in the foreground ends with the program's code and leaves nothing")
    func foreground() throws {
        let count = "i=0; while [ ! -e /tmp/enough ]; do i=$((i+1)); echo $i >/tmp/count; sleep 0.1; done; exit 7"
        let container = try TestContainer(.ours, ["sh", "-c", "\(CheckpointTests.aside) \(count)"])
        try container.createAndStart()
        try CheckpointTests.wait(for: container, beyond: 2)
        try Self.checkpoint(container)
        let before = CheckpointTests.count(container)
        let restoring = OwnedDescriptor(
            try container.runtime.begin(
                ["restore", "--image-path", Self.images(container), container.id], root: container.root,
                in: container.bundle, environment: []))
        try CheckpointTests.wait(for: container, beyond: before)
        try FileContents.replace("\(container.rootfs)/tmp/enough", with: [], durable: false)
        #expect(try PidFD.reap(restoring.descriptor) == 7)
        #expect(try container.leftovers() == [])
    }
}
