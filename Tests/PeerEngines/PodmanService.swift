import Foundation
import Linux
import RemoteEngine

/// podman's service on a folder of its own, with runc: its crun refuses machines that have both versions of cgroups.
package final class PodmanService: Sendable {
    package static let missing = ["/usr/bin/podman", "/usr/bin/conmon", "/usr/sbin/runc", "/bin/busybox"].first {
        !FileManager.default.isExecutableFile(atPath: $0)
    }

    package let engine: DockerEngine
    private let folder: String
    private let pid: Int32
    private let foreignCgroups: Set<String>

    package init() async throws {
        foreignCgroups = try Self.cgroups()
        folder = "/tmp/gantry-podman-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // podman would raise limits, which not every root may.
        try """
        [containers]
        default_ulimits=["nofile=20000:20000","nproc=32768:32768"]
        [engine]
        cgroup_manager="cgroupfs"
        events_logger="file"
        runtime="runc"
        """.write(toFile: "\(folder)/containers.conf", atomically: true, encoding: .utf8)
        let log = OwnedDescriptor(try Descriptor.open("\(folder)/log", O_CREAT | O_WRONLY | O_APPEND, mode: 0o600))
        var spawn = Spawn(
            program: "/usr/bin/podman",
            arguments: Self.words(folder) + ["system", "service", "-t", "0", "unix://\(folder)/p.sock"])
        spawn.environment = Self.environment(folder)
        // Its monitors leave a file where they run.
        spawn.workingDirectory = folder
        spawn.descriptors = [nil, log.descriptor, log.descriptor]
        pid = try spawn.start()
        engine = try DockerEngine(host: "unix://\(folder)/p.sock")
        try await StarterImage.wait(for: engine)
        try await StarterImage.give(to: engine, below: folder)
    }

    private static func words(_ folder: String) -> [String] {
        ["podman", "--root", "\(folder)/root", "--runroot", "\(folder)/run", "--storage-driver", "vfs"]
    }

    private static func environment(_ folder: String) -> [String] {
        // It leaves what it loads images from in TMPDIR.
        [
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=\(folder)", "TMPDIR=\(folder)",
            "CONTAINERS_CONF=\(folder)/containers.conf",
        ]
    }

    package func end() async throws {
        kill(pid, SIGTERM)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) == -1, errno == EINTR {}
        var spawn = Spawn(program: "/usr/bin/podman", arguments: Self.words(folder) + ["rm", "-af"])
        spawn.environment = Self.environment(folder)
        waitpid(try spawn.start(), &status, 0)
        try endMonitors()
        // Of containers that were killed while they were paused podman keeps all.
        for mount in try MountTable.current().reversed() where mount.mountPoint.hasPrefix("\(folder)/") {
            try Mount.unmount(mount.mountPoint, detach: true)
        }
        try await removeRemains()
        try Directory.removeTree(folder)
    }

    /// Monitors of further processes stay for five minutes after these.
    private func endMonitors() throws {
        for name in try Directory.list("/proc") {
            // A process may end while it is looked at.
            guard let pid = Int32(name), let words = try? FileContents.read("/proc/\(name)/cmdline") else { continue }
            if String(decoding: words, as: UTF8.self).contains("\(folder)/") { kill(pid, SIGKILL) }
        }
    }

    /// Cgroups and runc's records of containers that were killed while they were paused, or that podman did not remove.
    private func removeRemains() async throws {
        let left = try Self.cgroups().subtracting(foreignCgroups)
        // Frozen ones die once they run.
        CgroupMembers.kill(Array(left))
        for path in left {
            for _ in 0..<500 where rmdir(path) != 0 && errno == EBUSY { try await Task.sleep(for: .milliseconds(10)) }
            guard let id = path.split(separator: "/").last?.dropFirst("libpod-".count), !id.isEmpty else { continue }
            try Directory.removeTree("/run/runc/\(id)")
        }
    }

    /// Of all podmans of the machine, for they share their parent.
    private static func cgroups() throws -> Set<String> {
        let parents = try Directory.list("/sys/fs/cgroup").map { "/sys/fs/cgroup/\($0)/libpod_parent" }
        return try Set(
            parents.filter { FileManager.default.fileExists(atPath: $0) }.flatMap { parent in
                try Directory.list(parent).filter { $0.hasPrefix("libpod-") }.map { "\(parent)/\($0)" }
            })
    }
}
