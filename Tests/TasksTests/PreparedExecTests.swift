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
    /// A task that runs, by a runtime that writes down how each exec begins: held until it is wanted, or alone.
    private func run(_ bench: TaskBench) async throws -> (record: String, shim: Int32) {
        let (folder, record) = ("\(bench.root)/recorder", "\(bench.root)/commands")
        try Directory.create(folder)
        let script = """
            #!\(TaskBench.busybox) sh
            case " $* " in
            *" exec "*" --hold "*) echo held >>\(record);;
            *" exec "*) echo alone >>\(record);;
            esac
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

    private func count(_ record: String, _ word: String) throws -> Int {
        try FileContents.read(record).split(separator: 10).count { $0.elementsEqual(word.utf8) }
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

    private func children(of pid: Int32) -> [Int32] {
        // One that has ended has none.
        let text = (try? FileContents.read("/proc/\(pid)/task/\(pid)/children")) ?? []
        return text.split(separator: 32).compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
    }

    /// Whether a child of a runtime of the shim's, or one that a runtime has left to the shim, waits with all done but the
    /// making of the process.
    private func isPrepared(_ shim: Int32) -> Bool {
        leftHelper(shim) != nil || children(of: shim).contains { isPrepared(by: $0) }
    }

    /// A helper that waits without its runtime.
    private func leftHelper(_ shim: Int32) -> Int32? { waiting(children(of: shim)) }

    private func isPrepared(by runtime: Int32) -> Bool { waiting(children(of: runtime)) != nil }

    private func waiting(_ pids: [Int32]) -> Int32? {
        pids.first { helper in
            let call = (try? FileContents.read("/proc/\(helper)/syscall"))?.split(separator: 32) ?? []
            // It waits at the second descriptor behind the standard ones; the log comes next.
            return call.count > 1 && call[1].elementsEqual("0x4".utf8)
        }
    }

    @Test("A process that was foretold is made by the runtime that waits inside, and no other")
    func foretold() async throws {
        try await TaskBench.with { bench in
            let (record, shim) = try await run(bench)
            await bench.service.prepareExec("a", execID: "e", terminal: false, input: .none)
            let foretold = exec("e", "echo done; exit 5")
            await bench.service.prepareProcess("a", foretold)
            #expect(try await waits { isPrepared(shim) })
            let stream = try await bench.service.attach("a", execID: "e", AttachRequest())
            let pid = try await bench.service.exec("a", foretold)
            #expect(pid > 0)
            #expect(try await bench.all(stream).stdout == Array("done\n".utf8))
            #expect(try await bench.execExit(of: "e").code == 5)
            #expect(try count(record, "alone") == 0)
        }
    }

    @Test("What waits does so without its runtime, is none of the container's, and leaves the process to the shim")
    func left() async throws {
        try await TaskBench.with { bench in
            let (record, shim) = try await run(bench)
            let foretold = exec("e", "sleep 1000")
            await bench.service.prepareExec("a", execID: "e", terminal: false, input: .none) { foretold }
            #expect(try await waits { leftHelper(shim) != nil })
            let helper = try #require(leftHelper(shim))
            #expect(try ProcessStat.read(pid: helper).hasNeverExecuted)
            #expect(!(try listed(bench).contains(helper)))
            let pid = try await bench.service.exec("a", foretold)
            #expect(try ProcessStat.read(pid: pid).parent == shim)
            #expect(try await waits { try listed(bench).count == 2 && children(of: shim).count == 2 })
            #expect(try listed(bench).contains(pid))
            #expect(try count(record, "alone") == 0)
        }
    }

    /// What the runtime takes for the container's processes.
    private func listed(_ bench: TaskBench) throws -> [Int32] {
        var spawn = Spawn(
            program: TaskBench.products + "/gantry-runtime",
            arguments: ["gantry-runtime", "--root", bench.root + "/run/runtime", "ps", "--format", "json", "a"])
        let (reading, writing) = try Descriptor.pipe()
        defer { reading.close() }
        spawn.descriptors = [nil, writing, nil]
        let pid = try spawn.start()
        writing.close()
        let text = try reading.readAll()
        let runtime = OwnedDescriptor(try PidFD.open(pid: pid))
        #expect(try PidFD.reap(runtime.descriptor) == 0)
        return try JSONValue(parsing: text).array?.compactMap { $0.integer.map(Int32.init) } ?? []
    }

    @Test("A program that is found and cannot be executed is told of as if nothing had been prepared")
    func unexecutable() async throws {
        try await TaskBench.with { bench in
            let (record, shim) = try await run(bench)
            try FileContents.replace(
                "\(bench.root)/bundles/a/rootfs/bin/odd", with: Array("#!/bin/missing\n".utf8), mode: 0o755,
                durable: false)
            let odd = ExecTaskSpec(id: "e", process: TaskBench.process(["/bin/odd"]).compactBytes)
            await bench.service.prepareExec("a", execID: "e", terminal: false, input: .none) { odd }
            #expect(try await waits { leftHelper(shim) != nil })
            let error = await #expect(throws: EngineError.self) { _ = try await bench.service.exec("a", odd) }
            #expect(error?.message.contains("exec /bin/odd: no such file or directory") == true, "\(error as Any)")
            #expect(try count(record, "alone") == 1)
        }
    }

    @Test("For another process than was foretold a runtime begins anew, and no input is lost by it")
    func other() async throws {
        try await TaskBench.with { bench in
            let (record, shim) = try await run(bench)
            await bench.service.prepareExec("a", execID: "e", terminal: false, input: .once)
            await bench.service.prepareProcess("a", exec("e", "exit 5"))
            #expect(try await waits { isPrepared(shim) })
            let stream = try await bench.service.attach("a", execID: "e", AttachRequest(stdin: true))
            try await stream.write(Array("given\n".utf8))
            var asked = exec("e", "read word; echo $word; exit 6")
            asked.input = .once
            _ = try await bench.service.exec("a", asked)
            #expect(try await bench.all(stream).stdout == Array("given\n".utf8))
            #expect(try await bench.execExit(of: "e").code == 6)
            #expect(try count(record, "alone") == 1)
            #expect(try await waits { !isPrepared(shim) })
        }
    }

    @Test("A prepared exec that has failed is as if it had never been")
    func failed() async throws {
        try await TaskBench.with { bench in
            let (record, shim) = try await run(bench)
            let late = ExecTaskSpec(id: "e", process: TaskBench.process(["late"]).compactBytes)
            await bench.service.prepareExec("a", execID: "e", terminal: false, input: .none)
            await bench.service.prepareProcess("a", late)
            #expect(try await waits { try count(record, "held") == 1 })
            #expect(try await waits { children(of: shim).count == 1 })
            try FileContents.replace(
                "\(bench.root)/bundles/a/rootfs/bin/late", with: Array("#!/bin/sh\nexit 7\n".utf8), mode: 0o755,
                durable: false)
            _ = try await bench.service.exec("a", late)
            #expect(try await bench.execExit(of: "e").code == 7)
            #expect(try count(record, "alone") == 1)
        }
    }

    @Test("A terminal that was prepared has the size that is asked for at last")
    func sizes() async throws {
        try await TaskBench.with { bench in
            let (record, shim) = try await run(bench)
            func asked(_ id: String, _ size: TerminalSize) -> ExecTaskSpec {
                let own: JSONValue = [
                    "consoleSize": ["width": .integer(Int64(size.columns)), "height": .integer(Int64(size.rows))],
                    "terminal": true, "user": ["uid": 0, "gid": 0], "cwd": "/", "args": ["/bin/stty", "size"],
                    "env": ["PATH=/bin"],
                ]
                var spec = ExecTaskSpec(id: id, process: own.compactBytes)
                (spec.terminal, spec.initialSize) = (true, size)
                return spec
            }
            let foretold = TerminalSize(columns: 71, rows: 19)
            for (id, size, runtimes) in [("e", foretold, 0), ("f", TerminalSize(columns: 100, rows: 30), 1)] {
                await bench.service.prepareExec("a", execID: id, terminal: true, input: .none)
                await bench.service.prepareProcess("a", asked(id, foretold))
                #expect(try await waits { isPrepared(shim) })
                let stream = try await bench.service.attach("a", execID: id, AttachRequest())
                _ = try await bench.service.exec("a", asked(id, size))
                let output = String(decoding: try await bench.all(stream).stdout, as: UTF8.self)
                #expect(output == "\(size.rows) \(size.columns)\r\n")
                #expect(try count(record, "alone") == runtimes)
            }
        }
    }

    @Test("A container can be paused, and ended, while a prepared exec waits inside")
    func surroundings() async throws {
        try await TaskBench.with { bench in
            let (record, shim) = try await run(bench)
            await bench.service.prepareExec("a", execID: "e", terminal: false, input: .none)
            await bench.service.prepareProcess("a", exec("e", "exit 5"))
            #expect(try await waits { isPrepared(shim) })
            try await bench.service.pause("a")
            await #expect(throws: EngineError.self) { _ = try await bench.service.exec("a", exec("e", "exit 5")) }
            try await bench.service.resume("a")
            _ = try await bench.service.exec("a", exec("e", "exit 5"))
            #expect(try await bench.execExit(of: "e").code == 5)
            #expect(try count(record, "alone") == 0)
            await bench.service.prepareExec("a", execID: "f", terminal: false, input: .none)
            await bench.service.prepareProcess("a", exec("f", "exit 5"))
            #expect(try await waits { isPrepared(shim) })
            try await bench.service.kill("a", execID: nil, signal: SIGKILL)
            #expect(try await bench.exit(of: "a").code == 137)
            try await bench.service.delete("a")
            bench.expectNothingLeft("a")
        }
    }

    @Test("An exec that was prepared is made by the runtime that has begun, and no other")
    func prepared() async throws {
        try await TaskBench.with { bench in
            let (record, _) = try await run(bench)
            await bench.service.prepareExec("a", execID: "e", terminal: false, input: .none)
            #expect(try await waits { try count(record, "held") == 1 })
            let stream = try await bench.service.attach("a", execID: "e", AttachRequest())
            _ = try await bench.service.exec("a", exec("e", "echo done; exit 5"))
            #expect(try await bench.all(stream).stdout == Array("done\n".utf8))
            #expect(try await bench.execExit(of: "e").code == 5)
            #expect(try count(record, "alone") == 0)
        }
    }

    @Test("A prepared exec has the input and the terminal that it was prepared with, or is made anew")
    func forms() async throws {
        try await TaskBench.with { bench in
            let (record, _) = try await run(bench)
            await bench.service.prepareExec("a", execID: "i", terminal: false, input: .once)
            #expect(try await waits { try count(record, "held") == 1 })
            var input = exec("i", "read word; echo $word")
            input.input = .once
            let stream = try await bench.service.attach("a", execID: "i", AttachRequest(stdin: true))
            _ = try await bench.service.exec("a", input)
            try await stream.write(Array("given\n".utf8))
            #expect(try await bench.all(stream).stdout == Array("given\n".utf8))
            await bench.service.prepareExec("a", execID: "t", terminal: false, input: .none)
            #expect(try await waits { try count(record, "held") >= 2 })
            var terminal = ExecTaskSpec(
                id: "t", process: TaskBench.process(["/bin/sh", "-c", "[ -t 1 ]"], terminal: true).compactBytes)
            terminal.terminal = true
            _ = try await bench.service.exec("a", terminal)
            #expect(try await bench.execExit(of: "t").code == 0)
            #expect(try count(record, "alone") == 1)
        }
    }

    @Test("A process's document of any length reaches the runtime that has begun")
    func longDocument() async throws {
        try await TaskBench.with { bench in
            let (record, _) = try await run(bench)
            await bench.service.prepareExec("a", execID: "e", terminal: false, input: .none)
            #expect(try await waits { try count(record, "held") == 1 })
            let comment = String(repeating: "#", count: 100_000)
            _ = try await bench.service.exec("a", exec("e", "exit 4 \(comment)"))
            #expect(try await bench.execExit(of: "e").code == 4)
            #expect(try count(record, "alone") == 0)
        }
    }

    @Test("Of an exec that never comes nothing stays, and the next one runs")
    func inVain() async throws {
        try await TaskBench.with { bench in
            let (record, shim) = try await run(bench)
            await bench.service.prepareExec("a", execID: "e", terminal: false, input: .none)
            #expect(try await waits { try count(record, "held") == 1 })
            #expect(children(of: shim).count == 2)
            // Whoever attaches to an exec and leaves before it is started wants it no more.
            let stream = try await bench.service.attach("a", execID: "e", AttachRequest())
            await stream.close()
            #expect(try await waits { children(of: shim).count == 1 })
            _ = try await bench.service.exec("a", exec("f", "exit 6"))
            #expect(try await bench.execExit(of: "f").code == 6)
        }
    }

    @Test("A container ends though an exec of it was prepared")
    func ended() async throws {
        try await TaskBench.with { bench in
            let (record, _) = try await run(bench)
            await bench.service.prepareExec("a", execID: "e", terminal: false, input: .none)
            #expect(try await waits { try count(record, "held") == 1 })
            try await bench.service.kill("a", execID: nil, signal: SIGKILL)
            #expect(try await bench.exit(of: "a").code == 137)
            try await bench.service.delete("a")
            bench.expectNothingLeft("a")
        }
    }

    private static let wish = AttachRequest(stdin: false, stdout: true, stderr: true, holdsBack: true)

    private func socketCount(_ shim: Int32) throws -> Int {
        try Directory.list("/proc/\(shim)/fd").count { number in
            var target = [CChar](repeating: 0, count: 256)
            // One that was closed meanwhile counts for nothing.
            let count = readlink("/proc/\(shim)/fd/\(number)", &target, 255)
            return String(decoding: target.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
                .hasPrefix("socket:")
        }
    }

    /// Another service beside the bench's own, by which the task can be reached, too.
    private func service(_ bench: TaskBench, execPatience: Duration) -> ShimTaskService {
        ShimTaskService(runRoot: bench.root + "/run", shimPath: TaskBench.shimPath, execPatience: execPatience)
    }

    @Test("The way to an exec's stdio is there before it is asked for")
    func foretoldStream() async throws {
        try await TaskBench.with { bench in
            let (record, shim) = try await run(bench)
            await bench.service.prepareExec(
                "a", execID: "e", terminal: false, input: .none, attachment: Self.wish)
            let before = try socketCount(shim)
            let stream = try await bench.service.attach("a", execID: "e", Self.wish)
            #expect(try socketCount(shim) == before)
            _ = try await bench.service.exec("a", exec("e", "echo hello"))
            var output: [UInt8] = []
            while case .stdout(let bytes)? = try await stream.read() { output += bytes }
            #expect(output == Array("hello\n".utf8))
            #expect(try count(record, "alone") == 0)
            // For another than that was made for there is a way as well.
            await bench.service.prepareExec(
                "a", execID: "f", terminal: false, input: .none, attachment: Self.wish)
            let other = try await bench.service.attach("a", execID: "f", AttachRequest(stdout: false))
            _ = try await bench.service.exec("a", exec("f", "echo hello; echo world >&2"))
            #expect(try await other.read() == .stderr(Array("world\n".utf8)))
            #expect(try await other.read() == nil)
        }
    }

    @Test("A way that nobody asks for is closed in a while, and all that was begun goes with it")
    func foretoldInVain() async throws {
        try await TaskBench.with { bench in
            let (record, shim) = try await run(bench)
            let before = try socketCount(shim)
            let service = service(bench, execPatience: .milliseconds(300))
            // The service's own connection stays.
            _ = try await service.survey("a")
            await service.prepareExec("a", execID: "e", terminal: false, input: .none, attachment: Self.wish)
            #expect(try await waits { try count(record, "held") == 1 })
            #expect(try await waits { try children(of: shim).count == 1 && socketCount(shim) == before + 1 })
            await service.prepareExec("a", execID: "f", terminal: false, input: .none, attachment: Self.wish)
            #expect(try await waits { try count(record, "held") == 2 })
            let late = try await service.attach("a", execID: "e", Self.wish)
            _ = try await service.exec("a", exec("e", "echo late"))
            #expect(try await late.read() == .stdout(Array("late\n".utf8)))
        }
    }

    @Test("An exec that is started without the way that was made for it waits for nobody to read")
    func foretoldAndDetached() async throws {
        try await TaskBench.with { bench in
            _ = try await run(bench)
            let service = service(bench, execPatience: .seconds(1000))
            await service.prepareExec("a", execID: "e", terminal: false, input: .none, attachment: Self.wish)
            _ = try await service.exec("a", exec("e", "head -c 4000000 /dev/zero; exit 3"))
            #expect(try await bench.execExit(of: "e").code == 3)
            // Nor does what is foretold and never started outlive its task.
            await service.prepareExec("a", execID: "f", terminal: false, input: .none, attachment: Self.wish)
            try await bench.service.kill("a", execID: nil, signal: SIGKILL)
            #expect(try await bench.exit(of: "a").code == 137)
            try await service.delete("a")
            bench.expectNothingLeft("a")
        }
    }
}
