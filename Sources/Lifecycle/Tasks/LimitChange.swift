import AsyncIO
import EngineAPI
import Glibc
import JSON
import Linux

/// The runtime's `update` of a task. The engine calls the runtime itself: the shim has no part in it.
struct LimitChange: Sendable {
    let directory: ShimDirectory
    let resources: [UInt8]

    private var resourcesPath: String { "\(directory.path)/update.json" }
    private var logPath: String { "\(directory.path)/update.log" }

    /// - Parameter limit: a runtime that takes longer is killed, and it is `unavailable`.
    func perform(within limit: Duration) async throws(EngineError) {
        let pid = try await BlockingPool.shared.run { () throws(EngineError) in try start() }
        let code: Int32?
        do { code = try await ChildProcess.reap(pid, within: limit) } catch {
            throw EngineError(error, task: directory.id)
        }
        let complaint = await BlockingPool.shared.run { finish() }
        guard let code else {
            throw EngineError(
                .unavailable,
                "runtime update of `\(directory.id)`: gave up after \(limit.components.seconds) seconds",
                object: directory.id)
        }
        if code != 0 {
            throw EngineError(.internal, complaint ?? "the runtime ended with \(code)", object: directory.id)
        }
    }

    private func start() throws(EngineError) -> Int32 {
        guard let task = directory.task else { throw .noSuchTask(directory.id) }
        do {
            try FileContents.replace(resourcesPath, with: resources, durable: false)
            var spawn = Spawn(
                program: task.runtime,
                arguments: [
                    task.runtime, "--root", task.runtimeRoot, "--log", logPath, "--log-format", "json", "update",
                    "--resources", resourcesPath, directory.id,
                ])
            spawn.environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
            return try spawn.start()
        } catch { throw EngineError(error, task: directory.id) }
    }

    /// Takes the files away; what the runtime logged last as an error.
    private func finish() -> String? {
        defer {
            unlink(resourcesPath)
            unlink(logPath)
        }
        // A runtime that has nothing to complain about writes no log.
        guard let log = try? FileContents.read(logPath, limitBytes: 1 << 20) else { return nil }
        let lines = log.split(separator: 10).compactMap { line in
            try? JSONValue(parsing: Array(line))  // Half a line of a runtime that was killed.
        }
        return (lines.last { ["error", "fatal"].contains($0["level"]?.string) } ?? lines.last)?["msg"]?.string
    }
}
