import RawClients
import Synchronization
import Testing

@testable import Transport

@Suite struct PreparedAnswerTests {
    /// What was asked for, and what the handler heard of.
    private final class Heard: Sendable {
        let asked = Mutex(0)
        let targets = Mutex<[String]>([])
    }

    /// `/ready` is prepared; the handler answers everything by its target.
    private func serve(_ directory: SocketDirectory, _ heard: Heard, body: [UInt8]) async throws -> HTTPServer {
        let answer = PreparedAnswer(200, ["Content-Type": "text/plain"], body: body)
        var configuration = HTTPServer.Configuration()
        configuration.prepared = { _, target in
            heard.asked.withLock { $0 += 1 }
            return target == "/ready" ? answer : nil
        }
        configuration.mayHijack = { _, _ in false }
        return try await HTTPServer.start(socketPath: directory.socketPath, configuration) { request, writer in
            heard.targets.withLock { $0.append("\(request.method) \(request.target)") }
            do {
                let ready = request.target == "/ready"
                try await writer.send(
                    200, ["Content-Type": "text/plain"], body: ready ? body : Array(request.target.utf8))
            } catch { Issue.record("\(error)") }
        }
    }

    private static func bodies(_ text: String) -> [String] {
        text.pieces("\r\n\r\n").dropFirst().map { $0.pieces("HTTP/1.1").first ?? "" }
    }

    @Test("A prepared answer is sent before the handler hears of its request, again and again, and for HEAD its length")
    func atOnce() async throws {
        let directory = try SocketDirectory()
        let heard = Heard()
        let server = try await serve(directory, heard, body: Array("ok".utf8))
        let client = try RawClient(directory.socketPath)
        for _ in 0..<3 {
            try await client.send("GET /ready HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try await client.receive { $0.hasSuffix("\r\n\r\nok") }.hasPrefix("HTTP/1.1 200 OK\r\n"))
        }
        try await client.send("HEAD /ready HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try await client.receive { $0.hasSuffix("\r\n\r\n") }.contains("Content-Length: 2\r\n"))
        #expect(heard.targets.withLock { $0 } == [])
        try await client.send("GET /other HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try await client.receive { $0.hasSuffix("/other") }.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(heard.targets.withLock { $0 } == ["GET /other"])
        await server.stop()
    }

    @Test("Prepared answers and the handler's keep the order of their requests, also when these come all at once")
    func order() async throws {
        let directory = try SocketDirectory()
        let server = try await serve(directory, Heard(), body: Array("ok".utf8))
        let client = try RawClient(directory.socketPath)
        let targets = ["/ready", "/ready", "/a", "/ready", "/b", "/ready"]
        let last = "GET /last HTTP/1.1\r\nConnection: close\r\n\r\n"
        try await client.send(targets.map { "GET \($0) HTTP/1.1\r\n\r\n" }.joined() + last)
        let expected = targets.map { $0 == "/ready" ? "ok" : $0 } + ["/last"]
        #expect(Self.bodies(try await client.receive()) == expected)
        await server.stop()
    }

    @Test(
        "A request with a body, or with a wish about its connection, is the handler's",
        arguments: [
            "GET /ready HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi", "GET /ready HTTP/1.1\r\nConnection: close\r\n\r\n",
            "GET /ready HTTP/1.0\r\n\r\n", "POST /ready HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
            "GET /ready HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "GET /ready HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
        ])
    func usualWay(text: String) async throws {
        let directory = try SocketDirectory()
        let heard = Heard()
        let server = try await serve(directory, heard, body: Array("ok".utf8))
        let client = try RawClient(directory.socketPath)
        try await client.send(text)
        #expect(try await client.receive { $0.hasSuffix("\r\n\r\nok") }.contains(" 200 OK\r\n"))
        #expect(heard.targets.withLock { $0.count } == 1)
        await server.stop()
    }

    @Test("Who asks and takes no answers gets no further ones prepared, and all of them in the end")
    func slowReader() async throws {
        let directory = try SocketDirectory()
        let heard = Heard()
        // A byte that no head holds.
        let body = [UInt8](repeating: 1, count: 100_000)
        let server = try await serve(directory, heard, body: body)
        let client = try RawClient(directory.socketPath)
        let count = 50
        let request = "GET /ready HTTP/1.1\r\n\r\n"
        let last = "GET /last HTTP/1.1\r\nConnection: close\r\n\r\n"
        try await client.send(String(repeating: request, count: count) + last)
        let answer = try await client.receiveBytes()
        #expect(answer.count { $0 == 1 } == count * body.count)
        #expect(answer.suffix(5) == Array("/last".utf8))
        #expect(heard.asked.withLock { $0 } < count)
        await server.stop()
    }
}
