import Glibc
import JSON
import Linux
import OCI
import Testing

@testable import Runtime

/// Containers whose cgroup is a unit of systemd: on machines that run it, with cgroup v2 alone.
@Suite(
    .serialized,
    .enabled(if: RuntimeUnderTest.isPrivileged && RuntimeUnderTest.hasSystemd, "needs root, systemd and cgroup v2"),
    .timeLimit(.minutes(5)))
struct SystemdContractTests {
    private static func container(_ runtime: RuntimeUnderTest, _ command: [String]) throws -> TestContainer {
        let container = try TestContainer(runtime, command)
        container.spec.linux.cgroupsPath = "gantry-test.slice:test:\(container.id)"
        return container
    }

    private static func call(
        _ container: TestContainer, _ words: String...
    ) throws -> RuntimeUnderTest.Result {
        try container.runtime.run(["--systemd-cgroup"] + words, root: container.root, in: container.bundle)
    }

    /// The cgroup of the container, as systemd has it.
    private static func path(_ container: TestContainer) -> String {
        "/sys/fs/cgroup/gantry.slice/gantry-test.slice/test-\(container.id).scope"
    }

    private static func text(_ path: String) throws -> String {
        String(String(decoding: try FileContents.read(path), as: UTF8.self).prefix { $0 != "\n" })
    }

    private static func property(_ container: TestContainer, _ name: String) throws -> String {
        let systemctl = RuntimeUnderTest(name: "systemctl", path: "/usr/bin/systemctl")
        let (reading, writing) = try Descriptor.pipe()
        defer { reading.close() }
        var spawn = Spawn(
            program: systemctl.path, arguments: ["systemctl", "show", "-P", name, "test-\(container.id).scope"])
        spawn.descriptors = [nil, writing, nil]
        let pid = try spawn.start()
        writing.close()
        let bytes = try reading.readAll()
        _ = try PidFD.reap(try PidFD.open(pid: pid))
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
    }

    @Test(
        "The container's unit has its limits, in the files and in systemd, and goes with it",
        arguments: RuntimeUnderTest.all)
    func life(_ runtime: RuntimeUnderTest) throws {
        let container = try Self.container(runtime, ["sleep", "300"])
        container.spec.linux.resources?.memory = LinuxMemory(limitBytes: 64 << 20)
        container.spec.linux.resources?.pids = LinuxPids(limit: 77)
        try container.write()
        let created = try Self.call(container, "create", container.id)
        try #require(created.code == 0, "\(created.errors)")
        #expect(try Self.call(container, "start", container.id).code == 0)
        let pid = try #require(try container.state()["pid"]?.integer)
        #expect(try Self.text("\(Self.path(container))/cgroup.procs") == String(pid))
        #expect(try Self.text("\(Self.path(container))/memory.max") == "67108864")
        #expect(try Self.property(container, "MemoryMax") == "67108864")
        #expect(try Self.property(container, "TasksMax") == "77")
        #expect(try Self.property(container, "Delegate") == "yes")

        let updated = try Self.call(container, "update", "--memory", "33554432", container.id)
        #expect(updated.code == 0, "\(updated.errors)")
        #expect(try Self.text("\(Self.path(container))/memory.max") == "33554432")
        #expect(try Self.property(container, "MemoryMax") == "33554432")

        #expect(try container.exec("sh", "-c", "echo in").output == "in\n")
        #expect(try Self.call(container, "pause", container.id).code == 0)
        #expect(try container.status() == "paused")
        #expect(try Self.call(container, "resume", container.id).code == 0)
        #expect(try Self.call(container, "delete", "--force", container.id).code == 0)
        #expect(access(Self.path(container), F_OK) != 0)
        #expect(try Self.property(container, "LoadState") == "not-found")
    }

    @Test("run leaves nothing, and the container sees its own cgroup", arguments: RuntimeUnderTest.all)
    func runs(_ runtime: RuntimeUnderTest) throws {
        let container = try Self.container(
            runtime, ["sh", "-c", "cat /proc/self/cgroup; ls /sys/fs/cgroup/cgroup.procs; exit 5"])
        container.spec.linux.namespaces.append(LinuxNamespace(.cgroup))
        try container.write()
        let result = try Self.call(container, "run", container.id)
        #expect(result.code == 5)
        #expect(result.output == "0::/\n/sys/fs/cgroup/cgroup.procs\n", "\(result.errors)")
        #expect(access(Self.path(container), F_OK) != 0)
    }

    @Test("Annotations are properties of the unit", arguments: RuntimeUnderTest.all)
    func annotations(_ runtime: RuntimeUnderTest) throws {
        let container = try Self.container(runtime, ["sleep", "300"])
        container.spec.annotations = [
            "org.systemd.property.TimeoutStopUSec": "uint64 7000000",
            "org.systemd.property.CollectMode": "'inactive-or-failed'",
        ]
        try container.write()
        let created = try Self.call(container, "create", container.id)
        try #require(created.code == 0, "\(created.errors)")
        #expect(try Self.property(container, "TimeoutStopUSec") == "7s")
        #expect(try Self.property(container, "CollectMode") == "inactive-or-failed")
        #expect(try Self.call(container, "delete", "--force", container.id).code == 0)
    }

    @Test(
        "A container that is restored has a unit again",
        .enabled(if: CheckpointTests.works, "needs a CRIU that works"))
    func restored() throws {
        let container = try Self.container(.ours, ["sh", "-c", CheckpointTests.counting])
        container.spec.linux.resources?.memory = LinuxMemory(limitBytes: 64 << 20)
        try container.write()
        #expect(try Self.call(container, "run", "--detach", container.id).code == 0)
        try CheckpointTests.wait(for: container, beyond: 1)
        let images = "\(container.folder)/images"
        let saved = try Self.call(container, "checkpoint", "--image-path", images, container.id)
        try #require(saved.code == 0, "\(saved.errors)")
        #expect(access(Self.path(container), F_OK) != 0)
        let before = CheckpointTests.count(container)
        let restored = try Self.call(container, "restore", "--detach", "--image-path", images, container.id)
        try #require(restored.code == 0, "\(restored.errors)")
        try CheckpointTests.wait(for: container, beyond: before)
        let pid = try #require(try container.state()["pid"]?.integer)
        let processes = String(decoding: try FileContents.read("\(Self.path(container))/cgroup.procs"), as: UTF8.self)
        #expect(processes.split(separator: "\n").contains("\(pid)"))
        #expect(try Self.property(container, "MemoryMax") == "67108864")
        #expect(try Self.call(container, "delete", "--force", container.id).code == 0)
        #expect(access(Self.path(container), F_OK) != 0)
    }

    @Test("A create that fails takes its unit back")
    func failing() throws {
        let container = try Self.container(.ours, ["/nowhere"])
        try container.write()
        let result = try Self.call(container, "create", container.id)
        #expect(result.code == 1 && result.errors.contains("no such file"), "\(result.errors)")
        #expect(access(Self.path(container), F_OK) != 0)
        #expect(try Self.property(container, "LoadState") == "not-found")
    }
}
