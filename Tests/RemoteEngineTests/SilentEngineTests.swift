import EngineAPI
import Glibc
import Testing
import Transport

@testable import RemoteEngine

@Suite struct SilentEngineTests {
    @Test("An engine that says no word to whether it gives a connection up is waited for as long as was said")
    func handshake() async throws {
        let path = "/tmp/gantry-remote-\(String(UInt64.random(in: 0...UInt64.max), radix: 36)).sock"
        let server = try await HTTPServer.start(socketPath: path) { request, writer in
            guard request.path == "/_ping" else {
                // Until the client is gone.
                _ = try? await Task.sleep(for: .seconds(1000))
                return
            }
            // A client that is gone needs no answer.
            try? await writer.send(200, ["Api-Version": "1.47"])
        }
        defer { unlink(path) }
        let client = EngineClient(.unix(path: path), handshakeLimit: .milliseconds(300))
        do throws(EngineError) {
            _ = try await client.hijack("/containers/a/attach", object: "a")
            Issue.record("hijacked")
        } catch { #expect(error.kind == .unavailable) }
        await server.stop()
    }
}
