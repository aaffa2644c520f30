import EngineAPI
import Glibc
import JSON
import Linux
import ShimAPI
import Testing

@testable import Tasks

/// What goes wrong, and what is left then: nothing.
@Suite(
    .serialized, .timeLimit(.minutes(2)),
    .enabled(if: TaskBench.missing == nil, "needs root, busybox-static and gantry-shim beside the tests"))
struct TaskFailureTests {
    private func failure(_ body: () async throws -> Void) async -> EngineError? {
        do {
            try await body()
            return nil
        } catch { return error as? EngineError }
    }

    private func waitForEnd(_ pid: Int32, _ ticks: UInt64) throws {
        guard let process = try? PidFD.open(pid: pid, startTicks: ticks) else { return }
        defer { process.close() }
        #expect(try PidFD.waitForEnd(process, timeoutMilliseconds: 10_000))
    }

    @Test("Clients that attach and are gone at once cost the container nothing")
    func leavingClients() async throws {
        try await TaskBench.with { bench in
            try await bench.run(try bench.sh("a", "while :; do echo; sleep 0.01; done"))
            let shim = OwnedDescriptor(try Descriptor.open("\(bench.root)/run/shims/a", O_PATH | O_DIRECTORY))
            let request = ShimAttach(stdin: false, stdout: true, stderr: true, replay: false)
            let frames =
                ShimRequest.hello(version: ShimFrame.version).frame(tag: 1).bytes
                + ShimRequest.attach(request).frame(tag: 2).bytes
            for _ in 0..<100 {
                let client = try UnixSocket.connect(in: shim.descriptor, name: "shim.sock")
                _ = try UnixSocket.send(client, frames, from: 0)
                client.close()
            }
            let stream = try await bench.service.attach("a", execID: nil, AttachRequest())
            _ = try await bench.read(stream, until: "\n\n")
            try await bench.service.kill("a", execID: nil, signal: SIGKILL)
            // A shim that is lost has no exit to tell.
            #expect(try await bench.exit(of: "a").code == 137)
        }
    }

    @Test("A task whose cgroup no path can name has none that is ended or removed with it")
    func unnameableCgroup() async throws {
        try await TaskBench.with { bench in
            // What is kept of a container that another version has made.
            var traces = TaskTraces()
            traces.cgroupsPath = "/\0/a"
            try await bench.service.killAll("a", traces, reporting: false)
            try await bench.service.delete("a", traces)
            bench.expectNothingLeft("a")
        }
    }

    @Test("A reason that no pipe would hold is told all the same")
    func longReason() async throws {
        try await TaskBench.with { bench in
            let spec = try bench.spec("a", ["true"])
            let file = "\(spec.bundle)/config.json"
            var json = try #require(try JSONValue(parsing: try FileContents.read(file)).object)
            var linux = try #require(json["linux"]?.object)
            let name = String(repeating: "a", count: 70_000)
            linux["sysctl"] = .object(JSONObject([(name, "1")]))
            json["linux"] = .object(linux)
            try FileContents.replace(file, with: JSONValue.object(json).compactBytes, durable: false)
            let error = await failure { try await bench.run(spec) }
            #expect(error?.message.hasPrefix("OCI runtime create failed: ") == true)
            #expect(error?.message.contains(name) == true)
            bench.expectNothingLeft("a")
        }
    }

