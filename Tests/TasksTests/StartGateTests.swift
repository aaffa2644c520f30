import EngineAPI
import Glibc
import JSON
import Linux
import Testing

@testable import Tasks

/// The start of a container that gantry-runtime has made: by the shim itself where nothing else is to be done.
@Suite(
    .serialized, .timeLimit(.minutes(2)),
    .enabled(if: TaskBench.missing == nil, "needs root, busybox-static and gantry-shim beside the tests"))
struct StartGateTests {
    /// A runtime that writes down each of its commands, then is gantry-runtime.
    private func recorder(_ bench: TaskBench) throws -> (path: String, record: String) {
        let (path, record) = ("\(bench.root)/recorder", "\(bench.root)/commands")
        let script = """
            #!\(TaskBench.busybox) sh
            for word in "$@"; do case $word in create|start|delete) echo $word >>\(record);; esac; done
            exec \(TaskBench.products)/gantry-runtime "$@"
            """
        try FileContents.replace(path, with: Array(script.utf8), mode: 0o755, durable: false)
        return (path, record)
    }

    private func commands(_ record: String) throws -> [String] {
        String(decoding: try FileContents.read(record), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test("A container without hooks is started without a further run of the runtime")
    func gate() async throws {
        try await TaskBench.with { bench in
            let (path, record) = try recorder(bench)
            var spec = try bench.sh("a", "echo started; exit 3")
            spec.runtime = path
            try await bench.run(spec)
            #expect(try await bench.exit(of: "a").code == 3)
            #expect(try bench.text("a") == "started\n")
            #expect(access("\(bench.root)/run/runtime/a/start.sock", F_OK) != 0)
            try await bench.service.delete("a")
            #expect(try commands(record) == ["create", "delete"])
        }
    }

    @Test("Hooks of the start are run by the runtime")
    func hooks() async throws {
        try await TaskBench.with { bench in
            let (path, record) = try recorder(bench)
            var spec = try bench.sh("a", "sleep 1000")
            spec.runtime = path
            let arguments: JSONValue = ["busybox", "touch", .string("\(bench.root)/hooked")]
            try add(["poststart": [["path": .string(TaskBench.busybox), "args": arguments]]], to: spec)
            spec.bundleFacts.hasStartHooks = true
            try await bench.run(spec)
            #expect(try commands(record) == ["create", "start"])
            #expect(access("\(bench.root)/hooked", F_OK) == 0)
        }
    }

    @Test("What fails between the word and the program is told in the runtime's words")
    func failure() async throws {
        try await TaskBench.with { bench in
            let (path, record) = try recorder(bench)
            var spec = try bench.sh("a", "sleep 1000")
            spec.runtime = path
            try add(["startContainer": [["path": "/bin/false"]]], to: spec)
            _ = try await bench.service.create(spec)
            let error = await #expect(throws: EngineError.self) { try await bench.service.start("a") }
            #expect(error?.message.contains("hook") == true, "\(String(describing: error))")
            #expect(try commands(record) == ["create"])
        }
    }

    @Test("A container's process that waits is called as the runtime, by whatever path the shim has executed that")
    func name() async throws {
        try await TaskBench.with { bench in
            var spec = try bench.sh("a", "sleep 1000")
            spec.runtime = "\(TaskBench.products)/gantry-runtime"
            let facts = try await bench.service.create(spec)
            let initial = try #require(facts.initial)
            #expect(try FileContents.read("/proc/\(initial.pid)/comm") == Array("gantry-runtime\n".utf8))
        }
    }

    private func add(_ hooks: JSONValue, to spec: TaskSpec) throws {
        let file = "\(spec.bundle)/config.json"
        var config = try #require(try JSONValue(parsing: try FileContents.read(file)).object)
        config["hooks"] = hooks
        try FileContents.replace(file, with: JSONValue.object(config).compactBytes, durable: false)
    }
}
