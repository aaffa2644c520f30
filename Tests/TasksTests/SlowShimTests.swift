import EngineAPI
import Glibc
import Linux
import Testing

@testable import Tasks

/// Shims that have no time, or no descriptors, for who asks: their containers must not suffer for it.
@Suite(
    .serialized, .timeLimit(.minutes(2)),
    .enabled(if: TaskBench.missing == nil, "needs root, busybox-static and gantry-shim beside the tests"))
struct SlowShimTests {
    private func isRunning(_ process: ProcessIdentity) -> Bool {
        guard let stat = try? ProcessStat.read(pid: process.pid) else { return false }
        return stat.startTicks == process.startTicks && !stat.isEnded
    }

    @Test("A container whose shim does not answer a new service goes on, and is served once the shim does")
    func stopped() async throws {
        try await TaskBench.with { bench in
            let created = try await bench.service.create(try bench.sh("a", "sleep 1000"))
            try await bench.service.start("a")
            let shim = try #require(created.shim)
            let initial = try #require(created.initial)
            kill(shim.pid, SIGSTOP)
            defer { kill(shim.pid, SIGCONT) }
            let second = ShimTaskService(
                runRoot: bench.root + "/run", shimPath: TaskBench.shimPath, patience: .milliseconds(200))
            let facts = try #require(try await second.survey().first)
            #expect(facts.status == .unreachable)
            #expect(facts.initial == initial)
            #expect(facts.shim == shim)
            #expect(isRunning(initial))
            kill(shim.pid, SIGCONT)
            let patient = ShimTaskService(runRoot: bench.root + "/run", shimPath: TaskBench.shimPath)
            #expect(try await patient.survey().first?.status == .running)
            let exec = ExecTaskSpec(id: "e", process: TaskBench.process(["/bin/true"]).compactBytes)
            #expect(try await patient.exec("a", exec) > 0)
            try await patient.kill("a", execID: nil, signal: SIGKILL)
            #expect(try await bench.exit(of: "a", in: second).code == 137)
        }
    }

    @Test("A shim that stops answering keeps nobody waiting: signals reach the container, and its end ends the shim")
    func stopsAnswering() async throws {
        try await TaskBench.with { bench in
            let created = try await bench.service.create(try bench.sh("a", "sleep 1000"))
            try await bench.service.start("a")
            let shim = try #require(created.shim)
            let initial = try #require(created.initial)
            let hasty = ShimTaskService(
                runRoot: bench.root + "/run", shimPath: TaskBench.shimPath, patience: .seconds(1))
            #expect(try await hasty.survey().first?.status == .running)
            kill(shim.pid, SIGSTOP)
            try await hasty.kill("a", execID: nil, signal: SIGKILL)
            while isRunning(initial) { try await Task.sleep(for: .milliseconds(5)) }
            try await hasty.killAll("a")
            #expect(!isRunning(shim))
            var reports = hasty.reports.makeAsyncIterator()
            #expect(await reports.next() == .shimLost(id: "a"))
            try await hasty.delete("a")
            bench.expectNothingLeft("a")
        }
    }

    @Test("A request that takes long is not taken for a shim that does not answer")
    func slowRequest() async throws {
        try await TaskBench.with { bench in
            // A runtime that takes its time.
            let slow = "\(bench.root)/slow"
            let script = "#!/bin/sh\ncase \"$*\" in *create*) sleep 3;; esac\nexec \(bench.runtime) \"$@\"\n"
            try FileContents.replace(slow, with: Array(script.utf8), mode: 0o755, durable: false)
            let hasty = ShimTaskService(
                runRoot: bench.root + "/run", shimPath: TaskBench.shimPath, patience: .seconds(1))
            var spec = try bench.sh("a", "exit 4")
            spec.runtime = slow
            _ = try await hasty.create(spec)
            try await hasty.start("a")
            #expect(try await bench.exit(of: "a", in: hasty).code == 4)
            try await hasty.delete("a")
            bench.expectNothingLeft("a")
        }
    }

