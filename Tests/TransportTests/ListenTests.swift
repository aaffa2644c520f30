import Glibc
import Linux
import RawClients
import Testing

@testable import Transport

@Suite struct ListenTests {
    private static let handler: HTTPServer.Handler = { request, writer in
        // A client that is refused in TLS leaves no request; one that goes away leaves no answer.
        try? await writer.send(200, [:], body: Array("\(request.path) \(request.peer == nil)".utf8))
    }

    private func ask(_ client: HTTPClient) async throws -> String {
        let bytes = try await client.send(HTTPCall("GET", "/x")).body.collect(limitBytes: 1000)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(
        "TLS is for clients whose certificate our authority has signed, and for nobody else",
        .enabled(if: TLSFixture.isPossible, "needs openssl"))
    func mutualTLS() async throws {
        let files = try TLSFixture()
        let settings = ServerTLSSettings(
            authorityFile: files.path("ca"), certificateFile: files.path("server"), keyFile: files.key("server"))
        let server = try await HTTPServer.start(
            at: .tcp(host: "127.0.0.1", port: 0), tls: settings, handler: Self.handler)
        let endpoint = HTTPEndpoint.tcp(host: "127.0.0.1", port: try #require(server.port))
        func client(_ name: String?, authority: String = "ca") -> HTTPClient {
            var tls = TLSSettings()
            tls.authorityFiles = [files.path(authority)]
            tls.believesFilesAlone = true
            tls.certificateFile = name.map { files.path($0) }
            tls.keyFile = name.map { files.key($0) }
            return HTTPClient(endpoint, tls: tls)
        }
        #expect(try await ask(client("client")) == "/x true")
        for wrong in [client(nil), client("other"), client("client", authority: "stranger")] {
            await #expect(throws: TransportError.self) { try await ask(wrong) }
        }
        #expect(try await ask(HTTPClient(endpoint)) == "Client sent an HTTP request to an HTTPS server.\n")
        #expect(try await ask(client("client")) == "/x true")
        // Put in their place, as who renews a certificate does.
        for (new, old) in [(files.path("other"), files.path("client")), (files.key("other"), files.key("client"))] {
            try FileContents.replace(old, with: try FileContents.read(new), mode: 0o600, durable: false)
        }
        await #expect(throws: TransportError.self) { try await ask(client("client")) }
        await server.stop()
    }

    @Test(
        "Who is refused before TLS has begun reads why, to an orderly end, though more of what it sends is on its way",
        .enabled(if: TLSFixture.isPossible, "needs openssl"))
    func orderlyRefusal() async throws {
        let files = try TLSFixture()
        let settings = ServerTLSSettings(
            authorityFile: files.path("ca"), certificateFile: files.path("server"), keyFile: files.key("server"))
        let directory = try SocketDirectory()
        let server = try await HTTPServer.start(
            at: .unix(path: directory.socketPath), tls: settings, handler: Self.handler)
        let client = try RawClient(directory.socketPath)
        let body = String(repeating: "x", count: 100_000)
        try await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        let answer = try await client.receive(isOrderly: true)
        #expect(answer.hasSuffix("Client sent an HTTP request to an HTTPS server.\n"))
        await server.stop()
    }

    @Test("A file that holds no certificate keeps the server from starting, and is named")
    func badFiles() async {
        let settings = ServerTLSSettings(authorityFile: "/none", certificateFile: "/etc/passwd", keyFile: "/none")
        let error = await #expect(throws: TransportError.self) {
            try await HTTPServer.start(at: .tcp(host: "127.0.0.1", port: 0), tls: settings, handler: Self.handler)
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains("/etc/passwd"))
    }

    @Test("Both ends of a connection over TCP are probed while nothing is said")
    func keepalive() async throws {
        let (held, release) = AsyncStream.makeStream(of: Void.self)
        let server = try await HTTPServer.start(at: .tcp(host: "127.0.0.1", port: 0)) { _, writer in
            for await _ in held {}
            try? await writer.send(200, [:], body: [])
        }
        let port = try #require(server.port)
        async let answer = HTTPClient(.tcp(host: "127.0.0.1", port: port)).send(HTTPCall("GET", "/x")).status
        let clock = ContinuousClock()
        let end = clock.now + .seconds(20)
        var probed = 0
        while probed < 2, clock.now < end {
            probed = try probedEnds(port)
            try await clock.sleep(for: .milliseconds(10))
        }
        #expect(probed == 2)
        release.finish()
        #expect(try await answer == 200)
        await server.stop()
    }

    /// How many ends of connections with `port` have the keepalive timer of proc_net_tcp (2), due within 30 s.
    private func probedEnds(_ port: Int) throws -> Int {
        let text = String(decoding: try FileContents.read("/proc/net/tcp", limitBytes: 16 << 20), as: UTF8.self)
        let digits = String(port, radix: 16, uppercase: true)
        let suffix = ":" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        return text.split(separator: "\n").count { line in
            let fields = line.split(separator: " ")
            guard fields.count > 5, fields[3] == "01", fields[1].hasSuffix(suffix) || fields[2].hasSuffix(suffix) else {
                return false
            }
            let timer = fields[5].split(separator: ":")
            return timer[0] == "02" && (Int(timer[1], radix: 16) ?? .max) <= 3000
        }
    }

    @Test("A listening socket that came with the process is served, and its file is left alone")
    func inherited() async throws {
        let directory = try SocketDirectory()
        let folder = OwnedDescriptor(try Descriptor.open(directory.path, O_DIRECTORY))
        let socket = try UnixSocket.listen(in: folder.descriptor, name: "api.sock")
        #expect(InheritedSocket(0) == nil)
        let server = try await HTTPServer.start(at: .inherited(socket.rawValue), handler: Self.handler)
        #expect(try await ask(HTTPClient(.unix(path: directory.socketPath))) == "/x false")
        await server.stop()
        #expect(Glibc.access(directory.socketPath, F_OK) == 0)
    }

    @Test("What an inherited socket is bound to is told: a path, the loopback, or the network")
    func inheritedKinds() throws {
        let loopback = try InternetSocket.bound(.stream, SocketEndpoint(try #require(IPAddress("127.0.0.1")), 0))
        let all = try InternetSocket.bound(.stream, SocketEndpoint(try #require(IPAddress("0.0.0.0")), 0))
        let silent = try InternetSocket.open(.stream, .v4)
        #expect(InheritedSocket(loopback.rawValue) == .internet(isLoopback: true))
        #expect(InheritedSocket(all.rawValue) == .internet(isLoopback: false))
        #expect(InheritedSocket(silent.rawValue) == nil)
        for socket in [loopback, all, silent] { socket.close() }
    }

    @Test(
        "Who may use a socket is whom its file's permissions let",
        arguments: [
            (0, [0], 0o600, true), (500, [500], 0o600, true), (1000, [1000], 0o660, false),
            (1000, [1000, 77], 0o660, true), (1000, [1000, 77], 0o640, false), (1000, [1000], 0o666, true),
            (1000, [1000, 77], 0o606, false), (42, [42], 0o660, true), (42, [42], 0o460, false),
        ] as [(UInt32, [UInt32], UInt32, Bool)])
    func peers(uid: UInt32, groups: [UInt32], mode: UInt32, isAdmitted: Bool) {
        #expect(
            PeerAccess.admits(uid: uid, groups: groups, ownUID: 500, owner: 42, group: 77, mode: mode) == isAdmitted)
    }

    @Test("A program's standard input and output are a connection; what it complains of is told")
    func command() async throws {
        let directory = try SocketDirectory()
        let server = try await HTTPServer.start(socketPath: directory.socketPath, handler: Self.handler)
        if Glibc.access("/usr/bin/socat", X_OK) == 0 {
            let words = ["socat", "-", "UNIX-CONNECT:\(directory.socketPath)"]
            #expect(try await ask(HTTPClient(.command(words, name: "ssh://x"))) == "/x false")
        }
        let failing = HTTPClient(.command(["sh", "-c", "echo no such host >&2"], name: "ssh://x"))
        await #expect(throws: TransportError.cannotConnect(endpoint: "ssh://x", reason: "no such host")) {
            try await ask(failing)
        }
        await #expect(throws: TransportError.self) {
            try await ask(HTTPClient(.command(["gantry-no-such-program"], name: "ssh://x")))
        }
        await server.stop()
    }
}
