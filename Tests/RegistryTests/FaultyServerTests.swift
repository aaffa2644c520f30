import Content
import OCI
import PeerRegistry
import Synchronization
import Testing

@testable import Registry
@testable import Web

/// Real sockets, and a server that breaks every promise of HTTP and of the distribution specification.
@Suite struct FaultyServerTests {
    private func session(
        _ server: FaultyServer, attempts: Int = 3, silence: Duration = .seconds(20), proxies: WebProxies = WebProxies(),
        host: String? = nil
    ) throws -> RegistrySession {
        var configuration = RegistryConfiguration()
        configuration.certificatesDirectory = nil
        configuration.attempts = attempts
        let host = host ?? "127.0.0.1:\(server.port)"
        var entry = RegistryConfiguration.Entry()
        entry.isPlain = true
        configuration.registries[host] = entry
        let client = RegistryClient(
            transport: SocketTransport(proxies: proxies, silenceLimit: silence), configuration: configuration,
            clock: RecordingClock())
        return RegistrySession(client, try Reference("\(host)/app:1"), purpose: .pull, credentials: nil)
    }

    private static let text = String(repeating: "layer bytes ", count: 20_000)
    private static let layer = ContentDescriptor(
        mediaType: ImageMediaType.layer, digest: .sha256(of: Array(text.utf8)), sizeBytes: Int64(text.utf8.count))

    @Test("A layer that breaks off in the middle is finished from there", arguments: [false, true])
    func breaks(byReset: Bool) async throws {
        let half = String(Self.text.prefix(100_000))
        let server = try FaultyServer { head, number in
            guard number > 0 else {
                let begin = "HTTP/1.1 200 OK\r\nContent-Length: \(Self.layer.sizeBytes)\r\n\r\n\(half)"
                return [.send(begin)] + (byReset ? [.reset] : [])
            }
            let start = head.split(separator: "bytes=").last.flatMap { Int($0.prefix { $0 != "-" }) } ?? 0
            let range = "Content-Range: bytes \(start)-\(Self.layer.sizeBytes - 1)/\(Self.layer.sizeBytes)"
            return [.answer("206 Partial Content", [range], Array(Self.text.utf8.dropFirst(start)))]
        }
        let sink = MemorySink()
        try await session(server).download(Self.layer, to: sink) { _ in }
        #expect(sink.bytes == Array(Self.text.utf8))
        #expect(server.requests.count == 2)
    }

    @Test(
        "A server that stalls is given up, in the head as in the body",
        arguments: ["", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"])
    func stalls(beginning: String) async throws {
        let server = try FaultyServer { _, _ in [.send(beginning), .stall] }
        let session = try session(server, attempts: 1, silence: .milliseconds(200))
        let error = await #expect(throws: RegistryError.self) { try await session.manifest("1") }
        #expect(error?.kind == .unavailable)
        #expect(error?.message.contains("nothing came for too long") == true, "\(error?.message ?? "")")
    }

    @Test("Ten gigabytes of JSON are not read")
    func flood() async throws {
        let server = try FaultyServer { _, _ in
            [.send("HTTP/1.1 200 OK\r\nContent-Type: \(ImageMediaType.manifest)\r\n\r\n"), .flood(10 << 30)]
        }
        let error = await #expect(throws: RegistryError.self) { try await session(server).manifest("1") }
        #expect(error?.message.contains("longer than 4194304 bytes") == true)
    }

    @Test(
        "What is not HTTP is an error, not an answer",
        arguments: ["SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 abc\r\n\r\n", "\u{0}\u{1}\u{2}\r\n\r\n"])
    func nonsense(text: String) async throws {
        let server = try FaultyServer { _, _ in [.send(text)] }
        await #expect(throws: RegistryError.self) { try await session(server).manifest("1") }
    }

    @Test("A head without end is not read for ever")
    func endlessHead() async throws {
        let server = try FaultyServer { _, _ in [.send("HTTP/1.1 200 OK\r\nX: a"), .flood(1 << 30)] }
        await #expect(throws: RegistryError.self) { try await session(server, attempts: 1).manifest("1") }
    }

    @Test("A pull that is cancelled ends at once, wherever it stands")
    func cancelled() async throws {
        let server = try FaultyServer { _, _ in
            [.send("HTTP/1.1 200 OK\r\nContent-Length: \(Self.layer.sizeBytes)\r\n\r\n12345"), .stall]
        }
        let session = try session(server)
        let (begun, beginning) = AsyncStream.makeStream(of: Void.self)
        let task = Task { () -> RegistryError? in
            do throws(RegistryError) {
                try await session.download(Self.layer, to: MemorySink()) { _ in beginning.finish() }
                return nil
            } catch { return error }
        }
        for await _ in begun {}
        task.cancel()
        #expect(await task.value?.kind == .cancelled)
    }

    @Test("A registry behind a proxy is asked through it, with the whole address or through a tunnel")
    func proxy() async throws {
        let server = try FaultyServer { head, _ in
            if head.hasPrefix("CONNECT") { return [.send("HTTP/1.1 403 Forbidden\r\n\r\n")] }
            return [.answer("200 OK", ["Content-Type: \(ImageMediaType.manifest)"], Array("{}".utf8))]
        }
        let proxy = "http://127.0.0.1:\(server.port)"
        let proxies = WebProxies(environment: ["HTTP_PROXY": proxy, "HTTPS_PROXY": proxy])
        _ = try await session(server, proxies: proxies, host: "registry.invalid").manifest("1")
        #expect(server.requests == ["GET http://registry.invalid/v2/app/manifests/1 HTTP/1.1"])
        let secure = RegistryClient(
            transport: SocketTransport(proxies: proxies), clock: RecordingClock())
        let reference = try Reference("secure.invalid/app:1")
        let session = RegistrySession(secure, reference, purpose: .pull, credentials: nil)
        let error = await #expect(throws: RegistryError.self) { try await session.manifest("1") }
        #expect(error?.message.contains("the proxy refused the connection: 403 Forbidden") == true)
        #expect(server.requests.last == "CONNECT secure.invalid:443 HTTP/1.1")
    }
}
