import Foundation
import RawClients
import Synchronization
import Testing
import Transport

private final class Findings: Sendable {
    private let list = Mutex<[String]>([])

    var all: [String] { list.withLock { $0 } }

    func add(_ text: String) { list.withLock { $0.append(text) } }
}

/// A real daemon under load, and among clients that mean it no good.
@Suite(
    .enabled(if: RunningDaemon.missing == nil, "not there: \(RunningDaemon.missing ?? "")"), .serialized,
    .timeLimit(.minutes(10)))
struct AttackTests {
    /// What the kernel tells of the daemon's process.
    private struct Footprint {
        let descriptors: Int
        let residentMiB: Int

        init(_ daemon: RunningDaemon) throws {
            descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(daemon.pid)/fd").count
            let status = try String(contentsOfFile: "/proc/\(daemon.pid)/status", encoding: .utf8)
            let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
            residentMiB = (line?.split(separator: " ").dropLast().last.flatMap { Int($0) } ?? 0) >> 10
        }
    }

    /// Connections close on the daemon's own time; descriptors are those before once they have.
    private func settled(_ daemon: RunningDaemon, _ before: Footprint) async throws -> Footprint {
        var now = try Footprint(daemon)
        for _ in 0..<100 where now.descriptors > before.descriptors + 2 {
            try await Task.sleep(for: .milliseconds(50))
            now = try Footprint(daemon)
        }
        return now
    }

    private func isWell(_ daemon: RunningDaemon) async throws -> Bool {
        let client = HTTPClient(.unix(path: daemon.socketPath))
        defer { client.close() }
        return try await client.send(HTTPCall("GET", "/_ping")).status == 200
    }

