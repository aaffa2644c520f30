import Glibc
import Linux
import Testing

private let missing = Program.missing(["dockerd", "containerd", "docker", "tar"])

/// dockerd with our runtime as its default one.
@Suite(
    .serialized, .enabled(if: missing.isEmpty, "not installed: \(missing.joined(separator: " "))"),
    .enabled(if: geteuid() == 0, "needs root"), .timeLimit(.minutes(4)))
struct DockerdTests {
    private final class Dockerd {
        let folder: CallerFolder
        private let daemon: Daemon

        init() throws {
            folder = try CallerFolder("dockerd")
            let state = [
                "--data-root", "\(folder.path)/data", "--exec-root", "\(folder.path)/exec", "--pidfile",
                "\(folder.path)/pid", "--storage-driver", "vfs", "--host", "unix://\(folder.path)/d.sock",
            ]
            let network = ["--bridge", "none", "--iptables=false", "--ip-forward=false", "--ip-masq=false"]
            let runtime = ["--add-runtime", "gantry=\(CallerFolder.runtime)", "--default-runtime", "gantry"]
            daemon = try Daemon(
                "dockerd", state + network + runtime + ["--cgroup-parent", folder.cgroup],
                environment: ["HOME=\(folder.path)"], log: "\(folder.path)/log")
            let isReady = try daemon.answers { try docker("version").code == 0 }
            let log = try folder.text("log")
            try #require(isReady, "\(log)")
            let archive = "\(folder.path)/image.tar"
            #expect(try Program.run("tar", ["-C", "\(folder.path)/rootfs", "-cf", archive, "."]).code == 0)
            let imported = try docker("import", "--change", "ENV PATH=/bin", archive, "busybox")
            try #require(imported.code == 0, "\(imported.errors)")
        }

        deinit { daemon.end() }

        func docker(_ words: String...) throws -> Program.Result {
            try Program.run(
                "docker", ["--host", "unix://\(folder.path)/d.sock"] + words, environment: ["HOME=\(folder.path)"])
        }
    }

    @Test("docker runs a container to its end and passes its output and exit code on")
    func run() throws {
        let dockerd = try Dockerd()
        let result = try dockerd.docker(
            "run", "--rm", "--network", "none", "busybox", "sh", "-c", "echo out; echo err >&2; exit 7")
        #expect(result.code == 7)
        #expect(result.output == "out\n")
        #expect(result.errors == "err\n")
        #expect(try dockerd.docker("run", "--rm", "--network", "none", "busybox", "nope").code == 127)
        #expect(try dockerd.docker("run", "--rm", "--network", "none", "busybox", "/etc").code == 126)
        #expect(try dockerd.docker("ps", "-aq").output == "")
        let runtime = try dockerd.docker("info", "--format", "{{.DefaultRuntime}} {{.RuncCommit.ID}}")
        #expect(runtime.output.hasPrefix("gantry "))
    }

    @Test("docker executes in, pauses, limits, stops, starts, kills and removes a container")
    func lifecycle() throws {
        let dockerd = try Dockerd()
        let started = try dockerd.docker(
            "run", "--detach", "--name", "one", "--network", "none", "--memory", "64m", "--cpus", "0.5",
            "--pids-limit", "50", "busybox", "sleep", "600")
        try #require(started.code == 0, "\(started.errors)")
        let exec = try dockerd.docker("exec", "--env", "A=b", "one", "sh", "-c", "echo $A; exit 5")
        #expect(exec.code == 5)
        #expect(exec.output == "b\n")
        #expect(try dockerd.docker("pause", "one").code == 0)
        #expect(try dockerd.docker("ps", "--format", "{{.Status}}").output.hasSuffix("(Paused)\n"))
        #expect(try dockerd.docker("unpause", "one").code == 0)
        let update = try dockerd.docker("update", "--memory", "96m", "--memory-swap", "96m", "--cpus", "1", "one")
        #expect(update.code == 0, "\(update.errors)")
        #expect(try dockerd.docker("top", "one").lines.last?.hasSuffix("sleep 600") == true)
        #expect(try dockerd.docker("stop", "--time", "0", "one").code == 0)
        #expect(try dockerd.docker("start", "one").code == 0)
        #expect(try dockerd.docker("restart", "--time", "0", "one").code == 0)
        #expect(try dockerd.docker("kill", "one").code == 0)
        #expect(try dockerd.docker("wait", "one").output == "137\n")
        #expect(try dockerd.docker("rm", "--force", "one").code == 0)
        #expect(try dockerd.docker("ps", "-aq").output == "")
        #expect(try dockerd.folder.members() == [])
    }

    @Test("docker's features that reach the runtime work: mounts, init, read-only root, shared namespaces")
    func features() throws {
        let dockerd = try Dockerd()
        let result = try dockerd.docker(
            "run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp", "--volume",
            "\(dockerd.folder.path):/mnt:ro", "--pid", "host", "--ipc", "host", "--user", "1000:1000",
            "--security-opt", "no-new-privileges", "--ulimit", "nofile=100:100", "busybox", "sh", "-c",
            "ls -d /mnt/rootfs; id -u; touch /x 2>/dev/null || echo read-only")
        #expect(result.output == "/mnt/rootfs\n1000\nread-only\n", "\(result.errors)")
    }
}
