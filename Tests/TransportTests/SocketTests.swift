import Glibc
import Linux
import RawClients
import Testing

@testable import Transport

@Suite struct SocketTests {
    private func body(_ path: String) async throws -> String {
        let client = HTTPClient(.unix(path: path))
        let bytes = try await client.send(HTTPCall("GET", "/x")).body.collect(limitBytes: 1000)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("A socket path longer than 107 bytes works at both ends")
    func longPath() async throws {
        let directory = try SocketDirectory(nameLength: 150)
        let server = try await HTTPServerTests.serve(directory, HTTPServerTests.echo)
        #expect(try await body(directory.socketPath) == "GET /x ")
        await server.stop()
        #expect(access(directory.socketPath, F_OK) == -1)
    }

    @Test("A thousand clients that come at once find room to wait")
    func crowd() async throws {
        let directory = try SocketDirectory()
        let server = try await HTTPServerTests.serve(directory, HTTPServerTests.echo)
        let folder = OwnedDescriptor(try Descriptor.open(directory.path, O_DIRECTORY))
        // None of them waits for its turn: a full queue refuses it.
        var clients: [Descriptor] = []
        defer { for client in clients { client.close() } }
        for _ in 0..<1000 { clients.append(try UnixSocket.connect(in: folder.descriptor, name: "api.sock")) }
        await server.stop()
    }

    @Test("The socket's file is for its owner and group")
    func mode() async throws {
        let directory = try SocketDirectory()
        let server = try await HTTPServerTests.serve(directory, HTTPServerTests.echo)
        var status = stat()
        #expect(lstat(directory.socketPath, &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o660)
        await server.stop()
    }

    @Test("A socket file without a server is replaced, one with a server and a plain file are not")
    func stale() async throws {
        let directory = try SocketDirectory()
        let folder = OwnedDescriptor(try Descriptor.open(directory.path, O_DIRECTORY))
        try UnixSocket.listen(in: folder.descriptor, name: "api.sock").close()
        let server = try await HTTPServerTests.serve(directory, HTTPServerTests.echo)
        #expect(try await body(directory.socketPath) == "GET /x ")
        await #expect(throws: TransportError.self) {
            try await HTTPServerTests.serve(directory, HTTPServerTests.echo)
        }
        #expect(try await body(directory.socketPath) == "GET /x ")
        await server.stop()
        try Descriptor.open(directory.socketPath, O_CREAT | O_WRONLY, mode: 0o600).close()
        await #expect(throws: TransportError.self) {
            try await HTTPServerTests.serve(directory, HTTPServerTests.echo)
        }
        #expect(access(directory.socketPath, F_OK) == 0)
    }

    @Test("A server that stops leaves another server's socket file alone")
    func successor() async throws {
        let directory = try SocketDirectory()
        let first = try await HTTPServerTests.serve(directory, HTTPServerTests.echo)
        #expect(unlink(directory.socketPath) == 0)
        let second = try await HTTPServerTests.serve(directory, HTTPServerTests.echo)
        await first.stop()
        #expect(try await body(directory.socketPath) == "GET /x ")
        await second.stop()
    }

    @Test("Stopping gives a request in hand its answer, and cuts streams")
    func stopping() async throws {
        let directory = try SocketDirectory()
        let (began, signal) = AsyncStream<String>.makeStream()
        let (go, goSignal) = AsyncStream<Void>.makeStream()
        let server = try await HTTPServerTests.serve(directory) { request, writer in
            do {
                if request.path == "/stream" { try await writer.begin(200, [:]) }
                signal.yield(request.path)
                if request.path == "/stream" {
                    try await Task.sleep(for: .seconds(30))
                } else {
                    for await _ in go { break }
                    try await writer.send(200, [:], body: [33])
                }
            } catch {
                // The stream is cut, as it should be.
            }
        }
        let stream = try RawClient(directory.socketPath)
        let plain = try RawClient(directory.socketPath)
        try await stream.send("GET /stream HTTP/1.1\r\n\r\n")
        try await plain.send("GET /plain HTTP/1.1\r\n\r\n")
        var paths: Set<String> = []
        for await path in began {
            paths.insert(path)
            if paths.count == 2 { break }
        }
        async let stopped: Void = server.stop(grace: .seconds(20))
        #expect(try await stream.receive().hasSuffix("\r\n\r\n"))
        goSignal.yield()
        #expect(try await plain.receive().hasSuffix("\r\n\r\n!"))
        await stopped
    }
}