    @Test("A program that is not there is commandNotFound, and nothing is left", arguments: TestRuntime.available)
    func commandNotFound(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            let spec = try bench.spec("a", ["nosuchprogram"])
            let error = await failure { try await bench.run(spec) }
            #expect(error?.kind == .commandNotFound, "\(String(describing: error))")
            #expect(error?.message.contains("nosuchprogram") == true, "\(String(describing: error))")
            try await bench.service.delete("a")
            bench.expectNothingLeft("a")
        }
    }

    @Test("A file that is no program is commandNotExecutable", arguments: TestRuntime.available)
    func notExecutable(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            let error = await failure { try await bench.run(try bench.spec("a", ["/tmp"])) }
            #expect(error?.kind == .commandNotExecutable, "\(String(describing: error))")
            try await bench.service.delete("a")
            bench.expectNothingLeft("a")
        }
    }

    @Test("An exec of a program that is not there fails alone", arguments: TestRuntime.available)
    func execNotFound(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            try await bench.run(try bench.sh("a", "sleep 1000"))
            let exec = ExecTaskSpec(id: "e", process: TaskBench.process(["nosuchprogram"]).compactBytes)
            let error = await failure { _ = try await bench.service.exec("a", exec) }
            #expect(error?.kind == .commandNotFound, "\(String(describing: error))")
            let facts = try #require(try await bench.service.survey().first)
            #expect(facts.status == .running)
            #expect(facts.execs.isEmpty)
        }
    }

    @Test("A mount that cannot be made is told, and nothing is left", arguments: TestRuntime.available)
    func badMount(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            var spec = try bench.sh("a", "true")
            spec.rootMounts = [
                RootMount(
                    type: "overlay", source: "overlay", target: "\(spec.bundle)/rootfs",
                    options: ["lowerdir=/nosuch/lower"])
            ]
            let error = await failure { _ = try await bench.service.create(spec) }
            #expect(error?.message.contains("mount overlay") == true, "\(String(describing: error))")
            bench.expectNothingLeft("a")
        }
    }

    @Test("The root is mounted where only the shim sees it", arguments: TestRuntime.available)
    func rootMount(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            var spec = try bench.sh("a", "echo changed > /tmp/x; cat /tmp/x")
            let lower = "\(bench.root)/lower"
            rename("\(spec.bundle)/rootfs", lower)
            for name in ["upper", "work"] { mkdir("\(bench.root)/\(name)", 0o755) }
            mkdir("\(spec.bundle)/rootfs", 0o755)
            // Upper directories cannot lie on every file system: a read-only overlay of two can.
            mkdir("\(bench.root)/empty", 0o755)
            spec.rootMounts = [
                RootMount(
                    type: "tmpfs", source: "tmpfs", target: "\(bench.root)/work", options: ["nosuid", "size=1m"]),
                RootMount(
                    type: "overlay", source: "overlay", target: "\(spec.bundle)/rootfs",
                    options: [
                        "lowerdir=\(bench.root)/empty:\(lower)", "upperdir=\(bench.root)/upper",
                        "workdir=\(bench.root)/upperwork",
                    ]),
            ]
            mkdir("\(bench.root)/upperwork", 0o755)
            try await bench.run(spec)
            let table = try MountTable.current()
            #expect(!table.contains { "\($0)".contains(bench.root) })
            #expect(try await bench.exit(of: "a").code == 0)
            #expect(try bench.text("a") == "changed\n")
            #expect(access("\(bench.root)/upper/tmp/x", F_OK) == 0)
            #expect(access("\(lower)/tmp/x", F_OK) != 0)
        }
    }

    @Test("A second task of the same id, and an id that is no name, are refused", arguments: TestRuntime.available)
    func ids(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            let spec = try bench.sh("a", "sleep 1000")
            try await bench.run(spec)
            #expect(await failure { _ = try await bench.service.create(spec) }?.kind == .conflict)
            #expect(await failure { try await bench.service.delete("a") }?.kind == .conflict)
            #expect(await failure { try await bench.service.delete("../a") }?.kind == .invalid)
            #expect(await failure { try await bench.service.start("none") }?.kind == .notFound)
        }
    }

    @Test("A killed shim is reported, and killAll and delete leave nothing", arguments: TestRuntime.available)
    func killedShim(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            let facts = try await bench.service.create(try bench.sh("a", "sleep 1000 & sleep 1000"))
            try await bench.service.start("a")
            let shim = try #require(facts.shim)
            let initial = try #require(facts.initial)
            kill(shim.pid, SIGKILL)
            var wasLost = false
            for await report in bench.service.reports {
                wasLost = report == .shimLost(id: "a")
                break
            }
            #expect(wasLost)
            #expect(try await bench.service.survey().first?.status == .lost)
            try await bench.service.killAll("a")
            try waitForEnd(initial.pid, initial.startTicks)
            try await bench.service.delete("a")
            bench.expectNothingLeft("a")
            #expect(try await bench.service.survey().isEmpty)
        }
    }

    @Test("A task without a pid namespace leaves no process behind its init", arguments: TestRuntime.available)
    func sharedPidNamespace(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            let script = "sleep 1000 & echo $!; exit 4"
            try await bench.run(try bench.spec("a", ["/bin/sh", "-c", script], pidNamespace: false))
            #expect(try await bench.exit(of: "a").code == 4)
            let text = try bench.text("a")
            let pid = try #require(Int32(text.split(separator: "\n").first ?? ""))
            // It may be on its way out.
            if let stat = try? ProcessStat.read(pid: pid) { try waitForEnd(pid, stat.startTicks) }
        }
    }

    @Test("killAll ends a paused task", arguments: TestRuntime.available)
    func killPaused(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            try await bench.run(try bench.sh("a", "sleep 1000"))
            try await bench.service.pause("a")
            try await bench.service.killAll("a")
            #expect(try await bench.exit(of: "a").code == 137)
        }
    }

    @Test("The end of a task that is cleared away is not taken for the next one's")
    func clearedAway() async throws {
        try await TaskBench.with { bench in
            _ = try await bench.service.create(try bench.sh("a", "sleep 1000"))
            try await bench.service.killAll("a", TaskTraces(), reporting: false)
            // The shim has told of it before it answers so.
            for _ in 0..<200 where try await bench.service.survey().first?.status != .stopped {
                try await Task.sleep(for: .milliseconds(25))
            }
            #expect(try await bench.service.survey().first?.status == .stopped)
            try await bench.service.delete("a")
            try await bench.run(try bench.sh("a", "exit 7"))
            #expect(try await bench.exit(of: "a").code == 7)
        }
    }

    @Test("A second service adopts running tasks and hears of their end", arguments: TestRuntime.available)
    func adopt(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            try await bench.run(try bench.sh("a", "read x; exit 9"))
            var spec = try bench.sh("b", "read x; exit 8")
            spec.input = .open
            let created = try await bench.service.create(spec)
            try await bench.service.start("b")
            let second = ShimTaskService(runRoot: bench.root + "/run", shimPath: TaskBench.shimPath)
            let found = try await second.survey()
            #expect(found.map(\.id) == ["a", "b"])
            #expect(found.last?.initial == created.initial)
            #expect(found.last?.shim == created.shim)
            let stream = try await second.attach("b", execID: nil, AttachRequest(stdin: true))
            try await stream.write([10])
            #expect(try await bench.exit(of: "b", in: second).code == 8)
            #expect(try await bench.exit(of: "b").code == 8)
            try await second.delete("b")
            bench.expectNothingLeft("b")
        }
    }

    @Test(
        "An exit that nobody saw is found with its own time, even when the shim is dead",
        arguments: TestRuntime.available)
    func unseenExit(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            let facts = try await bench.service.create(try bench.sh("a", "exit 6"))
            try await bench.service.start("a")
            let exit = try await bench.exit(of: "a")
            let shim = try #require(facts.shim)
            kill(shim.pid, SIGKILL)
            try waitForEnd(shim.pid, shim.startTicks)
            let second = ShimTaskService(runRoot: bench.root + "/run", shimPath: TaskBench.shimPath)
            let found = try #require(try await second.survey().first)
            #expect(found.status == .stopped)
            #expect(found.exit == exit)
            try await second.delete("a")
            bench.expectNothingLeft("a")
        }
    }

    @Test("A task that the kernel kills for want of memory says so", arguments: TestRuntime.available)
    func outOfMemory(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            let spec = try bench.spec("a", ["/bin/busybox", "tail", "-c", "200000000", "/dev/zero"])
            let file = "\(spec.bundle)/config.json"
            guard case .object(var config) = try JSONValue(parsing: try FileContents.read(file)),
                case .object(var linux) = config["linux"], case .object(var resources) = linux["resources"]
            else { throw KernelError("read", file, .invalidArgument) }
            resources["memory"] = ["limit": 33_554_432]
            linux["resources"] = .object(resources)
            config["linux"] = .object(linux)
            try FileContents.replace(file, with: JSONValue.object(config).compactBytes, durable: false)
            try await bench.run(spec)
            var wasToldBefore = false
            for await report in bench.service.reports {
                if report == .outOfMemory(id: "a") { wasToldBefore = true }
                guard case .exited(_, let exit) = report else { continue }
                #expect(exit.code == 137)
                #expect(exit.oomKilled)
                break
            }
            #expect(wasToldBefore)
        }
    }

    @Test("An exec that is longer than a shim takes is refused in words, and disturbs nobody")
    func longExec() async throws {
        try await TaskBench.with { bench in
            try await bench.run(try bench.sh("a", "sleep 1000"))
            let long = String(repeating: "x", count: 4 << 20)
            let exec = ExecTaskSpec(id: "e", process: TaskBench.process(["/bin/true", long]).compactBytes)
            let error = await failure { _ = try await bench.service.exec("a", exec) }
            #expect(error?.kind == .invalid)
            #expect(error?.message.contains("argument list too long") == true)
            let short = ExecTaskSpec(id: "f", process: TaskBench.process(["/bin/sh", "-c", "exit 3"]).compactBytes)
            _ = try await bench.service.exec("a", short)
            #expect(try await bench.execExit(of: "f").code == 3)
        }
    }
}
