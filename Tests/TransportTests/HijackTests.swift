import Glibc
import RawClients
import Testing

@testable import Transport

@Suite struct HijackTests {
    /// Answers each piece by itself in brackets, and the end of input by `end`.
    private func serve(_ directory: SocketDirectory, status: Int) async throws -> HTTPServer {
        try await HTTPServerTests.serve(directory, mayHijack: true) { request, writer in
            do {
                let fields: HTTPFields = status == 101 ? ["Connection": "Upgrade", "Upgrade": "tcp"] : [:]
                let connection = try await writer.hijack(status, fields)
                while let bytes = try await connection.read() { try await connection.write([91] + bytes + [93]) }
                try await connection.write(Array("end".utf8))
                await connection.closeOutput()
            } catch {
                Issue.record("\(error)")
            }
        }
    }

    @Test("Bytes that come in one piece with the request that upgrades are not lost, and half-close is seen")
    func earlyBytes() async throws {
        let directory = try SocketDirectory()
        let server = try await serve(directory, status: 101)
        let client = try RawClient(directory.socketPath)
        try await client.send("POST /hijack HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nGET / not HTTP")
        let first = try await client.receive { $0.hasSuffix("]") }
        #expect(first.hasPrefix("HTTP/1.1 101 "))
        #expect(first.hasSuffix("\r\n\r\n[GET / not HTTP]"))
        client.shutdownOutput()
        #expect(try await client.receive() == "end")
        await server.stop()
    }

