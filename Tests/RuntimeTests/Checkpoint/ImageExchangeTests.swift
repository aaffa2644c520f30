import Glibc
import Linux
import OCI
import Testing

@testable import Runtime

/// The images of a container that one runtime saved and another restores: engines change their runtime, and images move
/// between machines.
@Suite(
    .serialized,
    .enabled(if: RuntimeUnderTest.isPrivileged && CheckpointTests.works, "needs root and a CRIU that works"),
    .timeLimit(.minutes(5)))
struct ImageExchangeTests {
    @Test(
        "What one runtime has saved the other restores, with its binds, masks and cgroups",
        .enabled(if: RuntimeUnderTest.all.count > 1, "needs runc"),
        arguments: [true, false], [true, false])
    func exchange(isOurs: Bool, ownCgroups: Bool) throws {
        let runtimes = isOurs ? RuntimeUnderTest.all : RuntimeUnderTest.all.reversed()
        let container = try TestContainer(runtimes[0], ["sh", "-c", CheckpointTests.counting])
        try Directory.create("\(container.folder)/given")
        try FileContents.replace(
            "\(container.folder)/given/text", with: Array("given\n".utf8), mode: 0o644, durable: false)
        container.spec.mounts += [
            RuntimeMount(destination: "/data", type: "bind", source: "\(container.folder)/given", options: ["rbind"]),
            RuntimeMount(destination: "/quick", type: "tmpfs", source: "tmpfs"),
        ]
        container.spec.linux.maskedPaths = ["/proc/timer_list"]
        if ownCgroups { container.spec.linux.namespaces.append(LinuxNamespace(.cgroup)) }
        try container.createAndStart()
        _ = try container.exec("sh", "-c", "echo kept >/quick/file")
        try CheckpointTests.wait(for: container, beyond: 2)
        let images = ["--image-path", "\(container.folder)/images", "--work-path", container.folder]
        let saved = try container.runtime.run(
            ["checkpoint"] + images + [container.id], root: container.root, in: container.bundle)
        try #require(saved.code == 0, "\(saved.errors)")
        let before = CheckpointTests.count(container)

        let root = "\(container.folder)/other"
        let other = runtimes[1]
        let restored = try other.run(
            ["restore", "--detach"] + images + [container.id], root: root, in: container.bundle)
        defer { _ = try? other.run(["delete", "--force", container.id], root: root) }
        try #require(restored.code == 0, "\(restored.errors)")
        try CheckpointTests.wait(for: container, beyond: before + 1)
        let read = "cat /data/text /quick/file; ls /sys/fs/cgroup | grep -q cgroup.procs && echo cgroup"
        let result = try other.run(["exec", container.id, "sh", "-c", read], root: root)
        #expect(result.output == "given\nkept\ncgroup\n", "\(result.errors)")
    }
}
