import AsyncIO
import EngineAPI
import Faults
import Glibc
import Lifecycle
import Linux
import LocalEngine
import Testing

/// The engine's process is killed at every named step; the next engine finds a container that is whole, or none.
@Suite(
    .enabled(
        if: EngineProbe.missing == nil, "needs root, busybox-static, a debug build, and the programs beside the tests"))
struct CrashTests {
    @Test(
        "A creation that is cut short is undone, or whole",
        arguments: [
            FaultPoint.createAfterIntent, .createAfterRoot, .createAfterFiles, .createAfterRow,
        ])
    func create(point: FaultPoint) async throws {
        try await Self.onBench { bench in
            #expect(try EngineProbe.die(at: point, "create", bench))
            let engine = try await bench.open()
            let left = try await engine.containers(ContainerFilter(all: true))
            #expect(left.map(\.name) == (point == .createAfterRow ? ["victim"] : []))
            for container in left {
                try await engine.start(container.id)
                try await engine.remove(container.id, force: true, volumes: false)
            }
            // The name is free.
            let id = try await bench.create("true", name: "victim", on: engine)
            try await engine.remove(id, force: false, volumes: false)
            #expect(Self.leftovers(bench) == [])
            await engine.close()
        }
    }

    @Test(
        "A start that is cut short is undone, or the container runs on",
        arguments: [
            FaultPoint.startAfterBundle, .startAfterTask, .startAfterStart, .startAfterRow,
        ])
    func start(point: FaultPoint) async throws {
        try await Self.onBench { bench in
            let id = try await Self.prepare(bench, running: false)
            // The kernel counts starts in hundredths of a second.
            let before = Timestamp.now().before(by: 20_000_000)
            #expect(try EngineProbe.die(at: point, "start", bench))
            let after = Timestamp.now()
            let engine = try await bench.open()
            let state = try await engine.inspect(id).state
            let took = point == .startAfterStart || point == .startAfterRow
            #expect(state.status == (took ? .running : .created))
            if took {
                #expect(kill(state.pid, 0) == 0)
                let started = try #require(state.startedAt)
                #expect((before...after).contains(started))
                #expect(try await engine.top(id, psArguments: []).rows.count >= 1)
            } else {
                try await engine.start(id)
            }
            try await engine.stop(id, signal: "KILL", timeoutSeconds: 5)
            #expect(try await engine.inspect(id).state.exitCode == 137)
            try await engine.remove(id, force: false, volumes: false)
            #expect(bench.traces(of: id) == [])
            await engine.close()
        }
    }

    @Test(
        "A stop that is cut short leaves a container that has ended, with the time of its end",
        arguments: [
            ("stop", FaultPoint.stopAfterSignal), ("stop", .endBeforeRow), ("stop", .endAfterRow),
            ("stop", .endAfterTask),
            ("kill-after-time", .stopAfterKill),
        ])
    func stop(verb: String, point: FaultPoint) async throws {
        try await Self.onBench { bench in
            let id = try await Self.prepare(bench, running: true)
            let before = Timestamp.now()
            #expect(try EngineProbe.die(at: point, verb, bench))
            let after = Timestamp.now()
            let engine = try await bench.open()
            _ = try await engine.wait(id, for: .notRunning)
            // A signal may be sent and not have struck when the engine dies; all else had struck before.
            let latest = [.stopAfterSignal, .stopAfterKill].contains(point) ? Timestamp.now() : after
            try Self.checkEnd(try await engine.inspect(id).state, between: before, and: latest)
            try await engine.start(id)
            #expect(try await engine.inspect(id).state.status == .running)
            try await engine.remove(id, force: true, volumes: false)
            #expect(bench.traces(of: id) == [])
            await engine.close()
        }
    }

    @Test("A run that began and ended with no engine there has its start, too")
    func unseenRun() async throws {
        try await Self.onBench { bench in
            let before = Timestamp.now().before(by: 20_000_000)
            let first = try await bench.open()
            let id = try await bench.create("exit 3", name: "victim", on: first)
            await first.close()
            #expect(try EngineProbe.die(at: .startAfterStart, "start", bench))
            let record = "\(bench.configuration.runRoot)/shims/\(id)/exit.json"
            while access(record, F_OK) != 0 { try await Task.sleep(for: .milliseconds(5)) }
            let engine = try await bench.open()
            let state = try await engine.inspect(id).state
            #expect(state.status == .exited && state.exitCode == 3)
            let started = try #require(state.startedAt)
            #expect(before <= started)
            let finished = try #require(state.finishedAt)
            #expect(started <= finished)
            await engine.close()
        }
    }