    @Test("Without an upgrade the answer is 200 and the rest is raw; the request's own body is not part of it")
    func withoutUpgrade() async throws {
        let directory = try SocketDirectory()
        let server = try await serve(directory, status: 200)
        let client = try RawClient(directory.socketPath)
        try await client.send("POST /hijack HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        #expect(try await client.receive { $0.hasSuffix("\r\n\r\n") }.hasPrefix("HTTP/1.1 200 "))
        try await client.send("POST / HTTP/1.1")
        #expect(try await client.receive { $0.hasSuffix("]") } == "[POST / HTTP/1.1]")
        client.shutdownOutput()
        #expect(try await client.receive() == "end")
        await server.stop()
    }

    @Test("The client's side of a hijacked connection", arguments: [101, 200])
    func client(status: Int) async throws {
        let directory = try SocketDirectory()
        let server = try await serve(directory, status: status)
        let client = HTTPClient(.unix(path: directory.socketPath))
        guard case .hijacked(_, let connection) = try await client.hijack(HTTPCall("POST", "/hijack")) else {
            Issue.record("refused")
            return
        }
        try await connection.write(Array("one".utf8))
        #expect(try await connection.read() == Array("[one]".utf8))
        await connection.closeOutput()
        #expect(try await connection.read() == Array("end".utf8))
        #expect(try await connection.read() == nil)
        await server.stop()
    }

    @Test("A client that is gone is told from one that has ended its input")
    func gone() async throws {
        let directory = try SocketDirectory()
        let (ends, signal) = AsyncStream<String>.makeStream()
        let server = try await HTTPServerTests.serve(directory, mayHijack: true) { _, writer in
            do {
                let connection = try await writer.hijack(200, [:])
                signal.yield("ready")
                while try await connection.read() != nil {}
                signal.yield("ended")
            } catch {
                signal.yield("\(error)")
            }
        }
        let client = try RawClient(directory.socketPath)
        try await client.send("POST /hijack HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        var iterator = ends.makeAsyncIterator()
        #expect(await iterator.next() == "ready")
        client.closeBoth()
        #expect(await iterator.next() == "\(TransportError.closed)")
        await server.stop()
    }

    @Test("Who reads where the peer's bytes arrive changes no threads for them")
    func readingThread() async throws {
        let directory = try SocketDirectory()
        let (places, place) = AsyncStream<pthread_t>.makeStream()
        let server = try await HTTPServerTests.serve(directory, mayHijack: true) { _, writer in
            do {
                let connection = try await writer.hijack(200, [:])
                await connection.onReadingThread {
                    do throws(TransportError) {
                        place.yield(pthread_self())
                        while try await connection.read() != nil { place.yield(pthread_self()) }
                    } catch { Issue.record("\(error)") }
                }
                place.finish()
            } catch { Issue.record("\(error)") }
        }
        let client = try RawClient(directory.socketPath)
        try await client.send("POST /hijack HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        var iterator = places.makeAsyncIterator()
        let first = try #require(await iterator.next())
        for piece in ["a", "b", "c"] {
            try await client.send(piece)
            #expect(await iterator.next() == first)
        }
        client.shutdownOutput()
        #expect(await iterator.next() == nil)
        await server.stop()
    }

    @Test("A request that may not hijack is refused")
    func forbidden() async throws {
        let directory = try SocketDirectory()
        let server = try await HTTPServerTests.serve(directory) { _, writer in
            do {
                _ = try await writer.hijack(200, [:])
                Issue.record("hijacked")
            } catch {
                // As it should be: the connection closes without an answer.
            }
        }
        let client = try RawClient(directory.socketPath)
        try await client.send("GET / HTTP/1.1\r\n\r\n")
        #expect(try await client.receive() == "")
        await server.stop()
    }
}

@Suite struct HijackOrderTests {
    @Test("Bytes that come with the answer, and with the connection's end, are not lost", arguments: 0..<20)
    func quickEnd(_ round: Int) async throws {
        let directory = try SocketDirectory()
        let server = try await HTTPServerTests.serve(directory, mayHijack: true) { _, writer in
            do {
                let connection = try await writer.hijack(round % 2 == 0 ? 101 : 200, ["Upgrade": "tcp"])
                try await connection.write(Array("quick".utf8))
                await connection.close()
            } catch {
                Issue.record("\(error)")
            }
        }
        let client = HTTPClient(.unix(path: directory.socketPath))
        guard case .hijacked(_, let connection) = try await client.hijack(HTTPCall("POST", "/hijack")) else {
            Issue.record("refused")
            return
        }
        #expect(try await connection.read() == Array("quick".utf8))
        #expect(try await connection.read() == nil)
        await server.stop()
    }

    @Test("Input sent whole in one piece with its request, and ended, is not lost", arguments: [true, false])
    func wholeInput(isUpgrade: Bool) async throws {
        let directory = try SocketDirectory()
        let server = try await HTTPServerTests.serve(directory, mayHijack: true) { _, writer in
            do {
                let connection = try await writer.hijack(200, [:])
                var all: [UInt8] = []
                while let bytes = try await connection.read() { all += bytes }
                try await connection.write([91] + all + [93])
                await connection.closeOutput()
            } catch {
                Issue.record("\(error)")
            }
        }
        let client = try RawClient(directory.socketPath)
        let fields = isUpgrade ? "Upgrade: tcp\r\nConnection: Upgrade\r\n" : ""
        try await client.send("POST /hijack HTTP/1.1\r\n\(fields)Content-Length: 2\r\n\r\n{}early\r\n\r\nbytes")
        client.shutdownOutput()
        #expect(try await client.receive().hasSuffix("\r\n\r\n[early\r\n\r\nbytes]"))
        await server.stop()
    }

    @Test(
        "A connection goes on after its handler, in a task that is cancelled when the client goes away",
        arguments: [false, true])
    func sequel(onWaitingThread: Bool) async throws {
        let directory = try SocketDirectory()
        let (steps, signal) = AsyncStream<String>.makeStream()
        let server = try await HTTPServerTests.serve(directory, mayHijack: true) { _, writer in
            do {
                let connection = try await writer.hijack(200, [:])
                writer.goOn(onWaitingThread: onWaitingThread) {
                    do {
                        while let bytes = try await connection.read() { try await connection.write(bytes) }
                        signal.yield("read to the end")
                        try await Task.sleep(for: .seconds(1000))
                    } catch { signal.yield(Task.isCancelled ? "cancelled" : "\(error)") }
                    await connection.close()
                }
                signal.yield("handled")
            } catch { Issue.record("\(error)") }
        }
        let client = try RawClient(directory.socketPath)
        try await client.send("POST /hijack HTTP/1.1\r\n\r\n")
        #expect(try await client.receive { $0.hasSuffix("\r\n\r\n") }.hasPrefix("HTTP/1.1 200 "))
        try await client.send("after")
        #expect(try await client.receive { $0.hasSuffix("after") } == "after")
        client.shutdownOutput()
        var said: [String] = []
        for await step in steps {
            said.append(step)
            if said.count == 2 { client.closeBoth() }
            if said.count == 3 { break }
        }
        #expect(said == ["handled", "read to the end", "cancelled"])
        await server.stop()
    }
}

@Suite struct HijackStreamTests {
    /// Eight bytes of a piece's number before each piece.
    private static func head(_ number: Int) -> [UInt8] { withUnsafeBytes(of: UInt64(number)) { Array($0) } }

    @Test("Pieces of all sizes, with their heads, arrive complete and in order, and their end is seen")
    func sizes() async throws {
        let directory = try SocketDirectory()
        let sizes = [1, 100, 10_000, 65_536, 3, 1_000_000, 0, 8192, 77]
        let server = try await HTTPServerTests.serve(directory, mayHijack: true) { _, writer in
            do {
                let connection = try await writer.hijack(101, ["Upgrade": "tcp"])
                for (number, size) in sizes.enumerated() {
                    try await connection.send([UInt8](repeating: UInt8(number), count: size), after: Self.head(number))
                    try await connection.write([255])
                }
                await connection.closeOutput()
                #expect(try await connection.read() == Array("thanks".utf8))
            } catch { Issue.record("\(error)") }
        }
        let client = HTTPClient(.unix(path: directory.socketPath))
        guard case .hijacked(_, let connection) = try await client.hijack(HTTPCall("POST", "/hijack")) else {
            Issue.record("refused")
            return
        }
        var received: [UInt8] = []
        while let bytes = try await connection.read() { received += bytes }
        var expected: [UInt8] = []
        for (number, size) in sizes.enumerated() {
            expected += Self.head(number)
            expected += [UInt8](repeating: UInt8(number), count: size)
            expected.append(255)
        }
        #expect(received == expected)
        try await connection.send(Array("thanks".utf8))
        await connection.closeOutput()
        await server.stop()
        // Not before: a client that is gone cancels who serves it.
        await connection.close()
    }

    @Test("Who sends to a client that reads nothing waits, and learns that it went away")
    func stalled() async throws {
        let directory = try SocketDirectory()
        let (steps, signal) = AsyncStream<String>.makeStream()
        let server = try await HTTPServerTests.serve(directory, mayHijack: true) { _, writer in
            do {
                let connection = try await writer.hijack(200, [:])
                writer.goOn(onWaitingThread: true) {
                    var sent = 0
                    do {
                        while sent < 1 << 30 {
                            try await connection.send([UInt8](repeating: 0, count: 65_536))
                            sent += 65_536
                            if sent == 65_536 { signal.yield("begun") }
                        }
                    } catch { signal.yield("\(error)") }
                    // Far less than there is: what nobody reads does not pile up here.
                    signal.yield(sent < 64 << 20 ? "held back" : "sent \(sent) bytes")
                    await connection.close()
                }
            } catch { Issue.record("\(error)") }
        }
        let client = try RawClient(directory.socketPath)
        try await client.send("POST /hijack HTTP/1.1\r\n\r\n")
        #expect(try await client.receive { $0.contains("\r\n\r\n") }.hasPrefix("HTTP/1.1 200 "))
        var iterator = steps.makeAsyncIterator()
        #expect(await iterator.next() == "begun")
        client.closeBoth()
        #expect(await iterator.next() == "\(TransportError.closed)")
        #expect(await iterator.next() == "held back")
        await server.stop()
    }
}
