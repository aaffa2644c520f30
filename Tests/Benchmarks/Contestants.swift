import Foundation

/// The release build of Gantry beside this program, with all its state in a directory of its own.
final class GantryContestant {
    let contender: Contender
    let root: String
    private let program: String

    init() throws {
        contender = try Contender("gantry")
        root = "/tmp/gantry-bench-\(getpid())"
        program =
            URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
            + "/gantry"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    func command(_ arguments: String...) -> [String] { [program, "--root", root] + arguments }
    func command(_ arguments: [String]) -> [String] { [program, "--root", root] + arguments }

    func close() {
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

    static let withoutBridge = ["--bridge=none", "--iptables=false", "--ip6tables=false"]

    /// - Parameter prefix: what stands before the daemon's command, to let it start elsewhere.
    init(rootTar: String, prefix: [String] = [], options: [String] = withoutBridge) throws {
        guard FileManager.default.isExecutableFile(atPath: "/usr/sbin/dockerd") else {
            throw BenchmarkError("no dockerd: apt-get install docker.io")
        }
        contender = try Contender("docker")
        root = "/tmp/gantry-bench-docker-\(getpid())"
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
