import Foundation

/// Containers run by conmon and runc alone, without an engine: what a shim has to stand against.
final class ConmonBundles {
    private let root: String
    private let folder: String
    private var names: [String] = []

    init(below root: String) throws {
        for program in ["/usr/bin/conmon", "/usr/sbin/runc"]
        where !FileManager.default.isExecutableFile(atPath: program) {
            throw BenchmarkError("no \(program): apt-get install conmon runc")
        }
        self.root = root + "/conmon"
        folder = try makeRootFileSystem(below: root).folder
        try FileManager.default.createDirectory(atPath: self.root, withIntermediateDirectories: true)
    }

    /// The command line that starts a container under conmon and returns.
    func command(_ name: String, _ arguments: [String]) throws -> [String] {
        let bundle = "\(root)/\(name)"
        try FileManager.default.createDirectory(atPath: bundle, withIntermediateDirectories: true)
        let words = arguments.map { "\"\($0)\"" }.joined(separator: ",")
        let config = """
            {"ociVersion":"1.0.2","process":{"user":{"uid":0,"gid":0},"args":[\(words)],"env":["PATH=/bin"],"cwd":"/",
            "terminal":false},"root":{"path":"\(folder)"},"mounts":[{"destination":"/proc","type":"proc",
            "source":"proc"}],"linux":{"cgroupsPath":"/gantry-bench-conmon/\(name)","namespaces":[{"type":"pid"},
            {"type":"mount"},{"type":"ipc"},{"type":"uts"},{"type":"network"}]}}
            """
        try config.write(toFile: bundle + "/config.json", atomically: false, encoding: .utf8)
        names.append(name)
        let conmon = [
            "/usr/bin/conmon", "-c", name, "-u", name, "-n", name, "-r", "/usr/sbin/runc", "-b", bundle, "-p",
            bundle + "/pid", "-l", "k8s-file:\(bundle)/log", "--exit-dir", bundle + "/exit", "--socket-dir-path",
            bundle, "--conmon-pidfile",
            bundle + "/conmon.pid", "--runtime-arg", "--root=\(root)/state",
        ].map { "'\($0)'" }.joined(separator: " ")
        // Without an engine at its other end conmon asks for no synchronisation; the container is started by runc.
        let script = """
            mkdir -p \(bundle)/exit; \(conmon)
            for try in $(seq 200); do [ -s \(bundle)/pid ] && break; sleep 0.01; done
            exec /usr/sbin/runc --root \(root)/state start \(name)
            """
        return ["/bin/sh", "-c", script]
    }

    /// Lets the containers have a file of the same file system.
    func place(_ path: String, as name: String) throws {
        guard link(path, "\(folder)/\(name)") == 0 else { throw BenchmarkError("link \(path): errno \(errno)") }
    }

    /// Starts a container, and waits until conmon has written its exit file.
    func runToEnd(_ contender: Contender, _ name: String, _ arguments: [String]) throws -> Cost {
        let begin = contender.cpuMilliseconds
        let clock = DispatchTime.now()
        try contender.run(command(name, arguments))
        while !FileManager.default.fileExists(atPath: "\(root)/\(name)/exit/\(name)") { usleep(1000) }
        return Cost(
            wallMilliseconds: Double(DispatchTime.now().uptimeNanoseconds - clock.uptimeNanoseconds) / 1e6,
            cpuMilliseconds: contender.cpuMilliseconds - begin)
    }

    func close() {
        for name in names {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/sbin/runc")
            process.arguments = ["--root", root + "/state", "delete", "--force", name]
            process.standardError = FileHandle.nullDevice
            guard (try? process.run()) != nil else { continue }
            process.waitUntilExit()
        }
        let hierarchies = (try? FileManager.default.contentsOfDirectory(atPath: "/sys/fs/cgroup")) ?? []
        for hierarchy in hierarchies { rmdir("/sys/fs/cgroup/\(hierarchy)/gantry-bench-conmon") }
        rmdir("/sys/fs/cgroup/gantry-bench-conmon")
    }
}
