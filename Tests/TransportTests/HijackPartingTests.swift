import AsyncIO
import Linux
import RawClients
import Synchronization
import Testing

@testable import Transport

/// What becomes of a connection that goes on without its channel.
@Suite struct HijackPartingTests {
    @Test("All that a client has sent before it went away can be read, by who is told of that at once")
    func sentAndGone() async throws {
        let directory = try SocketDirectory()
        let (steps, signal) = AsyncStream<String>.makeStream()
        let server = try await HTTPServerTests.serve(directory, mayHijack: true) { _, writer in
            do {
                let connection = try await writer.hijack(200, [:])
                writer.goOn {
                    // Cancelled when the client is gone, before anything is read.
                    try? await Task.sleep(for: .seconds(1000))
                    var count = 0
                    do throws(TransportError) {
                        while let bytes = try await connection.read() { count += bytes.count }
                        signal.yield("ended")
                    } catch { signal.yield("\(error) after \(count)") }
                    await connection.close()
                }
            } catch { Issue.record("\(error)") }
        }
        let client = try RawClient(directory.socketPath)
        try await client.send("POST /hijack HTTP/1.1\r\n\r\n")
        #expect(try await client.receive { $0.hasSuffix("\r\n\r\n") }.hasPrefix("HTTP/1.1 200 "))
        try await client.send([UInt8](repeating: 1, count: 100_000))
        client.closeBoth()
        var iterator = steps.makeAsyncIterator()
        #expect(await iterator.next() == "\(TransportError.closed) after 100000")
        await server.stop()
    }

    @Test("A server's end cuts connections that were given up, and cancels who goes on with them")
    func stopped() async throws {
        let directory = try SocketDirectory()
        let (steps, signal) = AsyncStream<String>.makeStream()
        let server = try await HTTPServerTests.serve(directory, mayHijack: true) { _, writer in
            do {
                let connection = try await writer.hijack(200, [:])
                writer.goOn {
                    do { try await Task.sleep(for: .seconds(1000)) } catch { signal.yield("cancelled") }
                    await connection.close()
                }
            } catch { Issue.record("\(error)") }
        }
        let client = try RawClient(directory.socketPath)
        try await client.send("POST /hijack HTTP/1.1\r\n\r\n")
        #expect(try await client.receive { $0.hasSuffix("\r\n\r\n") }.hasPrefix("HTTP/1.1 200 "))
        await server.stop()
        #expect(try await client.receive() == "")
        var iterator = steps.makeAsyncIterator()
        #expect(await iterator.next() == "cancelled")
    }

    @Test("A server that drains waits for connections that were given up")
    func drained() async throws {
        let directory = try SocketDirectory()
        let server = try await HTTPServerTests.serve(directory, mayHijack: true) { _, writer in
            do {
                let connection = try await writer.hijack(200, [:])
                writer.goOn {
                    while (try? await connection.read()) != nil {}
                    await connection.close()
                }
            } catch { Issue.record("\(error)") }
        }
        let client = try RawClient(directory.socketPath)
        try await client.send("POST /hijack HTTP/1.1\r\n\r\n")
        #expect(try await client.receive { $0.hasSuffix("\r\n\r\n") }.hasPrefix("HTTP/1.1 200 "))
        let isDrained = Mutex(false)
        async let drained: Void = {
            await server.drain(atMost: .seconds(600))
            isDrained.withLock { $0 = true }
        }()
        for _ in 0..<1000 { await Task.yield() }
        #expect(!isDrained.withLock { $0 })
        client.shutdownOutput()
        await drained
        #expect(try await client.receive() == "")
        await server.stop()
    }

    @Test("A connection whose socket is lent goes on without its owner's reading, and is over when its owner closes it")
    func lent() async throws {
        let directory = try SocketDirectory()
        let (sockets, socket) = AsyncStream<Descriptor?>.makeStream()
        let (ends, end) = AsyncStream<Void>.makeStream()
        let server = try await HTTPServerTests.serve(directory, mayHijack: true) { _, writer in
            do {
                let connection = try await writer.hijack(101, ["Upgrade": "tcp"])
                // What came with the head does not lie in the socket.
                socket.yield(connection.lend())
                #expect(try await connection.read() == Array("early".utf8))
                socket.yield(connection.lend())
                for await _ in ends {}
                await connection.close()
            } catch { Issue.record("\(error)") }
        }
        let client = try RawClient(directory.socketPath)
        try await client.send("POST /hijack HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nearly")
        #expect(try await client.receive { $0.hasSuffix("\r\n\r\n") }.hasPrefix("HTTP/1.1 101 "))
        var iterator = sockets.makeAsyncIterator()
        #expect(await iterator.next() == .some(nil))
        let second = try #require(await iterator.next())
        let lent = try AsyncSocket(try #require(second))
        try await client.send("for another")
        #expect(try await lent.read() == Array("for another".utf8))
        end.finish()
        #expect(try await client.receive() == "")
        lent.close()
        await server.stop()
    }

    @Test("A client of a local server sends what lies in a pipe, to its end")
    func pipe() async throws {
        let directory = try SocketDirectory()
        let server = try await HTTPServerTests.serve(directory, mayHijack: true) { _, writer in
            do {
                let connection = try await writer.hijack(101, ["Upgrade": "tcp"])
                var all: [UInt8] = []
                while let bytes = try await connection.read() { all += bytes }
                try await connection.write(all)
                await connection.closeOutput()
            } catch { Issue.record("\(error)") }
        }
        let client = HTTPClient(.unix(path: directory.socketPath))
        guard case .hijacked(_, let connection) = try await client.hijack(HTTPCall("POST", "/hijack")) else {
            Issue.record("refused")
            return
        }
        let (reading, writing) = try Descriptor.pipe()
        #expect(try await connection.send(from: reading) == nil)
        let bytes = (0..<30_000).map { UInt8(truncatingIfNeeded: $0 &* 3) }
        try writing.writeAll(bytes)
        writing.close()
        var sent = 0
        while let count = try await connection.send(from: reading), count > 0 { sent += count }
        #expect(sent == bytes.count)
        await connection.closeOutput()
        var echo: [UInt8] = []
        while let bytes = try await connection.read() { echo += bytes }
        #expect(echo == bytes)
        reading.close()
        await server.stop()
    }

    @Test("A connection for several writers stays with its channel, and all that they write arrives")
    func severalWriters() async throws {
        let directory = try SocketDirectory()
        let (count, size) = (4, 300_000)
        let server = try await HTTPServerTests.serve(directory, mayHijack: true) { _, writer in
            do {
                let connection = try await writer.hijack(200, [:], hasSeveralWriters: true)
                #expect(connection.wire is ChannelWire)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<count {
                        group.addTask { try await connection.write([UInt8](repeating: UInt8(number), count: size)) }
                    }
                    try await group.waitForAll()
                }
                await connection.closeOutput()
                // Both sides have ended then, which is told as the connection's end.
                while (try? await connection.read()) != nil {}
            } catch { Issue.record("\(error)") }
        }
        let client = try RawClient(directory.socketPath)
        try await client.send("POST /hijack HTTP/1.1\r\n\r\n")
        let bytes = try await client.receiveBytes()
        let body = Array(bytes.suffix(count * size))
        let pieces = stride(from: 0, to: body.count, by: size).map { Set(body[$0..<min($0 + size, body.count)]) }
        #expect(pieces.allSatisfy { $0.count == 1 } && Set(pieces).count == count)
        client.shutdownOutput()
        await server.stop()
    }
}