    @Test("What ended while its shim did not answer is reported, once that is known")
    func endedMeanwhile() async throws {
        try await TaskBench.with { bench in
            let created = try await bench.service.create(try bench.sh("a", "sleep 1000"))
            try await bench.service.start("a")
            let shim = try #require(created.shim)
            kill(shim.pid, SIGSTOP)
            defer { kill(shim.pid, SIGCONT) }
            let second = ShimTaskService(
                runRoot: bench.root + "/run", shimPath: TaskBench.shimPath, patience: .milliseconds(200))
            #expect(try await second.survey().first?.status == .unreachable)
            kill(try #require(created.initial).pid, SIGKILL)
            kill(shim.pid, SIGCONT)
            #expect(try await bench.exit(of: "a", in: second).code == 137)
        }
    }

    @Test("A shim that is killed while it does not answer is reported as lost")
    func killedMeanwhile() async throws {
        try await TaskBench.with { bench in
            let created = try await bench.service.create(try bench.sh("a", "sleep 1000"))
            try await bench.service.start("a")
            let shim = try #require(created.shim)
            kill(shim.pid, SIGSTOP)
            let second = ShimTaskService(
                runRoot: bench.root + "/run", shimPath: TaskBench.shimPath, patience: .milliseconds(200))
            #expect(try await second.survey().first?.status == .unreachable)
            kill(shim.pid, SIGKILL)
            var reports = second.reports.makeAsyncIterator()
            #expect(await reports.next() == .shimLost(id: "a"))
        }
    }

    @Test("A shim without descriptors for who connects sleeps, says so once, and serves them when it has some again")
    func withoutDescriptors() async throws {
        try await TaskBench.with { bench in
            let created = try await bench.service.create(try bench.sh("a", "sleep 1000"))
            try await bench.service.start("a")
            let shim = try #require(created.shim)
            let before = try limitDescriptors(of: shim.pid, to: 3)
            let place = OwnedDescriptor(try Descriptor.open("\(bench.root)/run/shims/a", O_RDONLY | O_DIRECTORY))
            let client = OwnedDescriptor(try UnixSocket.connect(in: place.descriptor, name: "shim.sock"))
            defer { withExtendedLifetime(client) {} }
            let log = "\(bench.root)/run/shims/a/shim.log"
            // It goes to sleep again and again with a connection waiting: a loop that spins never sleeps.
            let slept = try sleepCount(shim.pid)
            while try sleepCount(shim.pid) < slept + 5 {
                try await Task.sleep(for: .milliseconds(20))
            }
            let notes = String(decoding: try FileContents.read(log), as: UTF8.self).split(separator: "\n")
            #expect(notes.filter { $0.contains("accept") }.count == 1, "\(notes.prefix(3))")
            try limitDescriptors(of: shim.pid, to: before)
            let second = ShimTaskService(runRoot: bench.root + "/run", shimPath: TaskBench.shimPath)
            #expect(try await second.survey().first?.status == .running)
        }
    }

    /// prlimit(1), of the soft limit.
    ///
    /// - Returns: what it was before.
    @discardableResult
    private func limitDescriptors(of pid: Int32, to count: Int) throws -> Int {
        let text = String(decoding: try FileContents.read("/proc/\(pid)/limits"), as: UTF8.self)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("Max open files") })
        let former = try #require(line.split(separator: " ").dropFirst(3).first.flatMap { Int($0) })
        let arguments = ["prlimit", "--pid", "\(pid)", "--nofile=\(count):"]
        let child = try Spawn(program: "/usr/bin/prlimit", arguments: arguments).start()
        var status: Int32 = -1
        waitpid(child, &status, 0)
        try #require(status == 0)
        return former
    }

    /// How often a process gave up its processor to wait: proc_pid_status(5).
    private func sleepCount(_ pid: Int32) throws -> Int {
        let text = String(decoding: try FileContents.read("/proc/\(pid)/status"), as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches") }
        return try #require(line.flatMap { Int($0.filter(\.isNumber)) })
    }

    @Test("How an exec ended while nobody had a connection to its shim is told to whoever has one next")
    func execEndedMeanwhile() async throws {
        try await TaskBench.with { bench in
            let created = try await bench.service.create(try bench.sh("a", "sleep 1000"))
            try await bench.service.start("a")
            let shim = try #require(created.shim)
            let hasty = ShimTaskService(
                runRoot: bench.root + "/run", shimPath: TaskBench.shimPath, patience: .seconds(1))
            let exec = ExecTaskSpec(id: "e", process: TaskBench.process(["/bin/sleep", "1000"]).compactBytes)
            let pid = try await hasty.exec("a", exec)
            kill(shim.pid, SIGSTOP)
            defer { kill(shim.pid, SIGCONT) }
            let error = await #expect(throws: EngineError.self) {
                try await hasty.resize("a", execID: "e", to: TerminalSize(columns: 80, rows: 24))
            }
            #expect(error?.kind == .unavailable, "the connection is given up")
            kill(pid, SIGKILL)
            kill(shim.pid, SIGCONT)
            #expect(await Self.execExit(in: hasty)?.code == 137)
            // And one that comes after all that.
            let late = ShimTaskService(runRoot: bench.root + "/run", shimPath: TaskBench.shimPath)
            #expect(try await late.survey().first?.execs.isEmpty == true)
            #expect(await Self.execExit(in: late)?.code == 137)
        }
    }

    private static func execExit(in service: ShimTaskService) async -> TaskExit? {
        for await report in service.reports {
            if case .execExited("a", "e", let exit) = report { return exit }
        }
        return nil
    }

    @Test("A shim that stops while its container is made does not stay")
    func stoppedInCreation() async throws {
        try await TaskBench.with { bench in
            let (stopping, note) = ("\(bench.root)/stopping", "\(bench.root)/parent")
            let script = "#!/bin/sh\necho $PPID >\(note)\nkill -STOP $PPID\nexit 1\n"
            try FileContents.replace(stopping, with: Array(script.utf8), mode: 0o755, durable: false)
            let service = ShimTaskService(
                runRoot: bench.root + "/run", shimPath: TaskBench.shimPath, patience: .seconds(1),
                runtimePatience: .seconds(1))
            var spec = try bench.sh("a", "true")
            spec.runtime = stopping
            await #expect(throws: EngineError.self) { _ = try await service.create(spec) }
            let text = String(decoding: try FileContents.read(note), as: UTF8.self)
            let parent = try #require(Int32(text.prefix { $0 != "\n" }))
            // The shim itself, or a process of it, which ends with it.
            let isThere = (try? ProcessStat.read(pid: parent)).map { !$0.isEnded } ?? false
            #expect(!isThere)
            if isThere { kill(parent, SIGKILL) }
            bench.expectNothingLeft("a")
        }
    }

    @Test("A runtime that does not come back from an update is ended, and its container can be ended as ever")
    func stuckUpdate() async throws {
        try await TaskBench.with { bench in
            let stuck = "\(bench.root)/stuck"
            let script =
                "#!/bin/sh\ncase \"$*\" in *update*) exec sleep 1000;; esac\nexec \(bench.runtime) \"$@\"\n"
            try FileContents.replace(stuck, with: Array(script.utf8), mode: 0o755, durable: false)
            let service = ShimTaskService(
                runRoot: bench.root + "/run", shimPath: TaskBench.shimPath, runtimePatience: .seconds(1))
            var spec = try bench.sh("a", "sleep 1000")
            spec.runtime = stuck
            _ = try await service.create(spec)
            try await service.start("a")
            let error = await #expect(throws: EngineError.self) {
                try await service.update("a", resources: Array("{}".utf8))
            }
            #expect(error?.kind == .unavailable)
            #expect(error?.message.contains("gave up") == true)
            try await service.killAll("a")
            #expect(try await bench.exit(of: "a", in: service).code == 137)
            try await service.delete("a")
            bench.expectNothingLeft("a")
        }
    }

    @Test("Many who come while the shim has no time find room, and are served in their turn")
    func crowd() async throws {
        try await TaskBench.with { bench in
            let created = try await bench.service.create(try bench.sh("a", "sleep 1000"))
            try await bench.service.start("a")
            let shim = try #require(created.shim)
            kill(shim.pid, SIGSTOP)
            defer { kill(shim.pid, SIGCONT) }
            let path = try ShimDirectory(id: "a", runRoot: bench.root + "/run").path
            let place = OwnedDescriptor(try Descriptor.open(path, O_RDONLY | O_DIRECTORY))
            let crowd = try (0..<300).map { _ in
                try UnixSocket.connect(in: place.descriptor, name: ShimDirectory.socketName)
            }
            kill(shim.pid, SIGCONT)
            let stream = try await bench.service.attach("a", execID: nil, AttachRequest())
            await stream.close()
            for one in crowd { one.close() }
        }
    }
}
