import Daemon
import EngineAPI
import Glibc
import JSON
import ScriptedEngine
import Transport

/// A daemon over an engine in memory, and a client of it.
final class Served: Sendable {
    let engine = MemoryEngine()
    let socketPath: String
    let client: HTTPClient
    private let server: DaemonServer

    /// - Parameter returns: whether it is a daemon's.
    init(returns: Bool = false) async throws {
        socketPath = "/tmp/gantry-daemon-\(String(UInt64.random(in: 0...UInt64.max), radix: 36)).sock"
        server = try await DaemonServer.start(
            engine: engine, at: .unix(path: socketPath), journal: DaemonJournal(least: .error) { _ in },
            returns: returns)
        client = HTTPClient(.unix(path: socketPath))
    }

    deinit { unlink(socketPath) }

    func stop() async {
        client.close()
        await server.stop(grace: .milliseconds(500))
    }

    struct Answer {
        let status: Int
        let fields: HTTPFields
        let bytes: [UInt8]

        var text: String { String(decoding: bytes, as: UTF8.self) }
        var json: JSONValue { get throws { try JSONValue(parsing: bytes) } }
        var message: String { get throws { try json["message"]?.string ?? "" } }
    }

    func call(
        _ method: String, _ target: String, _ body: String? = nil, agent: String? = nil
    ) async throws -> Answer {
        var call = HTTPCall(method, target)
        if let agent { call.fields["User-Agent"] = agent }
        if let body {
            call.body = .bytes(Array(body.utf8))
            call.fields["Content-Type"] = "application/json"
        }
        let response = try await client.send(call)
        let bytes = try await response.body.collect(limitBytes: 1 << 24)
        return Answer(status: response.status, fields: response.fields, bytes: bytes)
    }

    /// Makes a container, and starts it.
    func run(_ command: String, name: String, _ more: String = "", start: Bool = true) async throws -> String {
        let words = command.split(separator: " ").map { "\"\($0)\"" }.joined(separator: ",")
        let answer = try await call(
            "POST", "/containers/create?name=\(name)",
            #"{"Image":"gantry/scripted","Cmd":[\#(words)],"HostConfig":{"NetworkMode":"none"}\#(more)}"#)
        let id = try answer.json["Id"]?.string ?? ""
        if start { _ = try await call("POST", "/containers/\(name)/start") }
        return id
    }
}