    @Test("10,000 mixed requests of 100 clients at once are all answered, and leave nothing behind")
    func load() async throws {
        let daemon = try await RunningDaemon()
        let made = try await daemon.docker("create", "--name", "one", "--network", "none", "gantry/starter", "true")
        #expect(made.code == 0, "\(made.errors)")
        let before = try Footprint(daemon)
        let requests: [(String, String, Int)] = [
            ("GET", "/_ping", 200), ("GET", "/v1.51/version", 200), ("GET", "/containers/json?all=1", 200),
            ("GET", "/containers/one/json", 200), ("GET", "/containers/none/json", 404), ("GET", "/images/json", 200),
            ("GET", "/networks", 200), ("GET", "/volumes", 200), ("POST", "/containers/none/start", 404),
            ("POST", "/containers/create", 400),
        ]
        let wrong = Findings()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<100 {
                group.addTask {
                    let client = HTTPClient(.unix(path: daemon.socketPath))
                    for turn in 0..<100 {
                        let (method, target, status) = requests[(number + turn) % requests.count]
                        do {
                            let response = try await client.send(HTTPCall(method, target))
                            _ = try await response.body.collect(limitBytes: 1 << 22)
                            guard response.status != status else { continue }
                            wrong.add("\(method) \(target): \(response.status)")
                        } catch {
                            wrong.add("\(method) \(target): \(error)")
                        }
                    }
                    client.close()
                }
            }
        }
        #expect(wrong.all == [])
        let after = try await settled(daemon, before)
        #expect(after.descriptors <= before.descriptors + 2)
        #expect(after.residentMiB < before.residentMiB + 64, "\(before.residentMiB) MiB, then \(after.residentMiB)")
        try await daemon.end()
    }

    private static let create = "POST /containers/create HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"

    /// What is sent, and how an answer to it may begin; nothing for a connection that may just be closed.
    private static let hostile: [(String, [String])] = [
        (
            "GET /_ping HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            ["HTTP/1.1 400"]
        ),
        (
            "POST /containers/create HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
            ["HTTP/1.1 400", ""]
        ),
        ("POST /containers/create HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", ["HTTP/1.1 400"]),
        (
            "POST /containers/create HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n",
            ["HTTP/1.1 400"]
        ),
        (
            "POST /containers/create HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
            ["HTTP/1.1 400"]
        ),
        (create + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", ["HTTP/1.1 400", ""]),
        (create + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", ["HTTP/1.1 400", ""]),
        (create + "Content-Length: 4\r\n\r\n{\"\u{FF}", ["HTTP/1.1 400"]),
        ("GET /../../etc/passwd HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", ["HTTP/1.1 404"]),
        (
            "GET /containers/..%2f..%2fetc/json HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
            ["HTTP/1.1 404", "HTTP/1.1 400"]
        ),
        (
            "GET /v1.51/containers/%00/json HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
            ["HTTP/1.1 404", "HTTP/1.1 400"]
        ),
        ("GET http://elsewhere/_ping HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", ["HTTP/1.1 "]),
        ("GET /_ping HTTP/1.1\nHost: h\n\n", ["HTTP/1.1 ", ""]), ("GET  /_ping  HTTP/1.1\r\n\r\n", ["HTTP/1.1 ", ""]),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ["HTTP/1.1 4", ""]),
        ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}", ["HTTP/1.1 400", ""]),
        ("GET /\(String(repeating: "a", count: 100_000)) HTTP/1.1\r\n\r\n", ["HTTP/1.1 4"]),
        ("GET / HTTP/1.1\r\n\(String(repeating: "A: b\r\n", count: 20_000))\r\n", ["HTTP/1.1 4", ""]),
        (
            "POST /containers/x/attach HTTP/1.1\r\nUpgrade: tcp\r\nConnection: Upgrade\r\nContent-Length: 9\r\n\r\nabc",
            ["HTTP/1.1 404"]
        ),
    ]

    @Test("Garbage, smuggling, tricks on paths and wrong lengths get a refusal, and nobody else notices")
    func garbage() async throws {
        let daemon = try await RunningDaemon()
        let before = try Footprint(daemon)
        for (text, answers) in Self.hostile {
            let client = try RawClient(daemon.socketPath)
            try? await client.send(text)
            client.shutdownOutput()
            let answer = try await client.receive()
            let fits = answers.contains { $0.isEmpty ? answer.isEmpty : answer.hasPrefix($0) }
            #expect(fits, "\(text.prefix(100)): \(answer.prefix(200))")
            // A request hidden in another's body must not be answered.
            #expect(answer.components(separatedBy: "HTTP/1.1 200").count <= 2, "\(text.prefix(100))")
        }
        #expect(try await isWell(daemon))
        let after = try await settled(daemon, before)
        #expect(after.descriptors <= before.descriptors + 2)
        try await daemon.end()
    }

    @Test("A body of 1 GB is refused after a few megabytes, in bounded memory")
    func longBody() async throws {
        let daemon = try await RunningDaemon()
        let before = try Footprint(daemon)
        let client = try RawClient(daemon.socketPath)
        try await client.send(Self.create + "Content-Length: \(1 << 30)\r\n\r\n{\"Image\":\"")
        let chunk = [UInt8](repeating: 65, count: 1 << 20)
        var sent = 0
        while sent < 1024 {
            // The daemon hangs up: that is how it says that it has had enough.
            do { try await client.send(chunk) } catch { break }
            sent += 1
        }
        #expect(sent < 64, "\(sent) MB were taken")
        #expect(try await client.receive().hasPrefix("HTTP/1.1 400"))
        #expect(try await isWell(daemon))
        #expect(try Footprint(daemon).residentMiB < before.residentMiB + 48)
        try await daemon.end()
    }

    @Test("200 clients that stall, and 200 that go in the middle, keep nobody from being served")
    func stalling() async throws {
        let daemon = try await RunningDaemon()
        let before = try Footprint(daemon)
        var stalled: [RawClient] = []
        for number in 0..<200 {
            let client = try RawClient(daemon.socketPath)
            let half =
                number % 2 == 0 ? "GET /containers/json HT" : Self.create + "Content-Length: 500\r\n\r\n{\"Image\":"
            try await client.send(half)
            stalled.append(client)
        }
        for number in 0..<200 {
            let gone = try RawClient(daemon.socketPath)
            try await gone.send(
                ["GET /events HTTP/1.1\r\n\r\n", "GET /contai", Self.create + "Content-Length: 9\r\n\r\n{"][number % 3])
            gone.closeBoth()
        }
        for _ in 0..<20 { #expect(try await isWell(daemon)) }
        stalled.removeAll()
        let after = try await settled(daemon, before)
        #expect(after.descriptors <= before.descriptors + 2)
        #expect(after.residentMiB < before.residentMiB + 48)
        try await daemon.end()
    }
}
