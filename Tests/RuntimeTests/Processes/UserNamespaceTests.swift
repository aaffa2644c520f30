import Glibc
import Linux
import OCI
import Testing

/// User namespaces, as gantry-runtime makes them.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct UserNamespaceTests {
    private static func container(_ command: [String]) throws -> TestContainer {
        let container = try TestContainer(.ours, command)
        container.spec.linux.namespaces.append(LinuxNamespace(.user))
        container.spec.linux.uidMappings = [LinuxIDMapping(containerID: 0, hostID: 100_000, size: 65536)]
        container.spec.linux.gidMappings = [LinuxIDMapping(containerID: 0, hostID: 100_000, size: 65536)]
        for path in ["", "/tmp", "/dev", "/etc"] { chown(container.rootfs + path, 100_000, 100_000) }
        return container
    }

    @Test("Bundle and sources may lie where the container's user could not go")
    func closedFolders() throws {
        let container = try Self.container(["sh", "-c", "cat /etc/hosts; touch /shared/new; ls /sys/fs/cgroup"])
        chmod(container.folder, 0o700)
        try Directory.create("\(container.folder)/closed/shared")
        chmod("\(container.folder)/closed", 0o700)
        try FileContents.replace(
            "\(container.folder)/closed/hosts", with: Array("names\n".utf8), mode: 0o644, durable: false)
        container.spec.mounts += [
            RuntimeMount(
                destination: "/etc/hosts", source: "\(container.folder)/closed/hosts",
                options: ["rbind", "ro", "nosuid"]),
            RuntimeMount(
                destination: "/shared", source: "\(container.folder)/closed/shared",
                options: ["rbind", "ro", "rprivate"]),
        ]
        let result = try container.run()
        #expect(result.output.hasPrefix("names\n"), "\(result.errors)")
        #expect(result.errors.contains("/shared/new: Read-only file system"), "\(result.errors)")
        #expect(try container.leftovers() == [])
    }

    @Test("exec is root of the namespace too, and may be another user")
    func exec() throws {
        let container = try Self.container(["sleep", "60"])
        try container.createAndStart()
        let result = try container.exec("sh", "-c", "id -u; cat /proc/self/uid_map")
        #expect(
            result.output.split(whereSeparator: \.isWhitespace) == ["0", "0", "100000", "65536"], "\(result.errors)")
        let other = try container.runtime.run(
            ["exec", "--user", "7:8", container.id, "id", "-u"], root: container.root)
        #expect(other.output == "7\n", "\(other.errors)")
    }

    @Test("A user namespace given by its path is joined, and new namespaces belong to it")
    func joined() throws {
        let first = try Self.container(["sleep", "60"])
        try first.createAndStart()
        let pid = try #require(try first.state()["pid"]?.integer)
        let second = try Self.container(["sh", "-c", "cat /proc/self/uid_map; hostname; echo $$"])
        second.spec.hostname = "second"
        second.spec.linux.namespaces.removeAll { $0.kind == .user }
        second.spec.linux.namespaces.append(LinuxNamespace(.user, path: "/proc/\(pid)/ns/user"))
        let result = try second.run()
        let words = result.output.split(whereSeparator: \.isWhitespace)
        #expect(words == ["0", "100000", "65536", "second", "1"], "\(result.errors)")
    }

    @Test("A namespace of clocks has its offsets")
    func time() throws {
        let container = try TestContainer(.ours, ["cat", "/proc/self/timens_offsets"])
        container.spec.linux.namespaces.append(LinuxNamespace(.time))
        container.spec.linux.timeOffsets = ["boottime": LinuxTimeOffset(seconds: 7200)]
        let result = try container.run()
        let words = result.output.split(whereSeparator: \.isWhitespace)
        #expect(words.suffix(3) == ["boottime", "7200", "0"], "\(result.output)\(result.errors)")
    }
}
