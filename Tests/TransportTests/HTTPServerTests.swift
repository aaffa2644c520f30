import Glibc
import Linux
import RawClients
import Synchronization
import Testing

@testable import Transport

@Suite struct HTTPServerTests {
    static func serve(
        _ directory: SocketDirectory, mayHijack: Bool = false, headLimitBytes: Int = 8192,
        _ handler: @escaping HTTPServer.Handler
    ) async throws -> HTTPServer {
        var configuration = HTTPServer.Configuration()
        configuration.headLimitBytes = headLimitBytes
        if mayHijack { configuration.mayHijack = { method, path in method == "POST" && path == "/hijack" } }
        return try await HTTPServer.start(socketPath: directory.socketPath, configuration, handler: handler)
    }

    /// Answers with method, target and body.
    static let echo: HTTPServer.Handler = { request, writer in
        do {
            let body = try await request.body.collect(limitBytes: 1 << 20)
            let text = "\(request.method) \(request.target) \(String(decoding: body, as: UTF8.self))"
            try await writer.send(200, ["Content-Type": "text/plain"], body: Array(text.utf8))
        } catch {
            Issue.record("echo: \(error)")
        }
    }

    @Test("Requests of one connection are answered in their order, also when they come all at once")
    func pipelining() async throws {
        let directory = try SocketDirectory()
        let server = try await Self.serve(directory, Self.echo)
        let client = try RawClient(directory.socketPath)
        try await client.send(
            "GET /a?x=1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
                + "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n"
                + "GET /d HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        let answer = try await client.receive()
        let bodies = answer.pieces("\r\n\r\n").dropFirst().map { $0.pieces("HTTP/1.1").first ?? "" }
        #expect(bodies == ["GET /a?x=1 ", "POST /b abc", "POST /c def", "GET /d "])
        await server.stop()
    }

    @Test("A brief request is handled on the thread that has read it, with its body; one of unknown length is not")
    func brevity() async throws {
        let directory = try SocketDirectory()
        // Who says that a request is brief is asked on the event loop's thread.
        let (asked, handlers) = (SharedThreads(), SharedThreads())
        var configuration = HTTPServer.Configuration()
        configuration.isBrief = { _, _ in
            asked.add()
            return true
        }
        let server = try await HTTPServer.start(socketPath: directory.socketPath, configuration) { request, writer in
            handlers.add()
            guard request.target == "/d" else { return await Self.echo(request, writer) }
            await #expect(throws: TransportError.self) { try await request.body.collect(limitBytes: 100) }
        }
        let client = try RawClient(directory.socketPath)
        try await client.send("POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nok")
        #expect(try await client.receive { $0.hasSuffix("POST /a ok") }.isEmpty == false)
        #expect(handlers.list == asked.list && handlers.list.count == 1)
        // Docker's client sends the body behind the head.
        try await client.send("POST /b HTTP/1.1\r\nContent-Length: 2\r\n\r\n")
        while asked.list.count < 2 { await Task.yield() }
        #expect(handlers.list.count == 1)
        try await client.send("o")
        try await client.send("k")
        #expect(try await client.receive { $0.hasSuffix("POST /b ok") }.isEmpty == false)
        #expect(handlers.list == asked.list)
        for field in ["Transfer-Encoding: chunked", "Content-Length: 2\r\nExpect: 100-continue"] {
            let count = handlers.list.count
            try await client.send("POST /c HTTP/1.1\r\n\(field)\r\n\r\n")
            while handlers.list.count == count { await Task.yield() }
            #expect(handlers.list.last != asked.list.last, "\(field)")
            try await client.send(field.hasPrefix("T") ? "2\r\nok\r\n0\r\n\r\n" : "ok")
            #expect(try await client.receive { $0.hasSuffix("POST /c ok") }.isEmpty == false)
        }
        // Half a body is no body: who reads it is told.
        try await client.send("POST /d HTTP/1.1\r\nContent-Length: 2\r\n\r\no")
        client.shutdownOutput()
        _ = try await client.receive()
        #expect(handlers.list.count == asked.list.count)
        await server.stop()
    }

    private final class SharedThreads: Sendable {
        private let threads = Mutex<[pthread_t]>([])
        var list: [pthread_t] { threads.withLock { $0 } }
        func add() { threads.withLock { $0.append(pthread_self()) } }
    }

    @Test("A target with a scheme and a host is the path behind them")
    func absoluteForm() async throws {
        let directory = try SocketDirectory()
        let server = try await Self.serve(directory, Self.echo)
        for (target, path) in [
            ("http://h/a?x=1", "/a?x=1"), ("HTTPS://h:1/", "/"), ("http://h", "/"), ("http://h?x", "/?x"), ("*", "*"),
            ("/http://h/a", "/http://h/a"),
        ] {
            let client = try RawClient(directory.socketPath)
            try await client.send("OPTIONS \(target) HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            #expect(try await client.receive().hasSuffix("\r\n\r\nOPTIONS \(path) "), "\(target)")
        }
        await server.stop()
    }

    @Test(
        "A text that is no request is refused, and the server goes on",
        arguments: [
            ("hello\r\n\r\n", "400"), ("GET / HTTP/9.9\r\n\r\n", "400"), ("\0\u{1}\u{2}\r\n\r\n", "400"),
            ("GET / HTTP/1.1\r\nA B: c\r\n\r\n", "400"),
            ("GET / HTTP/1.1\r\nX: \(String(repeating: "x", count: 20000))\r\n\r\n", "431"),
            ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400"),
        ])
    func garbage(text: String, status: String) async throws {
        let directory = try SocketDirectory()
        let server = try await Self.serve(directory, Self.echo)
        let client = try RawClient(directory.socketPath)
        try await client.send(text)
        #expect(try await client.receive().hasPrefix("HTTP/1.1 \(status) "))
        let next = try RawClient(directory.socketPath)
        try await next.send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        #expect(try await next.receive().hasPrefix("HTTP/1.1 200 "))
        await server.stop()
    }

    @Test("A request that came with the one before it is not taken for idleness, however long its answer takes")
    func pipelinedStream() async throws {
        let directory = try SocketDirectory()
        var configuration = HTTPServer.Configuration()
        configuration.idleLimit = .milliseconds(100)
        let server = try await HTTPServer.start(socketPath: directory.socketPath, configuration) { request, writer in
            do {
                guard request.path == "/stream" else { return try await writer.send(200, [:], body: [111, 107]) }
                try await writer.begin(200, [:])
                try await Task.sleep(for: .seconds(1))
                try await writer.write(Array("late".utf8))
                try await writer.end()
            } catch {
                Issue.record("the connection was closed: \(error)")
            }
        }
        let client = try RawClient(directory.socketPath)
        try await client.send("GET / HTTP/1.1\r\n\r\nGET /stream HTTP/1.1\r\n\r\n")
        #expect(try await client.receive { $0.hasSuffix("0\r\n\r\n") }.contains("late"))
        #expect(try await client.receive() == "", "idle from here on")
        await server.stop()
    }

    @Test("HEAD is answered by the length alone, and 100-continue by a go-ahead")
    func headAndContinue() async throws {
        let directory = try SocketDirectory()
        let server = try await Self.serve(directory, Self.echo)
        let client = try RawClient(directory.socketPath)
        try await client.send("HEAD /a HTTP/1.1\r\n\r\n")
        let head = try await client.receive { $0.hasSuffix("\r\n\r\n") }
        #expect(head.contains("Content-Length: 8\r\n"))
        try await client.send("POST /b HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        #expect(try await client.receive { $0.hasSuffix("\r\n\r\n") } == "HTTP/1.1 100 Continue\r\n\r\n")
        try await client.send("hi")
        #expect(try await client.receive { $0.hasSuffix("hi") }.hasPrefix("HTTP/1.1 200 "))
        await server.stop()
    }

    @Test("An answer in pieces is chunked for HTTP/1.1, and runs to the end of the connection for HTTP/1.0")
    func streaming() async throws {
        let directory = try SocketDirectory()
        let server = try await Self.serve(directory) { _, writer in
            do {
                try await writer.begin(200, [:])
                try await writer.write(Array("one".utf8))
                try await writer.write(Array("two".utf8))
                try await writer.end()
            } catch {
                Issue.record("\(error)")
            }
        }
        let new = try RawClient(directory.socketPath)
        try await new.send("GET / HTTP/1.1\r\n\r\n")
        let chunked = try await new.receive { $0.hasSuffix("0\r\n\r\n") }
        #expect(chunked.hasSuffix("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"))
        let old = try RawClient(directory.socketPath)
        try await old.send("GET / HTTP/1.0\r\n\r\n")
        #expect(try await old.receive().hasSuffix("\r\n\r\nonetwo"))
        await server.stop()
    }

    @Test("A handler is cancelled when its client goes away")
    func disconnect() async throws {
        let directory = try SocketDirectory()
        let (started, startedSignal) = AsyncStream<Void>.makeStream()
        let (cancelled, cancelledSignal) = AsyncStream<Bool>.makeStream()
        let server = try await Self.serve(directory) { _, _ in
            startedSignal.yield()
            do {
                try await Task.sleep(for: .seconds(30))
                cancelledSignal.yield(false)
            } catch {
                cancelledSignal.yield(true)
            }
        }
        let client = try RawClient(directory.socketPath)
        try await client.send("GET / HTTP/1.1\r\n\r\n")
        for await _ in started { break }
        client.closeBoth()
        for await isCancelled in cancelled {
            #expect(isCancelled)
            break
        }
        await server.stop()
    }

    @Test("A client that does not read holds the writer back")
    func slowReader() async throws {
        let directory = try SocketDirectory()
        let total = 64 << 20
        let counter = WrittenCounter()
        let server = try await Self.serve(directory) { _, writer in
            do {
                try await writer.begin(200, [:])
                for _ in 0..<(total / 65536) {
                    try await writer.write([UInt8](repeating: 120, count: 65536))
                    counter.count.add(65536, ordering: .relaxed)
                }
                try await writer.end()
            } catch {
                Issue.record("\(error)")
            }
        }
        let client = try RawClient(directory.socketPath)
        try await client.send("GET / HTTP/1.1\r\n\r\n")
        _ = try await client.receiveBytes { $0.count > 1000 }
        var last = -1
        // Not a wait for something to happen: what is looked for is that nothing does any more.
        while counter.count.load(ordering: .relaxed) != last {
            last = counter.count.load(ordering: .relaxed)
            try await Task.sleep(for: .milliseconds(200))
        }
        #expect(last < 4 << 20)
        let rest = try await client.receiveBytes { $0.suffix(5) == Array("0\r\n\r\n".utf8)[...] }
        #expect(rest.count > total - (4 << 20))
        #expect(counter.count.load(ordering: .relaxed) == total)
        await server.stop()
    }

    @Test("A body that nobody reads does not stand in the next request's way")
    func unreadBody() async throws {
        let directory = try SocketDirectory()
        let server = try await Self.serve(directory) { _, writer in
            do { try await writer.send(200) } catch { Issue.record("\(error)") }
        }
        let client = try RawClient(directory.socketPath)
        let body = String(repeating: "b", count: 100_000)
        try await client.send("POST / HTTP/1.1\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        try await client.send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        #expect(try await client.receive().pieces("HTTP/1.1 200").count == 3)
        await server.stop()
    }

    @Test("A client that is answered in the middle of a long body can send on and read its answer")
    func earlyAnswer() async throws {
        let directory = try SocketDirectory()
        let server = try await Self.serve(directory) { _, writer in
            do { try await writer.send(403, [:], body: Array("no".utf8)) } catch { Issue.record("\(error)") }
        }
        let client = try RawClient(directory.socketPath)
        let body = String(repeating: "b", count: 8 << 20)
        try await client.send("POST / HTTP/1.1\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        #expect(try await client.receive().hasSuffix("\r\n\r\nno"))
        await server.stop()
    }

    @Test("A client that never ends its long body is not waited for")
    func endlessBody() async throws {
        let directory = try SocketDirectory()
        let server = try await Self.serve(directory) { _, writer in
            do { try await writer.send(403, [:], body: Array("no".utf8)) } catch { Issue.record("\(error)") }
        }
        let client = try RawClient(directory.socketPath)
        let part = String(repeating: "b", count: 2 << 20)
        try await client.send("POST / HTTP/1.1\r\nContent-Length: 1000000000000\r\n\r\n\(part)")
        #expect(try await client.receive().hasSuffix("\r\n\r\nno"))
        await #expect(throws: (any Error).self) {
            for _ in 0..<100_000 { try await client.send(part) }
        }
        await server.stop()
    }

    @Test("The server knows who is at the other end")
    func peer() async throws {
        let directory = try SocketDirectory()
        let server = try await Self.serve(directory) { request, writer in
            do {
                let peer = request.peer.map { "\($0.pid) \($0.uid) \($0.gid)" } ?? "nobody"
                try await writer.send(200, [:], body: Array(peer.utf8))
            } catch {
                Issue.record("\(error)")
            }
        }
        let client = HTTPClient(.unix(path: directory.socketPath))
        let body = try await client.send(HTTPCall("GET", "/")).body.collect(limitBytes: 100)
        #expect(String(decoding: body, as: UTF8.self) == "\(getpid()) \(getuid()) \(getgid())")
        await server.stop()
    }
}

final class WrittenCounter: Sendable {
    let count = Atomic<Int>(0)
}

extension String {
    func pieces(_ separator: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return parts + [String(rest)]
    }
}
