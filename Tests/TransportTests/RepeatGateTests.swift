import RawClients
import Synchronization
import Testing

@testable import Transport

/// Requests that come again as they came before.
@Suite struct RepeatGateTests {
    private static let ready = "GET /ready HTTP/1.1\r\nHost: h\r\n\r\n"

    /// `/ready` is prepared while `isPrepared`; the handler answers with method, target and body.
    private func serve(
        _ directory: SocketDirectory, _ isPrepared: SharedFlag = SharedFlag(), body: String = "prepared;"
    ) async throws -> HTTPServer {
        let answer = PreparedAnswer(200, [:], body: Array(body.utf8))
        var configuration = HTTPServer.Configuration()
        configuration.prepared = { _, target in target == "/ready" && isPrepared.value ? answer : nil }
        return try await HTTPServer.start(socketPath: directory.socketPath, configuration) { request, writer in
            do {
                let body = String(decoding: try await request.body.collect(limitBytes: 1000), as: UTF8.self)
                let fields = request.fields["X"].map { " X=\($0)" } ?? ""
                let text = "\(request.method) \(request.target)\(fields) \(body);"
                try await writer.send(200, body: Array(text.utf8))
            } catch { Issue.record("\(error)") }
        }
    }

    private final class SharedFlag: Sendable {
        private let held = Mutex(true)
        var value: Bool { held.withLock { $0 } }
        func set(_ value: Bool) { held.withLock { $0 = value } }
    }

    /// Sends it and takes the one answer.
    private func ask(_ client: RawClient, _ text: String) async throws -> String {
        try await client.send(text)
        let answer = try await client.receive { $0.hasSuffix(";") }
        return answer.pieces("\r\n\r\n").dropFirst().joined(separator: "\r\n\r\n")
    }

    /// The handler answers until its connection waits for a request again, which may be after its answer has come.
    private func untilPrepared(_ client: RawClient) async throws {
        for _ in 0..<1000 where try await ask(client, Self.ready) == "prepared;" { return }
        Issue.record("nothing is prepared")
    }

    @Test("The same request is answered by what is prepared now, and by the handler where nothing is")
    func again() async throws {
        let directory = try SocketDirectory()
        let isPrepared = SharedFlag()
        let server = try await serve(directory, isPrepared)
        let client = try RawClient(directory.socketPath)
        for _ in 0..<3 {
            isPrepared.set(true)
            try await untilPrepared(client)
            for _ in 0..<2 { #expect(try await ask(client, Self.ready) == "prepared;") }
            isPrepared.set(false)
            for _ in 0..<2 { #expect(try await ask(client, Self.ready) == "GET /ready ;") }
            #expect(try await ask(client, "GET /other HTTP/1.1\r\n\r\n") == "GET /other ;")
        }
        await server.stop()
    }

    @Test("Bytes that are the same as a request are none inside of another: in its head, or in its body")
    func inside() async throws {
        let directory = try SocketDirectory()
        let server = try await serve(directory)
        let client = try RawClient(directory.socketPath)
        for _ in 0..<2 {
            try await untilPrepared(client)
            #expect(try await ask(client, Self.ready) == "prepared;")
            try await client.send("GET /other HTTP/1.1\r\nX: ")
            try await client.waitUntilTaken()
            #expect(try await ask(client, Self.ready) == "GET /other X=GET /ready HTTP/1.1 ;")
        }
        let other = try RawClient(directory.socketPath)
        try await untilPrepared(other)
        #expect(try await ask(other, Self.ready) == "prepared;")
        try await other.send("POST /other HTTP/1.1\r\nContent-Length: \(Self.ready.utf8.count)\r\n\r\n")
        try await other.waitUntilTaken()
        #expect(try await ask(other, Self.ready) == "POST /other \(Self.ready);")
        try await untilPrepared(other)
        await server.stop()
    }

    @Test("The end of a head that began in an earlier read is not taken for a request of its own later")
    func secondHalf() async throws {
        let directory = try SocketDirectory()
        let server = try await serve(directory)
        let client = try RawClient(directory.socketPath)
        try await untilPrepared(client)
        let half = "POST /evil HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
        try await client.send("GET /ready HTTP/1.1\r\nX: ")
        try await client.waitUntilTaken()
        #expect(try await ask(client, half) == "prepared;")
        #expect(try await ask(client, half) == "POST /evil ;")
        await server.stop()
    }

    @Test("Who says no more behind a request is given the whole of a prepared answer, however long it is")
    func halfClosed() async throws {
        let directory = try SocketDirectory()
        let body = String(repeating: "prepared", count: 250_000) + ";"
        let server = try await serve(directory, body: body)
        for _ in 0..<5 {
            let client = try RawClient(directory.socketPath)
            for _ in 0..<1000 where try await ask(client, Self.ready) == body { break }
            try await client.send(Self.ready)
            client.shutdownOutput()
            try await client.waitUntilTaken()
            // The server learns of the end in its next turn, which another client's question waits for.
            _ = try await ask(try RawClient(directory.socketPath), "GET /other HTTP/1.1\r\n\r\n")
            let answer = try await client.receive { $0.hasSuffix(";") }
            #expect(answer.utf8.count > body.utf8.count && answer.hasSuffix(body), "\(answer.utf8.count)")
        }
        await server.stop()
    }
}
