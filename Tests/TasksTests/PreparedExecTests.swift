import EngineAPI
import Glibc
import JSON
import Linux
import Testing

@testable import Tasks

/// Execs whose runtime begins before they are asked for.
@Suite(
    .serialized, .timeLimit(.minutes(2)),
    .enabled(if: TaskBench.missing == nil, "needs root, busybox-static and gantry-shim beside the tests"))
struct PreparedExecTests {
    /// A task that runs, by a runtime that writes down each exec when it begins.
    private func run(_ bench: TaskBench) async throws -> (record: String, shim: Int32) {
        let (folder, record) = ("\(bench.root)/recorder", "\(bench.root)/commands")
        try Directory.create(folder)
        let script = """
            #!\(TaskBench.busybox) sh
            for word in "$@"; do case $word in exec) echo $word >>\(record);; esac; done
            exec \(TaskBench.products)/gantry-runtime "$@"
            """
        let path = folder + "/gantry-runtime"
        try FileContents.replace(path, with: Array(script.utf8), mode: 0o755, durable: false)
        try FileContents.replace(record, with: [], durable: false)
        var spec = try bench.sh("a", "sleep 1000")
        spec.runtime = path
        let facts = try await bench.service.create(spec)
        try await bench.service.start("a")
        return (record, try #require(facts.shim).pid)
    }

    private func count(_ record: String) throws -> Int {
        try FileContents.read(record).split(separator: 10).count
    }

    private func waits(_ condition: () throws -> Bool) async throws -> Bool {
        for _ in 0..<800 {
            if try condition() { return true }
            try await Task.sleep(for: .milliseconds(25))
        }
        return false
    }

    private func exec(_ id: String, _ script: String) -> ExecTaskSpec {
        ExecTaskSpec(id: id, process: TaskBench.process(["/bin/sh", "-c", script]).compactBytes)
    }

    @Test("An exec that was prepared is made by the runtime that has begun, and no other")
    func prepared() async throws {
        try await TaskBench.with { bench in
            let (record, _) = try await run(bench)
            await bench.service.prepareExec("a", execID: "e", terminal: false, input: .none)
            #expect(try await waits { try count(record) == 1 })
            let stream = try await bench.service.attach("a", execID: "e", AttachRequest())
            _ = try await bench.service.exec("a", exec("e", "echo done; exit 5"))
            #expect(try await bench.all(stream).stdout == Array("done\n".utf8))
            #expect(try await bench.execExit(of: "e").code == 5)
            #expect(try count(record) == 1)
        }
    }

    @Test("A prepared exec has the input and the terminal that it was prepared with, or is made anew")
    func forms() async throws {
        try await TaskBench.with { bench in
            let (record, _) = try await run(bench)
            await bench.service.prepareExec("a", execID: "i", terminal: false, input: .once)
            #expect(try await waits { try count(record) == 1 })
            var input = exec("i", "read word; echo $word")
            input.input = .once
            let stream = try await bench.service.attach("a", execID: "i", AttachRequest(stdin: true))
            _ = try await bench.service.exec("a", input)
            try await stream.write(Array("given\n".utf8))
            #expect(try await bench.all(stream).stdout == Array("given\n".utf8))
            await bench.service.prepareExec("a", execID: "t", terminal: false, input: .none)
            #expect(try await waits { try count(record) == 2 })
            var terminal = ExecTaskSpec(
                id: "t", process: TaskBench.process(["/bin/sh", "-c", "[ -t 1 ]"], terminal: true).compactBytes)
            terminal.terminal = true
            _ = try await bench.service.exec("a", terminal)
            #expect(try await bench.execExit(of: "t").code == 0)
            #expect(try count(record) == 3)
        }
    }

    @Test("A process's document of any length reaches the runtime that has begun")
    func longDocument() async throws {
        try await TaskBench.with { bench in
            let (record, _) = try await run(bench)
            await bench.service.prepareExec("a", execID: "e", terminal: false, input: .none)
            #expect(try await waits { try count(record) == 1 })
            let comment = String(repeating: "#", count: 100_000)
            _ = try await bench.service.exec("a", exec("e", "exit 4 \(comment)"))
            #expect(try await bench.execExit(of: "e").code == 4)
            #expect(try count(record) == 1)
        }
    }

    @Test("Of an exec that never comes nothing stays, and the next one runs")
    func inVain() async throws {
        try await TaskBench.with { bench in
            let (record, shim) = try await run(bench)
            func children() throws -> Int {
                try FileContents.read("/proc/\(shim)/task/\(shim)/children").split(separator: 32).count
            }
            await bench.service.prepareExec("a", execID: "e", terminal: false, input: .none)
            #expect(try await waits { try count(record) == 1 })
            #expect(try children() == 2)
            // Whoever attaches to an exec and leaves before it is started wants it no more.
            let stream = try await bench.service.attach("a", execID: "e", AttachRequest())
            await stream.close()
            #expect(try await waits { try children() == 1 })
            _ = try await bench.service.exec("a", exec("f", "exit 6"))
            #expect(try await bench.execExit(of: "f").code == 6)
        }
    }

    @Test("A container ends though an exec of it was prepared")
    func ended() async throws {
        try await TaskBench.with { bench in
            let (record, _) = try await run(bench)
            await bench.service.prepareExec("a", execID: "e", terminal: false, input: .none)
            #expect(try await waits { try count(record) == 1 })
            try await bench.service.kill("a", execID: nil, signal: SIGKILL)
            #expect(try await bench.exit(of: "a").code == 137)
            try await bench.service.delete("a")
            bench.expectNothingLeft("a")
        }
    }
}