@Suite struct HTTPClientTests {
    @Test("Where nobody listens the client says where it could not connect")
    func nobody() async throws {
        let directory = try SocketDirectory()
        let client = HTTPClient(.unix(path: directory.socketPath))
        let error = await #expect(throws: TransportError.self) { try await client.send(HTTPCall("GET", "/")) }
        guard case .cannotConnect(let endpoint, _, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(endpoint == "unix://\(directory.socketPath)")
    }

    @Test("A body is streamed both ways")
    func streams() async throws {
        let directory = try SocketDirectory()
        let server = try await HTTPServerTests.serve(directory) { request, writer in
            do {
                try await writer.begin(200, [:])
                while let bytes = try await request.body.next() { try await writer.write(bytes) }
                try await writer.end()
            } catch {
                Issue.record("\(error)")
            }
        }
        let pieces = PieceSource(count: 100, length: 50_000)
        let client = HTTPClient(.unix(path: directory.socketPath))
        let call = HTTPCall("POST", "/", body: .stream { await pieces.next() })
        async let response = client.send(call)
        let body = try await response.body
        var count = 0
        while let bytes = try await body.next() { count += bytes.count }
        #expect(count == 5_000_000)
        await server.stop()
    }

    @Test("A kept connection that the server has closed meanwhile is not noticed by a GET")
    func keepAlive() async throws {
        let directory = try SocketDirectory()
        let client = HTTPClient(.unix(path: directory.socketPath))
        for _ in 0..<3 {
            let server = try await HTTPServerTests.serve(directory, HTTPServerTests.echo)
            for _ in 0..<3 {
                let body = try await client.send(HTTPCall("GET", "/k")).body.collect(limitBytes: 100)
                #expect(String(decoding: body, as: UTF8.self) == "GET /k ")
            }
            await server.stop()
        }
    }

    @Test("A body that is dropped half read closes its connection, so that the server stops")
    func dropped() async throws {
        let directory = try SocketDirectory()
        let (ended, signal) = AsyncStream<Void>.makeStream()
        let server = try await HTTPServerTests.serve(directory) { _, writer in
            do {
                try await writer.begin(200, [:])
                while true { try await writer.write([UInt8](repeating: 0, count: 65536)) }
            } catch {
                signal.yield()
            }
        }
        let client = HTTPClient(.unix(path: directory.socketPath))
        do {
            let response = try await client.send(HTTPCall("GET", "/"))
            _ = try await response.body.next()
        }
        for await _ in ended { break }
        await server.stop()
    }

    @Test("Cancelling a task that waits for an answer ends the exchange")
    func cancelled() async throws {
        let directory = try SocketDirectory()
        let (began, signal) = AsyncStream<Void>.makeStream()
        let server = try await HTTPServerTests.serve(directory) { _, _ in
            signal.yield()
            // Ends by the client's going away.
            try? await Task.sleep(for: .seconds(30))
        }
        let client = HTTPClient(.unix(path: directory.socketPath))
        let task = Task { try await client.send(HTTPCall("GET", "/")) }
        for await _ in began { break }
        task.cancel()
        await #expect(throws: TransportError.closed) { try await task.value }
        await server.stop()
    }
}

actor PieceSource {
    private var left: Int
    private let length: Int

    init(count: Int, length: Int) {
        left = count
        self.length = length
    }

    func next() -> [UInt8]? {
        guard left > 0 else { return nil }
        left -= 1
        return [UInt8](repeating: 7, count: length)
    }
}
