import EngineAPI
import JSON
import Linux
import ScriptedEngine
import Synchronization
import Testing
import Transport

@testable import Daemon

@Suite struct JournalTests {
    @Test("A line is text or JSON, holds no line within it, and is left out below its level")
    func lines() throws {
        let written = Mutex<[String]>([])
        let text = DaemonJournal(.text) { line in written.withLock { $0.append(line) } }
        text.say(.debug, "hidden")
        text.say(.info, "a\nb\u{1B}[1m\u{9B}2J\u{8}\u{7F}\r\u{2028}\u{202E}é", [("k", "v\t")])
        #expect(written.withLock { $0 } == ["ab[1m2Jé k=v"])
        let json = DaemonJournal(.json).line(
            .warning, "a\n\"b\"", [("k", "v")], at: Timestamp(nanosecondsSinceEpoch: 0))
        let value = try JSONValue(parsing: json)
        #expect(value["level"] == "warning" && value["msg"] == "a\n\"b\"" && value["k"] == "v" && !json.contains("\n"))
    }

    @Test("Requests are noted by path alone: neither parameters nor fields nor bodies are")
    func noSecrets() async throws {
        let written = Mutex<[String]>([])
        let path = "/tmp/gantry-journal-\(String(UInt64.random(in: 0...UInt64.max), radix: 36)).sock"
        let journal = DaemonJournal(.json, least: .debug) { line in written.withLock { $0.append(line) } }
        let server = try await DaemonServer.start(engine: MemoryEngine(), at: .unix(path: path), journal: journal)
        var call = HTTPCall("POST", "/auth?secret=hunter2", fields: ["X-Registry-Auth": "hunter2"])
        call.body = .bytes(Array(#"{"username":"u","password":"hunter2","serveraddress":"r"}"#.utf8))
        _ = try await HTTPClient(.unix(path: path)).send(call).body.collect(limitBytes: 1000)
        await server.stop()
        let lines = written.withLock { $0 }
        #expect(lines.contains { $0.contains("\"/auth\"") })
        #expect(!lines.contains { $0.contains("hunter2") })
    }

    @Test("Figures are in Prometheus' form, on the API's socket and at an address of their own that has nothing else")
    func metrics() async throws {
        let served = try await Served()
        _ = try await served.run("sleep", name: "s")
        _ = try await served.call("GET", "/nowhere")
        let answer = try await served.call("GET", "/metrics")
        #expect(answer.fields["Content-Type"]?.hasPrefix("text/plain; version=0.0.4") == true)
        for line in [
            "gantry_http_requests_total{code=\"404\",method=\"GET\"} 1",
            "engine_daemon_container_actions_seconds_count{action=\"start\"} 1",
            "engine_daemon_container_states_containers{state=\"running\"} 1",
        ] { #expect(answer.text.contains(line + "\n"), "\(answer.text)") }
        #expect(
            answer.text.split(separator: "\n").allSatisfy { $0.hasPrefix("# ") || $0.split(separator: " ").count > 1 })
        let server = try await DaemonServer.startMetrics(
            engine: served.engine, address: "127.0.0.1:0", journal: DaemonJournal())
        let client = HTTPClient(.tcp(host: "127.0.0.1", port: try #require(server.port)))
        let collector = HTTPCall("GET", "/metrics", fields: ["Host": "host.docker.internal:9323"])
        #expect(try await client.send(collector).status == 200)
        #expect(try await client.send(HTTPCall("GET", "/containers/json")).status == 404)
        await server.stop()
        await served.stop()
    }

    @Test("What helps who looks for a fault is told on the socket's file alone")
    func debug() async throws {
        let served = try await Served()
        #expect(try await served.call("GET", "/debug/vars").json["openDescriptors"]?.integer ?? 0 > 0)
        let plan = ListenPlan(certificates: nil, allowsPlainTCP: true, inherited: [])
        let listener = try #require(try plan.listeners("tcp://127.0.0.1:0").first)
        let server = try await DaemonServer.start(engine: served.engine, at: listener, journal: DaemonJournal())
        let client = HTTPClient(.tcp(host: "127.0.0.1", port: try #require(server.port)))
        #expect(try await client.send(HTTPCall("GET", "/debug/vars")).status == 404)
        #expect(try await client.send(HTTPCall("GET", "/_ping")).status == 200)
        // What a page in a browser sends, by its origin or by a name that somebody has pointed here.
        for fields in [["Origin": "http://127.0.0.1"], ["Host": "evil.example:80"]] as [HTTPFields] {
            #expect(try await client.send(HTTPCall("GET", "/_ping", fields: fields)).status == 403)
        }
        await server.stop()
        // The same on a socket that came with the process.
        let socket = try InternetSocket.bound(.stream, SocketEndpoint(try #require(IPAddress("127.0.0.1")), 0))
        let port = try InternetSocket.port(socket)
        let inherited = try await DaemonServer.start(
            engine: served.engine, at: DaemonListener(address: .inherited(socket.rawValue), tls: nil),
            journal: DaemonJournal())
        let other = HTTPClient(.tcp(host: "127.0.0.1", port: Int(port)))
        #expect(try await other.send(HTTPCall("GET", "/_ping")).status == 200)
        let page = HTTPCall("GET", "/_ping", fields: ["Origin": "http://127.0.0.1"])
        #expect(try await other.send(page).status == 403)
        await inherited.stop()
        await served.stop()
    }
}
