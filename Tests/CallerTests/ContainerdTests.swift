import Glibc
import Linux
import Testing

private let missing = Program.missing(["containerd", "ctr"])

/// containerd and its shim, which `ctr` makes use our runtime.
@Suite(
    .serialized, .enabled(if: missing.isEmpty, "not installed: \(missing.joined(separator: " "))"),
    .enabled(if: geteuid() == 0, "needs root"), .timeLimit(.minutes(4)))
struct ContainerdTests {
    private final class Containerd {
        let folder: CallerFolder
        private let daemon: Daemon

        init() throws {
            folder = try CallerFolder("containerd")
            let configuration = try folder.file(
                "containerd.toml",
                """
                version = 2
                root = "\(folder.path)/root"
                state = "\(folder.path)/state"
                disabled_plugins = ["io.containerd.grpc.v1.cri"]
                [grpc]
                address = "\(folder.path)/c.sock"
                [ttrpc]
                address = "\(folder.path)/c.sock.ttrpc"
                """)
            daemon = try Daemon("containerd", ["--config", configuration], log: "\(folder.path)/log")
            let isReady = try daemon.answers { try ctr("version").code == 0 }
            let log = try folder.text("log")
            try #require(isReady, "\(log)")
        }

        deinit {
            daemon.end()
            // Where the shim keeps the runtime's state of this namespace; empty by now.
            try? Directory.removeTree("/run/containerd/runc/\(folder.name)")
        }

        func ctr(_ words: String...) throws -> Program.Result { try run(words) }

        func run(_ words: [String]) throws -> Program.Result {
            try Program.run("ctr", ["--address", "\(folder.path)/c.sock", "--namespace", folder.name] + words)
        }

        func container(_ options: [String], _ id: String, _ words: String...) throws -> Program.Result {
            let runtime = ["--runc-binary", CallerFolder.runtime, "--cgroup", "\(folder.cgroup)/\(id)"]
            return try run(
                ["run"] + options + runtime + ["--env", "PATH=/bin", "--rootfs", "\(folder.path)/rootfs", id] + words)
        }
    }

    @Test("ctr runs a container to its end and passes its output and exit code on")
    func run() throws {
        let containerd = try Containerd()
        let result = try containerd.container(["--rm"], "one", "sh", "-c", "echo out; exit 7")
        #expect(result.code == 7)
        #expect(result.output == "out\n", "\(result.errors)")
        #expect(try containerd.ctr("containers", "list", "--quiet").output == "")
        let failed = try containerd.container(["--rm"], "two", "nope")
        #expect(failed.code == 1)
        #expect(failed.errors.contains("executable file not found in $PATH"), "\(failed.errors)")
    }

    @Test("ctr executes in, pauses, measures, kills and removes a container")
    func lifecycle() throws {
        let containerd = try Containerd()
        let started = try containerd.container(["--detach", "--memory-limit", "67108864"], "one", "sleep", "600")
        try #require(started.code == 0, "\(started.errors)")
        let exec = try containerd.ctr("task", "exec", "--exec-id", "e", "one", "sh", "-c", "echo in; exit 3")
        #expect(exec.code == 3)
        #expect(exec.output == "in\n")
        #expect(try containerd.ctr("task", "pause", "one").code == 0)
        #expect(try containerd.ctr("task", "list").output.contains("PAUSED"))
        #expect(try containerd.ctr("task", "resume", "one").code == 0)
        let listed = try containerd.ctr("task", "list")
        #expect(listed.output.contains("RUNNING"))
        #expect(try containerd.ctr("task", "ps", "one").lines.count == 2)
        let metrics = try containerd.ctr("task", "metrics", "one")
        #expect(metrics.code == 0, "\(metrics.errors)")
        #expect(metrics.output.contains("pids.current"))
        #expect(try containerd.ctr("task", "kill", "--signal", "SIGKILL", "one").code == 0)
        // Waits for the end: the exit code of a task that was killed.
        let deleted = try containerd.ctr("task", "delete", "--force", "one")
        #expect(deleted.code == 0 || deleted.code == 137, "\(deleted.errors)")
        #expect(try containerd.ctr("containers", "delete", "one").code == 0)
        #expect(try containerd.folder.members() == [])
    }
}
