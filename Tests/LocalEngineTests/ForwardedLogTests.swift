import EngineAPI
import Glibc
import Linux
import LocalEngine
import Testing

/// Logs of real containers that go elsewhere.
@Suite(
    .serialized, .timeLimit(.minutes(2)),
    .enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"))
struct ForwardedLogTests {
    private static let loopback = SocketEndpoint(IPAddress(.v4, 0x7F00_0001), 0)

    @Test("syslog gets each line of both outputs with docker's tag, and the engine keeps them to be read")
    func syslog() async throws {
        try await EngineBench.with { engine, bench in
            let server = OwnedDescriptor(try InternetSocket.bound(.datagram, Self.loopback))
            let port = try InternetSocket.port(server.descriptor)
            let log = try LogPolicy(
                driver: "syslog",
                options: [
                    "syslog-address": "udp://localhost:\(port)", "syslog-facility": "local1",
                    "syslog-format": "rfc3164", "tag": "{{.ImageName}}/{{.Name}}/{{.ID}}",
                ])
            let id = try await bench.create("echo out; echo err >&2; printf end", name: "teller", on: engine) {
                $0.log = log
            }
            try await engine.start(id)
            _ = try await engine.wait(id, for: .notRunning)
            let lines = try Self.waiting(server, 3)
            let image = try await engine.inspect(id).spec.image
            let tag = "\(image)/teller/\(id.prefix(12))["
            #expect(lines.allSatisfy { $0.contains(" \(tag)") }, "\(lines)")
            // local1 is 17: information and error.
            #expect(lines.map { $0.prefix(5) }.sorted() == ["<139>", "<142>", "<142>"])
            #expect(Set(lines.map { $0.split(separator: "]: ").last.map(String.init) }) == ["out\n", "err\n", "end\n"])
            #expect(try await Self.text(engine, id) == ["end", "err\n", "out\n"])
            #expect(try await engine.inspect(id).spec.log == log)
        }
    }

    @Test("Without a copy there is nothing to be read, as docker tells")
    func noCopy() async throws {
        try await EngineBench.with { engine, bench in
            let server = OwnedDescriptor(try InternetSocket.bound(.datagram, Self.loopback))
            let port = try InternetSocket.port(server.descriptor)
            let options = [
                "gelf-address": "udp://127.0.0.1:\(port)", "gelf-compression-type": "none", "cache-disabled": "true",
                "labels": "tier", "mode": "non-blocking",
            ]
            let log = try LogPolicy(driver: "gelf", options: options)
            let id = try await bench.create("echo hello", name: "gray", on: engine) { spec in
                spec.log = log
                spec.labels = ["tier": "web", "other": "x"]
            }
            try await engine.start(id)
            _ = try await engine.wait(id, for: .notRunning)
            let message = try #require(try Self.waiting(server, 1).first)
            #expect(message.contains(#""short_message":"hello","timestamp":"#))
            #expect(message.contains(#""_command":"/bin/sh -c echo hello""#) || message.contains(#"echo hello","_con"#))
            #expect(message.contains(#""_container_name":"gray""#) && message.contains(#""_tier":"web""#))
            #expect(!message.contains("_other"))
            let refusal = await #expect(throws: EngineError.self) { try await engine.logs(id, LogRequest()) }
            #expect(refusal?.message == "configured logging driver does not support reading")
        }
    }

    @Test("A container does not start where its lines cannot go, and says why")
    func nobody() async throws {
        try await EngineBench.with { engine, bench in
            let listener = try InternetSocket.bound(.stream, Self.loopback)
            let port = try InternetSocket.port(listener)
            listener.close()
            for (driver, options, words) in [
                ("fluentd", ["fluentd-address": "127.0.0.1:\(port)"], "`127.0.0.1:\(port)`: connection refused"),
                ("syslog", ["syslog-address": "tcp://nowhere.invalid"], "lookup nowhere.invalid: "),
                ("syslog", ["tag": "{{.ID"], "unclosed action"),
            ] {
                let log = try LogPolicy(driver: driver, options: options)
                let id = try await bench.create("true", on: engine) { $0.log = log }
                let error = await #expect(throws: EngineError.self) { try await engine.start(id) }
                #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
            }
        }
    }

    @Test("A container that says nothing of its log has what daemon.json says")
    func standard() async throws {
        try await EngineBench.with { engine, bench in
            let json = #"{"log-driver": "local", "log-opts": {"max-size": "1m", "max-file": "2"}}"#
            try FileContents.replace(bench.configuration.configurationPath, with: Array(json.utf8), durable: false)
            try await engine.reload()
            #expect(try await engine.info().loggingDriver == "local")
            let id = try await bench.create("echo kept", on: engine)
            let log = try await engine.inspect(id).spec.log
            #expect(log.driver == .local && log.words == ["max-size": "1m", "max-file": "2"])
            try await engine.start(id)
            _ = try await engine.wait(id, for: .notRunning)
            #expect(try await Self.text(engine, id) == ["kept\n"])
            let other = try await bench.create("true", on: engine) { $0.log = .standard }
            #expect(try await engine.inspect(other).spec.log.driver == .jsonFile)
        }
    }

    /// So many datagrams, as text.
    private static func waiting(_ server: borrowing OwnedDescriptor, _ count: Int) throws -> [String] {
        var texts: [String] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var entry = pollfd(fd: server.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        while texts.count < count, poll(&entry, 1, 10_000) > 0 {
            let size = try server.descriptor.read(into: &buffer)
            texts.append(String(decoding: buffer[..<size], as: UTF8.self))
        }
        return texts
    }

    private static func text(_ engine: GantryEngine, _ id: String) async throws -> [String] {
        var found: [String] = []
        for try await some in try await engine.logs(id, LogRequest()) {
            for entry in some { found.append(String(decoding: entry.bytes, as: UTF8.self)) }
        }
        return found.sorted()
    }
}
