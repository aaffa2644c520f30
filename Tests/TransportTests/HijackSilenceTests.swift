import RawClients
import Testing

@testable import Transport

/// A server that does not say whether it gives the connection up.
@Suite struct HijackSilenceTests {
    @Test("It is waited for no longer than was said, on every way to it", arguments: [true, false])
    func silent(isLocal: Bool) async throws {
        let directory = try SocketDirectory()
        let address: ListenAddress = isLocal ? .unix(path: directory.socketPath) : .tcp(host: "127.0.0.1", port: 0)
        var configuration = HTTPServer.Configuration()
        configuration.mayHijack = { _, _ in true }
        let server = try await HTTPServer.start(at: address, configuration) { request, writer in
            guard request.path == "/silent" else {
                do {
                    let connection = try await writer.hijack(101, ["Upgrade": "tcp", "Connection": "Upgrade"])
                    while let bytes = try await connection.read() { try await connection.write(bytes) }
                } catch {
                    // As it should be where the client is gone.
                }
                return
            }
            // Until the client is gone.
            try? await Task.sleep(for: .seconds(1000))
        }
        let endpoint: HTTPEndpoint =
            isLocal ? .unix(path: directory.socketPath) : .tcp(host: "127.0.0.1", port: try #require(server.port))
        let client = HTTPClient(endpoint)
        var call = HTTPCall("POST", "/silent")
        call.silenceLimit = .milliseconds(300)
        await #expect(throws: TransportError.timedOut("wait for the server")) { _ = try await client.hijack(call) }
        // Once it is given up, nobody has to say anything.
        call = HTTPCall("POST", "/spoken")
        call.silenceLimit = .seconds(3)
        guard case .hijacked(_, let connection) = try await client.hijack(call) else {
            Issue.record("refused")
            return
        }
        #expect(connection.isPlain == isLocal)
        async let late = connection.read()
        try await Task.sleep(for: .milliseconds(3500))
        try await connection.write([7])
        let answer = try await late
        #expect(answer == [7])
        await connection.close()
        await server.stop()
    }
}
