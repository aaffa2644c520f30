import Glibc
import Linux
import Testing

private let missing = Program.missing(["podman", "conmon", "unshare", "nsenter"])

/// podman with our runtime, in a mount namespace of its own.
@Suite(
    .serialized, .enabled(if: missing.isEmpty, "not installed: \(missing.joined(separator: " "))"),
    .enabled(if: geteuid() == 0, "needs root"), .timeLimit(.minutes(4)))
struct PodmanTests {
    private final class Podman {
        let folder: CallerFolder
        /// Keeps the mount namespace for all commands; with its end, every mount in it is gone.
        private let holder: Daemon

        init() throws {
            folder = try CallerFolder("podman")
            _ = try folder.file(
                "containers.conf",
                """
                [containers]
                log_driver="k8s-file"
                [engine]
                cgroup_manager="cgroupfs"
                events_logger="file"
                lock_type="file"
                """)
            try Directory.create("\(folder.path)/tmp")
            holder = try Daemon(
                "unshare", ["--mount", "--propagation", "private", "sleep", "600"], log: "\(folder.path)/log")
            // unshare has become sleep once it is in the namespace.
            let pid = holder.pid
            #expect(try holder.answers { try ProcessStat.read(pid: pid).command == "sleep" })
        }

        deinit { holder.end() }

        func callAsFunction(_ words: String...) throws -> Program.Result { try run(words) }

        func run(_ words: [String]) throws -> Program.Result {
            let own = [
                "--root", "\(folder.path)/root", "--runroot", "\(folder.path)/run", "--tmpdir", "\(folder.path)/tmp",
                "--storage-driver", "vfs", "--runtime", CallerFolder.runtime,
            ]
            let environment = [
                "CONTAINERS_CONF=\(folder.path)/containers.conf", "HOME=\(folder.path)", "XDG_RUNTIME_DIR=",
            ]
            return try Program.run(
                "nsenter", ["-t", String(holder.pid), "-m", "podman"] + own + words, environment: environment)
        }

        /// Limits below those that root may not raise here.
        func container(_ command: String, _ options: [String], _ words: [String]) throws -> Program.Result {
            let limits = ["--ulimit", "nofile=20000:20000", "--ulimit", "nproc=32768:32768"]
            let place = ["--network", "none", "--cgroup-parent", folder.cgroup]
            return try run([command] + options + place + limits + ["--rootfs", "\(folder.path)/rootfs"] + words)
        }
    }

    @Test("podman runs a container to its end and passes its output and exit code on")
    func run() throws {
        let podman = try Podman()
        let result = try podman.container("run", ["--rm"], ["sh", "-c", "echo out; echo err >&2; exit 7"])
        #expect(result.code == 7)
        #expect(result.output == "out\n")
        // Before it podman may complain about a network configuration of the machine's.
        #expect(result.errors.hasSuffix("err\n"))
        #expect(try podman("ps", "-aq").output == "")
    }

    @Test("podman knows by the runtime's words what a program that cannot be started lacks")
    func missingProgram() throws {
        let podman = try Podman()
        #expect(try podman.container("run", ["--rm"], ["nope"]).code == 127)
        #expect(try podman.container("run", ["--rm"], ["/etc"]).code == 126)
    }

    @Test("podman executes in, pauses, limits, stops, starts, kills and removes a container")
    func lifecycle() throws {
        let podman = try Podman()
        let started = try podman.container("run", ["--detach", "--name", "one"], ["sleep", "600"])
        try #require(started.code == 0, "\(started.errors)")
        let exec = try podman("exec", "--env", "A=b", "one", "sh", "-c", "echo $A; exit 5")
        #expect(exec.code == 5)
        #expect(exec.output == "b\n")
        #expect(try podman("pause", "one").code == 0)
        #expect(try podman("ps", "--all", "--format", "{{.Status}}").output == "Paused\n")
        #expect(try podman("unpause", "one").code == 0)
        #expect(try podman("top", "one", "args").lines.last?.hasPrefix("sleep 600") == true)
        let update = try podman("update", "--memory", "64m", "one")
        #expect(update.code == 0, "\(update.errors)")
        #expect(try podman("stop", "--time", "0", "one").code == 0)
        #expect(try podman("ps", "--all", "--format", "{{.Status}}").output.hasPrefix("Exited (137)"))
        #expect(try podman("start", "one").code == 0)
        #expect(try podman("kill", "--signal", "KILL", "one").code == 0)
        #expect(try podman("wait", "one").output == "137\n")
        #expect(try podman("rm", "--force", "one").code == 0)
        #expect(try podman("ps", "-aq").output == "")
    }

    @Test("podman gives a container a terminal")
    func terminal() throws {
        let podman = try Podman()
        let result = try podman.container("run", ["--rm", "--tty"], ["sh", "-c", "tty; ls /dev/console"])
        #expect(result.output == "/dev/pts/0\r\n/dev/console\r\n", "\(result.errors)")
    }
}
