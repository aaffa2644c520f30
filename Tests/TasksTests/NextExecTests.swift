import EngineAPI
import Glibc
import Linux
import Testing

@testable import Tasks

/// The runtime that waits, behind an exec that was foretold, for the next one.
@Suite(
    .serialized, .timeLimit(.minutes(2)),
    .enabled(if: TaskBench.missing == nil, "needs root, busybox-static and gantry-shim beside the tests"))
struct NextExecTests {
    /// A task that runs, by this project's own runtime.
    private func run(_ bench: TaskBench) async throws -> (initial: Int32, shim: Int32) {
        var spec = try bench.sh("a", "sleep 1000")
        spec.runtime = TaskBench.products + "/gantry-runtime"
        let facts = try await bench.service.create(spec)
        try await bench.service.start("a")
        return (try #require(facts.initial).pid, try #require(facts.shim).pid)
    }

    private func waits<Value>(_ value: () throws -> Value?) async throws -> Value? {
        for _ in 0..<800 {
            if let found = try value() { return found }
            try await Task.sleep(for: .milliseconds(25))
        }
        return nil
    }

    private func children(of pid: Int32) -> [Int32] {
        // One that has ended has none.
        let text = (try? FileContents.read("/proc/\(pid)/task/\(pid)/children")) ?? []
        return text.split(separator: 32).compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
    }

    private func exec(_ id: String, _ script: String, input: TaskSpec.Input = .none) -> ExecTaskSpec {
        var spec = ExecTaskSpec(id: id, process: TaskBench.process(["/bin/sh", "-c", script]).compactBytes)
        spec.input = input
        return spec
    }

    /// Runs an exec that was foretold, to its end.
    private func runForetold(_ id: String, _ code: Int32, on bench: TaskBench) async throws {
        let foretold = exec(id, "exit \(code)")
        await bench.service.prepareExec("a", execID: id, terminal: false, input: .none)
        await bench.service.prepareProcess("a", foretold)
        _ = try await bench.service.exec("a", foretold)
        #expect(try await bench.execExit(of: id).code == code)
    }

    /// The runtime that waits for whichever exec comes: it reads the pipe of the document.
    private func waiting(beside initial: Int32, of shim: Int32) async throws -> Int32 {
        try #require(
            try await waits {
                children(of: shim).first { pid in
                    // Behind the call's number its first argument, a descriptor; of who has ended there is nothing.
                    let call = (try? FileContents.read("/proc/\(pid)/syscall"))?.split(separator: 32) ?? []
                    guard pid != initial, call.count > 1 else { return false }
                    let number = Int32(String(decoding: call[1].dropFirst(2), as: UTF8.self), radix: 16) ?? -1
                    var buffer = [UInt8](repeating: 0, count: 64)
                    let count = readlink("/proc/\(pid)/fd/\(number)", &buffer, buffer.count)
                    return buffer.prefix(max(0, count)).starts(with: "pipe:".utf8)
                }
            })
    }

    private func target(_ path: String) throws -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = try kernelCall("readlink", path) { readlink(path, &buffer, buffer.count) }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    @Test("It waits outside of the container, and makes the process of the next exec of its form")
    func next() async throws {
        try await TaskBench.with { bench in
            let (initial, shim) = try await run(bench)
            try await runForetold("e", 5, on: bench)
            let runtime = try await waiting(beside: initial, of: shim)
            #expect(children(of: runtime).isEmpty)
            for namespace in ["mnt", "net", "pid", "cgroup"] {
                #expect(try target("/proc/\(runtime)/ns/\(namespace)") == target("/proc/\(shim)/ns/\(namespace)"))
            }
            #expect(try FileContents.read("/proc/\(runtime)/cgroup") == FileContents.read("/proc/\(shim)/cgroup"))

            let foretold = exec("f", "exit 6")
            await bench.service.prepareExec("a", execID: "f", terminal: false, input: .none)
            await bench.service.prepareProcess("a", foretold)
            // It leaves what waits to the shim.
            #expect(try await waits { children(of: shim).contains(runtime) ? nil : true } == true)
            _ = try await bench.service.exec("a", foretold)
            #expect(try await bench.execExit(of: "f").code == 6)
            #expect(try await waiting(beside: initial, of: shim) != runtime)
        }
    }

    @Test("For an exec of another form it is let go, and another begun")
    func otherForm() async throws {
        try await TaskBench.with { bench in
            let (initial, shim) = try await run(bench)
            try await runForetold("e", 5, on: bench)
            let runtime = try await waiting(beside: initial, of: shim)
            await bench.service.prepareExec("a", execID: "f", terminal: false, input: .once)
            #expect(try await waits { children(of: shim).contains(runtime) ? nil : true } == true)
            let stream = try await bench.service.attach("a", execID: "f", AttachRequest(stdin: true))
            _ = try await bench.service.exec("a", exec("f", "read word; echo $word", input: .once))
            try await stream.write(Array("given\n".utf8))
            #expect(try await bench.all(stream).stdout == Array("given\n".utf8))
        }
    }

    @Test("Output of an exec that nobody has attached to is kept for who comes, by whichever runtime it was made")
    func unseen() async throws {
        try await TaskBench.with { bench in
            let (initial, shim) = try await run(bench)
            try await runForetold("e", 5, on: bench)
            _ = try await waiting(beside: initial, of: shim)
            await bench.service.prepareExec("a", execID: "f", terminal: false, input: .none)
            _ = try await bench.service.exec("a", exec("f", "echo done"))
            #expect(try await bench.execExit(of: "f").code == 0)
            var request = AttachRequest()
            request.logs = true
            let stream = try await bench.service.attach("a", execID: "f", request)
            #expect(try await bench.all(stream).stdout == Array("done\n".utf8))
        }
    }

    @Test("It ends by itself where no exec comes, and behind one that nobody foretold there is none")
    func unwanted() async throws {
        try await TaskBench.with { bench in
            let (initial, shim) = try await run(bench)
            try await runForetold("e", 5, on: bench)
            let runtime = try await waiting(beside: initial, of: shim)
            #expect(try await waits { children(of: shim) == [initial] ? true : nil } == true)
            #expect(access("/proc/\(runtime)", F_OK) != 0)
            // Long enough for one to come behind the first of the two.
            for (id, script) in [("f", "exit 6"), ("g", "sleep 0.2; exit 6")] {
                _ = try await bench.service.exec("a", exec(id, script))
                #expect(try await bench.execExit(of: id).code == 6)
            }
            #expect(children(of: shim) == [initial])
        }
    }

    @Test("The container is paused and ended as if it were not there")
    func surroundings() async throws {
        try await TaskBench.with { bench in
            let (initial, shim) = try await run(bench)
            try await runForetold("e", 5, on: bench)
            let runtime = try await waiting(beside: initial, of: shim)
            try await bench.service.pause("a")
            #expect(try FileContents.read("/proc/\(runtime)/cgroup") == FileContents.read("/proc/\(shim)/cgroup"))
            try await bench.service.resume("a")
            try await runForetold("f", 6, on: bench)
            let second = try await waiting(beside: initial, of: shim)
            try await bench.service.kill("a", execID: nil, signal: SIGKILL)
            #expect(try await bench.exit(of: "a").code == 137)
            #expect(try await waits { children(of: shim).contains(second) ? nil : true } == true)
            try await bench.service.delete("a")
            bench.expectNothingLeft("a")
        }
    }
}