    @Test(
        "A restart by hand that an engine's death cut short is finished by the next, whatever the policy",
        arguments: [FaultPoint.stopAfterSignal, .endBeforeRow, .endAfterRow, .endAfterTask],
        [RestartPolicy.Kind.no, .always])
    func restart(point: FaultPoint, policy: RestartPolicy.Kind) async throws {
        try await Self.onBench { bench in
            let id = try await Self.prepare(bench, running: true) { $0.restartPolicy = RestartPolicy(policy) }
            #expect(try EngineProbe.die(at: point, "restart", bench))
            try await Self.expectStart(of: id, after: .now(), bench)
        }
    }

    @Test(
        "A restart by hand whose engine died before the process had ended is gone on with by the next",
        .timeLimit(.minutes(2)))
    func restartOfLiving() async throws {
        try await Self.onBench { bench in
            let id = try await Self.prepare(bench, running: true) { $0.stopTimeoutSeconds = 1 }
            #expect(try EngineProbe.die(at: .stopAfterSignal, "restart-unheard", bench))
            try await Self.expectStart(of: id, after: .now(), bench)
        }
    }

    private static func expectStart(of id: String, after time: Timestamp, _ bench: EngineBench) async throws {
        let engine = try await bench.open()
        while true {
            let state = try await engine.inspect(id).state
            if state.status == .running, let startedAt = state.startedAt, startedAt > time { break }
            try await Task.sleep(for: .milliseconds(5))
        }
        await engine.close()
    }

    @Test(
        "A removal that is cut short is finished",
        arguments: [
            FaultPoint.removeAfterMark, .removeAfterRoot, .removeAfterFiles, .removeAfterVolumes, .removeAfterRow,
        ])
    func remove(point: FaultPoint) async throws {
        try await Self.onBench { bench in
            let id = try await Self.prepare(bench, running: true)
            #expect(try EngineProbe.die(at: point, "remove", bench))
            let engine = try await bench.open()
            #expect(try await engine.containers(ContainerFilter(all: true)).isEmpty)
            #expect(bench.traces(of: id) == [])
            await engine.close()
        }
    }

