import AsyncIO
import EngineAPI
import Glibc
import Linux
import LocalEngine
import Testing

/// What is begun between the making of an exec and its start.
@Suite(.enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"))
struct PreparedExecTests {
    /// What of the container is being made: children of the shim's runtimes, and those that a runtime has left to the shim.
    private func unmade(_ id: String, _ engine: GantryEngine) async throws -> [Int32] {
        func children(_ pid: Int32) -> [Int32] {
            // One that has ended has none.
            let text = (try? FileContents.read("/proc/\(pid)/task/\(pid)/children")) ?? []
            return text.split(separator: 32).compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
        }
        let initial = try await engine.inspect(id).state.pid
        let shim = try ProcessStat.read(pid: initial).parent
        let further = children(shim).filter { $0 != initial }
        // Of one that has ended there is nothing to read.
        let left = further.filter { (try? ProcessStat.read(pid: $0))?.hasNeverExecuted == true }
        return left + further.flatMap(children)
    }

    @Test("An exec waits inside for its start, is listed nowhere meanwhile, and has what was changed since")
    func prepared() async throws {
        try await EngineBench.with { engine, bench in
            let id = try await bench.create("exec sleep 1000", on: engine)
            try await engine.start(id)
            var users = "made:x:71:71::/:/bin/sh\n"
            func setUsers() async throws {
                let pid = try await engine.inspect(id).state.pid
                try FileContents.replace("/proc/\(pid)/root/etc/passwd", with: Array(users.utf8), durable: false)
            }
            try await setUsers()
            for (isChanged, expected) in [(false, "71\n"), (true, "72\n")] {
                var spec = ExecSpec(command: ["id", "-u"])
                spec.user = "made"
                let exec = try await engine.createExec(id, spec)
                #expect(try await eventually { try await unmade(id, engine).count == 1 })
                #expect(try await engine.top(id, psArguments: []).rows.count == 1)
                #expect(try await engine.processes(id).map(\.role) == [.engine, .shim, .initial])
                if isChanged {
                    users = "made:x:72:72::/:/bin/sh\n"
                    try await setUsers()
                }
                let stream = try await engine.startExec(exec, size: nil)
                var output = ""
                while let chunk = try await stream.read() {
                    if case .stdout(let bytes) = chunk { output += String(decoding: bytes, as: UTF8.self) }
                }
                await stream.close()
                #expect(output == expected)
                #expect(try await eventually { try await unmade(id, engine).isEmpty })
            }
        }
    }

    @Test("Who a user is is found out once for as long as the container's files are as they were")
    func knownUser() async throws {
        try await EngineBench.with { engine, bench in
            let id = try await bench.create("exec sleep 1000", on: engine)
            try await engine.start(id)
            let root = "/proc/\(try await engine.inspect(id).state.pid)/root"
            func setUser(_ number: Int) throws {
                let line = "made:x:\(number):\(number)::/:/bin/sh\n"
                try FileContents.replace("\(root)/etc/passwd", with: Array(line.utf8), durable: false)
            }
            func ask() async throws -> String {
                var spec = ExecSpec(command: ["id", "-u"])
                spec.user = "made"
                let stream = try await engine.startExec(try await engine.createExec(id, spec), size: nil)
                var output = ""
                while let chunk = try await stream.read() {
                    if case .stdout(let bytes) = chunk { output += String(decoding: bytes, as: UTF8.self) }
                }
                await stream.close()
                return output
            }
            try setUser(71)
            // A file that has just been changed may be so again without a trace.
            let isSettled = try await eventually { () async throws -> Bool in
                let file = OwnedDescriptor(try Descriptor.open("\(root)/etc/passwd", O_RDONLY))
                return try FileStamp(of: file.descriptor).isSettled(at: .now())
            }
            #expect(isSettled)
            #expect(try await ask() == "71\n")
            // No look into the container comes to its turn.
            let (reading, writing) = try Descriptor.pipe()
            let (begun, begins) = try Descriptor.pipe()
            let looks = (0..<8).map { _ in
                Task {
                    await SubjectThreads.shared.run(for: id + "/etc") {
                        try? begins.writeAll([1])
                        _ = try? reading.readAll()
                    }
                }
            }
            var byte: [UInt8] = [0]
            for _ in looks { #expect(try begun.read(into: &byte) == 1) }
            let watchdog = Task {
                try await Task.sleep(for: .seconds(60))
                Issue.record("it waits for a look into the container")
                writing.close()
            }
            #expect(try await ask() == "71\n")
            watchdog.cancel()
            writing.close()
            for look in looks { _ = await look.value }
            for end in [reading, begun, begins] { end.close() }
            try setUser(72)
            #expect(try await ask() == "72\n")
        }
    }
}
