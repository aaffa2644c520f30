import EngineAPI
import Glibc
import JSON
import Linux
import Testing

@testable import Tasks

/// The contract of `TaskService`, on real shims with each runtime of this machine.
@Suite(
    .serialized, .timeLimit(.minutes(2)),
    .enabled(if: TaskBench.missing == nil, "needs root, busybox-static and gantry-shim beside the tests"))
struct TaskContractTests {
    @Test("A task runs, its output is logged complete and in order, its code is told", arguments: TestRuntime.available)
    func run(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            let spec = try bench.sh("a", "seq 1 20000; echo problem >&2; exit 7")
            let facts = try await bench.service.create(spec)
            #expect(facts.status == .created)
            #expect(try ProcessStat.read(pid: #require(facts.initial?.pid)).startTicks == facts.initial?.startTicks)
            try await bench.service.start("a")
            let exit = try await bench.exit(of: "a")
            #expect(exit.code == 7)
            #expect(!exit.oomKilled)
            #expect(abs(exit.time.nanosecondsSinceEpoch - Timestamp.now().nanosecondsSinceEpoch) < 60_000_000_000)
            #expect(try bench.text("a", stream: "stdout") == (1...20000).map { "\($0)\n" }.joined())
            #expect(try bench.text("a", stream: "stderr") == "problem\n")
            let record = try JSONValue(parsing: try FileContents.read("\(bench.root)/run/shims/a/exit.json"))
            #expect(record["code"]?.integer == 7)
            try await bench.service.delete("a")
            bench.expectNothingLeft("a")
            try await bench.service.delete("a")
        }
    }

    @Test("Who attaches before the start misses no byte, and several get the same", arguments: TestRuntime.available)
    func attach(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            _ = try await bench.service.create(try bench.sh("a", "echo first; seq 1 5000; echo err >&2"))
            let one = try await bench.service.attach("a", execID: nil, AttachRequest())
            let other = try await bench.service.attach("a", execID: nil, AttachRequest(stdout: false))
            try await bench.service.start("a")
            async let first = bench.all(one)
            async let second = bench.all(other)
            let expected = "first\n" + (1...5000).map { "\($0)\n" }.joined()
            #expect(String(decoding: try await first.stdout, as: UTF8.self) == expected)
            #expect(try await first.stderr == Array("err\n".utf8))
            #expect(try await second.stdout == [])
            #expect(try await second.stderr == Array("err\n".utf8))
        }
    }

    @Test("A reader that does not read loses the oldest, and holds nobody up", arguments: TestRuntime.available)
    func slowReader(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            _ = try await bench.service.create(try bench.sh("a", "seq 1 400000"))
            let slow = try await bench.service.attach("a", execID: nil, AttachRequest())
            try await bench.service.start("a")
            #expect(try await bench.exit(of: "a").code == 0)
            let (stdout, _, lost) = try await bench.all(slow)
            let whole = (1...400_000).reduce(0) { $0 + String($1).utf8.count + 1 }
            #expect(lost > 0)
            #expect(UInt64(stdout.count) + lost == UInt64(whole))
            #expect(String(decoding: stdout.suffix(7), as: UTF8.self) == "400000\n")
            #expect(try bench.logLength("a") == 400_000)
        }
    }

    @Test("A reader that holds the process back loses nothing, however late it reads", arguments: TestRuntime.available)
    func patientProcess(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            _ = try await bench.service.create(try bench.sh("a", "seq 1 400000; seq 1 400000 >&2"))
            var request = AttachRequest()
            request.holdsBack = true
            let late = try await bench.service.attach("a", execID: nil, request)
            try await bench.service.start("a")
            // Without being held back it would have written all by then, and has written what finds room.
            try await Task.sleep(for: .milliseconds(500))
            let received = try await bench.all(late)
            let whole = (1...400_000).map { "\($0)\n" }.joined()
            #expect(received.lost == 0)
            #expect(received.stdout == Array(whole.utf8) && received.stderr == Array(whole.utf8))
            #expect(try await bench.exit(of: "a").code == 0)
            #expect(try bench.logLength("a") == 800_000)
        }
    }

    @Test("What a task wrote last reaches who reads late, though the task is deleted", arguments: TestRuntime.available)
    func lateReader(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            // More than a socket holds, and no more than can wait beside it.
            _ = try await bench.service.create(try bench.sh("a", "seq 1 55000"))
            var request = AttachRequest()
            request.holdsBack = true
            let late = try await bench.service.attach("a", execID: nil, request)
            try await bench.service.start("a")
            #expect(try await bench.exit(of: "a").code == 0)
            try await bench.service.delete("a")
            bench.expectNothingLeft("a")
            // Longer than a client may take for an answer.
            try await Task.sleep(for: .milliseconds(2500))
            let received = try await bench.all(late)
            #expect(received.stdout == Array((1...55_000).map { "\($0)\n" }.joined().utf8))
        }
    }

    @Test("Who went away holds nobody back", arguments: TestRuntime.available)
    func goneReader(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            _ = try await bench.service.create(try bench.sh("a", "seq 1 400000"))
            var request = AttachRequest()
            request.holdsBack = true
            let gone = try await bench.service.attach("a", execID: nil, request)
            try await bench.service.start("a")
            try await Task.sleep(for: .milliseconds(100))
            await gone.close()
            #expect(try await bench.exit(of: "a").code == 0)
            #expect(try bench.logLength("a") == 400_000)
        }
    }

    @Test("Who went away holds nobody back, and what they had given is taken", arguments: TestRuntime.available)
    func goneGiver(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            var spec = try bench.sh("a", "head -c 4000000 /dev/zero; head -c 340000 >/dev/null")
            spec.input = .open
            _ = try await bench.service.create(spec)
            var request = AttachRequest(stdin: true)
            request.holdsBack = true
            let stream = try await bench.service.attach("a", execID: nil, request)
            try await bench.service.start("a")
            // More than the process's pipe holds: the shim keeps the rest, and the client's end comes behind it.
            try await stream.write([UInt8](repeating: 120, count: 340_000))
            await stream.close()
            #expect(try await bench.exit(of: "a").code == 0)
        }
    }

    @Test("Input reaches the process, and its end does", arguments: TestRuntime.available)
    func input(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            var spec = try bench.spec("a", ["/bin/cat"])
            spec.input = .open
            _ = try await bench.service.create(spec)
            let stream = try await bench.service.attach("a", execID: nil, AttachRequest(stdin: true))
            try await bench.service.start("a")
            let sent = (0..<1_500_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            async let writing: Void = {
                try await stream.write(sent)
                try await stream.closeInput()
            }()
            let received = try await bench.all(stream)
            try await writing
            #expect(received.lost == 0)
            #expect(received.stdout == sent)
            #expect(try await bench.exit(of: "a").code == 0)
        }
    }

    @Test("Input in pieces of all sizes arrives whole and in order", arguments: TestRuntime.available)
    func mixedInput(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            var spec = try bench.spec("a", ["/bin/cat"])
            spec.input = .open
            _ = try await bench.service.create(spec)
            let stream = try await bench.service.attach("a", execID: nil, AttachRequest(stdin: true))
            try await bench.service.start("a")
            let sizes = [1, 70_000, 3, 16_384, 16_383, 65_536, 65_527, 9, 200_000, 65_536, 5, 1_000_000, 20_000, 1]
            let pieces = sizes.enumerated().map { number, size in
                (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number) }
            }
            async let writing: Void = {
                for piece in pieces { try await stream.write(piece) }
                try await stream.closeInput()
            }()
            let received = try await bench.all(stream)
            try await writing
            #expect(received.stdout == pieces.flatMap { $0 })
            #expect(try await bench.exit(of: "a").code == 0)
        }
    }

    @Test("A process that closes its input, or ends, holds nobody up who still gives", arguments: TestRuntime.available)
    func unwantedInput(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            var spec = try bench.sh("a", "head -c 100000 >/dev/null; exec 0</dev/null; sleep 1000")
            spec.input = .open
            try await bench.run(spec)
            let stream = try await bench.service.attach("a", execID: nil, AttachRequest(stdin: true))
            try await stream.write([UInt8](repeating: 1, count: 3_000_000))
            try await bench.service.kill("a", execID: nil, signal: 9)
            #expect(try await bench.exit(of: "a").code == 137)
            await stream.close()
            var brief = try bench.sh("b", "head -c 100000 >/dev/null")
            brief.input = .open
            _ = try await bench.service.create(brief)
            let ended = try await bench.service.attach("b", execID: nil, AttachRequest(stdin: true))
            try await bench.service.start("b")
            // Taken, or refused because it is over.
            async let writing: Void? = try? ended.write([UInt8](repeating: 1, count: 3_000_000))
            #expect(try await bench.exit(of: "b").code == 0)
            _ = await writing
            await ended.close()
        }
    }

    @Test("A client's going leaves the input open, its saying so ends it", arguments: TestRuntime.available)
    func onceInput(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            var spec = try bench.spec("a", ["/bin/cat"])
            spec.input = .once
            try await bench.run(spec)
            let stream = try await bench.service.attach("a", execID: nil, AttachRequest(stdin: true))
            try await stream.write(Array("first words\n".utf8))
            await stream.close()
            let next = try await bench.service.attach("a", execID: nil, AttachRequest(stdin: true))
            try await next.write(Array("last words\n".utf8))
            try await next.closeInput()
            #expect(try await bench.exit(of: "a").code == 0)
            #expect(try bench.text("a") == "first words\nlast words\n")
            await next.close()
        }
    }

    @Test("A terminal has the size it was given, and the next one", arguments: TestRuntime.available)
    func terminal(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            var spec = try bench.sh("a", "read x; stty size; read x; stty size; echo late", terminal: true)
            spec.input = .open
            spec.initialSize = TerminalSize(columns: 101, rows: 41)
            try await bench.run(spec)
            let stream = try await bench.service.attach("a", execID: nil, AttachRequest(stdin: true))
            try await stream.write([10])
            _ = try await bench.read(stream, until: "41 101")
            try await bench.service.resize("a", execID: nil, to: TerminalSize(columns: 90, rows: 30))
            try await stream.write([10])
            _ = try await bench.read(stream, until: "30 90")
            #expect(try await bench.exit(of: "a").code == 0)
            var request = AttachRequest()
            request.logs = true
            let late = try await bench.all(try await bench.service.attach("a", execID: nil, request))
            #expect(String(decoding: late.stdout, as: UTF8.self).contains("late"))
        }
    }

    @Test("An exec runs in the container with stdio of its own", arguments: TestRuntime.available)
    func exec(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            try await bench.run(try bench.sh("a", "echo $$ > /pid; sleep 1000"))
            var exec = ExecTaskSpec(
                id: "e",
                process: TaskBench.process(["/bin/sh", "-c", "cat; cat /proc/sys/kernel/hostname; exit 3"]).compactBytes
            )
            exec.input = .open
            let stream = try await bench.service.attach("a", execID: "e", AttachRequest(stdin: true))
            let pid = try await bench.service.exec("a", exec)
            #expect(try ProcessStat.read(pid: pid).command != "")
            #expect(try await bench.service.survey().first?.execs.keys.sorted() == ["e"])
            try await stream.write(Array("hello\n".utf8))
            try await stream.closeInput()
            #expect(String(decoding: try await bench.all(stream).stdout, as: UTF8.self) == "hello\ntask\n")
            #expect(try await bench.execExit(of: "e").code == 3)
            #expect(try bench.text("a") == "")
            await #expect(throws: EngineError.self) {
                try await bench.service.kill("a", execID: "e", signal: SIGTERM)
            }
        }
    }

    @Test("What a short exec wrote before somebody attached is kept for them", arguments: TestRuntime.available)
    func lateExecAttach(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            try await bench.run(try bench.sh("a", "sleep 1000"))
            let exec = ExecTaskSpec(id: "e", process: TaskBench.process(["/bin/echo", "quick"]).compactBytes)
            _ = try await bench.service.exec("a", exec)
            #expect(try await bench.execExit(of: "e").code == 0)
            var request = AttachRequest()
            request.logs = true
            let stream = try await bench.service.attach("a", execID: "e", request)
            #expect(try await bench.all(stream).stdout == Array("quick\n".utf8))
        }
    }

    @Test("An exec with a terminal is resized", arguments: TestRuntime.available)
    func execTerminal(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            try await bench.run(try bench.sh("a", "sleep 1000"))
            var exec = ExecTaskSpec(
                id: "e",
                process: TaskBench.process(["/bin/sh", "-c", "read x; stty size"], terminal: true).compactBytes)
            exec.terminal = true
            exec.input = .open
            let stream = try await bench.service.attach("a", execID: "e", AttachRequest(stdin: true))
            _ = try await bench.service.exec("a", exec)
            try await bench.service.resize("a", execID: "e", to: TerminalSize(columns: 77, rows: 33))
            try await stream.write([10])
            _ = try await bench.read(stream, until: "33 77")
            #expect(try await bench.execExit(of: "e").code == 0)
        }
    }

    @Test("A paused task stands still, and goes on when resumed", arguments: TestRuntime.available)
    func pause(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            var spec = try bench.spec("a", ["/bin/cat"])
            spec.input = .open
            try await bench.run(spec)
            let stream = try await bench.service.attach("a", execID: nil, AttachRequest(stdin: true))
            try await bench.service.pause("a")
            #expect(try await bench.service.survey().first?.status == .paused)
            await #expect(throws: EngineError.self) { try await bench.service.pause("a") }
            try await bench.service.resume("a")
            try await stream.write(Array("awake\n".utf8))
            _ = try await bench.read(stream, until: "awake")
            try await bench.service.pause("a")
            try await bench.service.kill("a", execID: nil, signal: SIGKILL)
            #expect(try await bench.exit(of: "a").code == 137)
        }
    }

    @Test("A signal's death is 128 and the signal", arguments: TestRuntime.available)
    func signal(runtime: TestRuntime) async throws {
        try await TaskBench.with(runtime) { bench in
            try await bench.run(try bench.sh("a", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done"))
            let stream = try await bench.service.attach("a", execID: nil, AttachRequest())
            while !(try bench.text("a").contains("ready")) { await Task.yield() }
            try await bench.service.kill("a", execID: nil, signal: SIGTERM)
            _ = try await bench.all(stream)
            #expect(try await bench.exit(of: "a").code == 5)
            try await bench.run(try bench.spec("b", ["/bin/sleep", "1000"]))
            try await bench.service.kill("b", execID: nil, signal: SIGKILL)
            #expect(try await bench.exit(of: "b").code == 137)
            do {
                try await bench.service.kill("b", execID: nil, signal: SIGTERM)
                Issue.record("a dead process took a signal")
            } catch let error as EngineError { #expect(error.kind == .conflict) }
        }
    }
}
