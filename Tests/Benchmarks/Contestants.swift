import Foundation

/// The release build of Gantry beside this program, with all its state in a directory of its own.
final class GantryContestant {
    let contender: Contender
    let root: String
    private let program: String

    /// - Parameter folder: where the state goes: of a file system that the case is about.
    init(in folder: String = "/tmp") throws {
        contender = try Contender("gantry")
        root = "\(folder)/gantry-bench-\(getpid())"
        program =
            URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
            + "/gantry"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    func command(_ arguments: String...) -> [String] { [program, "--root", root] + arguments }
    func command(_ arguments: [String]) -> [String] { [program, "--root", root] + arguments }
    var socket: String { root + "/run/gantry.sock" }

    /// The engine in a process of its own, which has its socket when this returns: a command would become the host else.
    func startDaemon() throws -> RunningCommand {
        unlink(socket)
        let daemon = try contender.spawn(command("daemon"), output: root + "/daemon.log")
        for _ in 0..<500 {
            if FileManager.default.fileExists(atPath: socket) { return daemon }
            usleep(10_000)
        }
        throw BenchmarkError("the daemon does not serve \(socket): see \(root)/daemon.log")
    }

    func close() {
        // What a case that failed left behind, with its cgroups and mounts.
        let all = "\"$0\" --root \"$1\" ps -aq | xargs -r \"$0\" --root \"$1\" rm -f -v"
        _ = try? contender.run(["/bin/sh", "-c", all, program, root])
        contender.close()
        try? FileManager.default.removeItem(atPath: root)
    }
}

/// Debian's docker engine with a data root of its own, without a bridge unless it is told otherwise; it ends with the
/// benchmark.
final class DockerContestant {
    let contender: Contender
    let root: String
    private let daemon: RunningCommand

    var pid: pid_t { daemon.pid }

    static let withoutBridge = ["--bridge=none", "--iptables=false", "--ip6tables=false"]

    /// - Parameters:
    ///   - folder: where its state goes.
    ///   - prefix: what stands before the daemon's command, to let it start elsewhere.
    init(
        rootTar: String, in folder: String = "/tmp", prefix: [String] = [], options: [String] = withoutBridge
    ) throws {
        guard FileManager.default.isExecutableFile(atPath: "/usr/sbin/dockerd") else {
            throw BenchmarkError("no dockerd: apt-get install docker.io")
        }
        contender = try Contender("docker")
        root = "\(folder)/gantry-bench-docker-\(getpid())"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        daemon = try contender.spawn(
            prefix + [
                "/usr/sbin/dockerd", "--data-root", root + "/data", "--exec-root", root + "/exec", "--pidfile",
                root + "/pid", "-H", "unix://\(root)/sock",
            ] + options, output: root + "/log")
        var tries = 0
        while (try? contender.run(command("version"))) == nil {
            tries += 1
            guard tries < 100 else { throw BenchmarkError("dockerd does not answer: see \(root)/log") }
            usleep(200_000)
        }
        try contender.run(command("import", rootTar, "bench:latest"))
    }

    func command(_ arguments: String...) -> [String] { command(arguments) }
    func command(_ arguments: [String]) -> [String] { ["docker", "-H", "unix://\(root)/sock"] + arguments }

    func close() {
        daemon.end()
        contender.close()
        try? FileManager.default.removeItem(atPath: root)
    }
}

/// Debian's podman with a storage of its own, and runc: crun of Debian 12 wants other hierarchies of cgroups.
final class PodmanContestant {
    let contender: Contender
    let root: String

    init(in folder: String) throws {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/podman") else {
            throw BenchmarkError("no podman: apt-get install podman")
        }
        contender = try Contender("podman")
        root = "\(folder)/gantry-bench-podman-\(getpid())"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    func command(_ arguments: [String]) -> [String] {
        ["/usr/bin/podman", "--root", root + "/root", "--runroot", root + "/run", "--storage-driver", "overlay"]
            + arguments
    }

    /// The words before a command that runs containers, in networks of the benchmark's own by netavark.
    func containerCommand() throws -> [String] {
        let file = root + "/containers.conf"
        // As root podman asks for more of both than this machine's root may have.
        let settings = """
            [containers]
            default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
            [network]
            network_backend = "netavark"
            """
        try settings.write(toFile: file, atomically: false, encoding: .utf8)
        return ["/usr/bin/env", "CONTAINERS_CONF=\(file)"]
            + command([
                "--runtime", "/usr/sbin/runc", "--cgroup-manager", "cgroupfs", "--network-config-dir",
                root + "/networks",
                "--tmpdir", root + "/tmp",
            ])
    }

    func close() {
        contender.close()
        // Podman's cgroup for containers, in each hierarchy; one that is in use stays.
        for hierarchy in (try? FileManager.default.contentsOfDirectory(atPath: "/sys/fs/cgroup")) ?? [] {
            rmdir("/sys/fs/cgroup/\(hierarchy)/libpod_parent")
        }
        // Podman keeps its storage mounted on itself.
        _ = umount2(root + "/root/overlay", Int32(MNT_DETACH))
        try? FileManager.default.removeItem(atPath: root)
    }
}

/// Debian's docker-registry on loopback, plain, with a storage of its own.
final class RegistryServer {
    let address: String
    private let contender: Contender
    private let root: String
    private let server: RunningCommand

    init(in folder: String) throws {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/docker-registry") else {
            throw BenchmarkError("no docker-registry: apt-get install docker-registry")
        }
        contender = try Contender("registry")
        root = "\(folder)/gantry-bench-registry-\(getpid())"
        address = "127.0.0.1:\(20_000 + Int(getpid()) % 10_000)"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        let configuration = """
            version: 0.1
            log: {level: error, accesslog: {disabled: true}}
            storage: {filesystem: {rootdirectory: \(root)/data}}
            http: {addr: "\(address)"}
            """
        try configuration.write(toFile: root + "/config.yml", atomically: false, encoding: .utf8)
        server = try contender.spawn(
            ["/usr/bin/env", "OTEL_TRACES_EXPORTER=none", "docker-registry", "serve", root + "/config.yml"],
            output: root + "/log")
        let probe = [
            "/bin/bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/\(address.split(separator: ":")[1])",
        ]
        for _ in 0..<100 where (try? contender.run(probe)) == nil { usleep(50_000) }
        try contender.run(probe)
    }

    func close() {
        server.end()
        contender.close()
        try? FileManager.default.removeItem(atPath: root)
    }
}

/// A root file system with a static busybox, as a tar archive and unpacked.
func makeRootFileSystem(below directory: String) throws -> (folder: String, tar: String) {
    let folder = directory + "/rootfs"
    let tar = directory + "/rootfs.tar"
    let script = """
        set -e
        mkdir -p \(folder)/bin \(folder)/proc \(folder)/sys \(folder)/dev \(folder)/tmp \(folder)/etc
        cp "$(command -v busybox)" \(folder)/bin/busybox
        for name in sh true sleep cat yes head dd; do ln -sf busybox \(folder)/bin/$name; done
        tar -C \(folder) -cf \(tar) .
        """
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", script]
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw BenchmarkError("no busybox: apt-get install busybox-static") }
    return (folder, tar)
}