    @Test(
        "A pruning of containers that is cut short has removed some of them whole, and can be done again",
        arguments: [
            FaultPoint.removeAfterMark, .removeAfterRoot, .removeAfterFiles, .removeAfterRow,
        ])
    func prune(point: FaultPoint) async throws {
        try await Self.onBench { bench in
            let keeper = try await Self.prepare(bench, running: true)
            let first = try await bench.open()
            var idle: [String] = []
            for name in ["one", "two"] { idle.append(try await bench.create("exit 4", name: name, on: first)) }
            await first.close()
            #expect(try EngineProbe.die(at: point, "container-prune", bench))
            let engine = try await bench.open()
            let left = try await engine.containers(ContainerFilter(all: true)).map(\.id).filter { $0 != keeper }
            #expect(left.count == 1 && idle.contains(left[0]))
            for id in idle where !left.contains(id) { #expect(bench.traces(of: id) == []) }
            try await engine.start(left[0])
            #expect(try await engine.wait(left[0], for: .notRunning).exitCode == 4)
            #expect(try await engine.pruneContainers(PruneFilter()).removed == left)
            #expect(bench.traces(of: left[0]) == [])
            #expect(try await engine.inspect(keeper).state.status == .running)
            await engine.close()
        }
    }

    @Test(
        "An update that is cut short is finished, or never was: limit and row agree",
        arguments: [FaultPoint.updateAfterIntent, .updateAfterLimits, .updateAfterRow])
    func update(point: FaultPoint) async throws {
        try await Self.onBench { bench in
            let id = try await Self.prepare(bench, running: true)
            #expect(try EngineProbe.die(at: point, "update", bench))
            let engine = try await bench.open()
            let limits = try await engine.inspect(id).spec.limits
            #expect(limits.pids == 77)
            let stats = try await engine.stats([id], every: nil).next()
            #expect(stats?.first?.pidsLimit == 77)
            #expect(try await engine.inspect(id).spec.restartPolicy.kind == .onFailure)
            await engine.close()
        }
    }

    @Test(
        "A policy's start that an engine's death cut short is made by the next",
        arguments: [FaultPoint.endBeforeRow, .endAfterRow, .endAfterTask])
    func restartPolicy(point: FaultPoint) async throws {
        try await Self.onBench { bench in
            let id = try await Self.prepare(bench, running: false) { $0.restartPolicy = RestartPolicy(.always) }
            #expect(try EngineProbe.die(at: point, "run-to-end", bench))
            let engine = try await bench.open()
            while try await engine.inspect(id).state.status != .running {
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(try await engine.inspect(id).restartCount == 1)
            // A stop by hand is remembered by the next engine.
            try await engine.stop(id, signal: "KILL", timeoutSeconds: 5)
            await engine.close()
            let next = try await bench.open()
            #expect(try await next.inspect(id).state.status == .exited)
            await next.close()
        }
    }

    @Test("Containers outlive their engine; the next one has their log, their stdio and their end")
    func outlives() async throws {
        try await Self.onBench { bench in
            let first = try await bench.open()
            // The second half is written once the second engine says so.
            let script = "seq 1 50; read go; seq 51 100; exit 3"
            let id = try await bench.create(script, name: "victim", on: first) { $0.openStdin = true }
            try await first.start(id)
            await first.close()
            let second = try await bench.open()
            #expect(try await second.inspect(id).state.status == .running)
            let wait = try await second.beginWait(id, for: .nextExit)
            let stream = try await second.attach(id, AttachRequest(stdin: true))
            try await stream.write(Array("go\n".utf8))
            var text: [UInt8] = []
            while let chunk = try await stream.read() {
                if case .stdout(let bytes) = chunk { text += bytes }
            }
            #expect(String(decoding: text, as: UTF8.self).hasSuffix((51...100).map { "\($0)\n" }.joined()))
            #expect(try await wait.result().exitCode == 3)
            var lines: [UInt8] = []
            for try await entries in try await second.logs(id, LogRequest()) {
                for entry in entries { lines += entry.bytes }
            }
            #expect(String(decoding: lines, as: UTF8.self) == (1...100).map { "\($0)\n" }.joined())
            await second.close()
        }
    }

    @Test("An end that no engine saw is recorded with its own time and code")
    func unseenEnd() async throws {
        try await Self.onBench { bench in
            let first = try await bench.open()
            let script = "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done"
            let id = try await bench.create(script, name: "victim", on: first)
            let stream = try await first.attach(id, AttachRequest())
            try await first.start(id)
            #expect(try await stream.read() == .stdout(Array("ready\n".utf8)))
            let process = try PidFD.open(pid: try await first.inspect(id).state.pid)
            await first.close()
            try PidFD.send(SIGTERM, to: process)
            try await waitForEnd(of: process)
            let record = "\(bench.configuration.runRoot)/shims/\(id)/exit.json"
            while access(record, F_OK) != 0 { try await Task.sleep(for: .milliseconds(5)) }
            let ended = Timestamp.now()
            let second = try await bench.open()
            let state = try await second.inspect(id).state
            #expect(state.status == .exited && state.exitCode == 9)
            #expect(try #require(state.finishedAt) <= ended)
            await second.close()
        }
    }

    @Test("A shim that is killed takes its container with it; the container is shown as lost, nothing stays")
    func shimLost() async throws {
        try await Self.onBench { bench in
            let engine = try await bench.open()
            let id = try await bench.create("sleep 600", name: "victim", on: engine)
            try await engine.start(id)
            let nodes = try await engine.processes(id)
            let shim = try #require(nodes.first { $0.role == .shim }?.pid)
            let initial = try PidFD.open(pid: try #require(nodes.first { $0.role == .initial }?.pid))
            let wait = try await engine.beginWait(id, for: .nextExit)
            kill(shim, SIGKILL)
            #expect(try await wait.result().exitCode == 137)
            try await waitForEnd(of: initial)
            let state = try await engine.inspect(id).state
            #expect(state.status == .exited && state.error == "shim lost")
            try await engine.remove(id, force: false, volumes: false)
            #expect(bench.traces(of: id) == [])
            await engine.close()
        }
    }

    private static func checkEnd(_ state: ContainerState, between first: Timestamp, and last: Timestamp) throws {
        #expect(state.status == .exited)
        #expect(state.exitCode == 137)
        #expect(state.error == "")
        let finished = try #require(state.finishedAt)
        #expect((first...last).contains(finished))
    }

    private static func onBench(_ body: (EngineBench) async throws -> Void) async throws {
        let bench = try EngineBench()
        do { try await body(bench) } catch {
            try await bench.clear()
            throw error
        }
        try await bench.clear()
    }

    private static func prepare(
        _ bench: EngineBench, running: Bool, _ change: (inout ContainerSpec) -> Void = { _ in }
    ) async throws -> String {
        let engine = try await bench.open()
        let id = try await bench.create("sleep 600", name: "victim", on: engine, change)
        if running { try await engine.start(id) }
        await engine.close()
        return id
    }

    private static func leftovers(_ bench: EngineBench) -> [String] {
        ["data/containers", "run/bundles", "run/shims"].flatMap { place in
            // A place that was never made holds nothing.
            ((try? Directory.list("\(bench.root)/\(place)")) ?? []).map { "\(place)/\($0)" }
        }
    }
}

/// Waits until a process has ended, and closes the descriptor.
private func waitForEnd(of process: Descriptor) async throws {
    defer { process.close() }
    try await waitUntilReadable(process)
}
