import EngineAPI
import Foundation
import Linux
import RemoteEngine

/// Debian's docker engine on a folder of its own: no bridge, no rules of the packet filter, and one image, that of our
/// own engine's start under the same name.
package final class Dockerd: Sendable {
    package static let missing = ["/usr/sbin/dockerd", "/usr/bin/containerd", "/bin/busybox", "/bin/tar"].first {
        !FileManager.default.isExecutableFile(atPath: $0)
    }

    package let engine: DockerEngine
    package var socketPath: String { "\(folder)/d.sock" }
    private let folder: String
    private let pid: Int32
    /// Above all that it makes; its name shows whose it is.
    private let cgroup: String

    package init() async throws {
        folder = "/tmp/gantry-dockerd-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
        cgroup = "/gantry-dockerd-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let log = OwnedDescriptor(try Descriptor.open("\(folder)/log", O_CREAT | O_WRONLY | O_APPEND, mode: 0o600))
        var spawn = Spawn(
            program: "/usr/sbin/dockerd",
            arguments: [
                "dockerd", "--data-root", "\(folder)/data", "--exec-root", "\(folder)/exec", "--pidfile",
                "\(folder)/pid", "--host", "unix://\(folder)/d.sock", "--bridge", "none", "--iptables=false",
                "--ip-forward=false", "--ip-masq=false", "--cgroup-parent", cgroup,
            ])
        spawn.environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=\(folder)"]
        spawn.descriptors = [nil, log.descriptor, log.descriptor]
        pid = try spawn.start()
        engine = try DockerEngine(host: "unix://\(folder)/d.sock")
        try await StarterImage.wait(for: engine)
        try await StarterImage.give(to: engine, below: folder)
    }

    package func end() throws {
        kill(pid, SIGTERM)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) == -1, errno == EINTR {}
        // What is left there, LeftoverTests tell of.
        try? Cgroup(path: cgroup, layout: CgroupLayout.current()).remove()
        // systemd's own hierarchy of version 1 has no controllers, and is none of the layout's.
        for hierarchy in try Directory.list("/sys/fs/cgroup") { rmdir("/sys/fs/cgroup/\(hierarchy)\(cgroup)") }
        try Directory.removeTree(folder)
    }
}
