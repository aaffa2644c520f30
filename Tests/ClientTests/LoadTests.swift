import Foundation
import RawClients
import Testing

/// Archives of images from clients that do not wait for an answer.
@Suite(
    .serialized, .timeLimit(.minutes(2)), .enabled(if: RunningDaemon.missing == nil, "needs root, docker and the build")
)
struct LoadTests {
    private func request(_ archive: [UInt8]) -> [UInt8] {
        let head = [
            "POST /v1.43/images/load HTTP/1.1", "Host: d", "Content-Type: application/x-tar",
            "Content-Length: \(archive.count)", "", "",
        ]
        return Array(head.joined(separator: "\r\n").utf8) + archive
    }

    private func isHere(_ image: String, _ daemon: RunningDaemon) async throws -> Bool {
        try await daemon.docker("image", "inspect", image).code == 0
    }

    @Test("An archive that has come whole is loaded though its client is gone then")
    func goneClient() async throws {
        let daemon = try await RunningDaemon()
        let path = "\(daemon.root)/starter.tar"
        #expect(try await daemon.docker("save", "-o", path, "gantry/starter").code == 0)
        #expect(try await daemon.docker("rmi", "gantry/starter").code == 0)
        let archive = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
        let client = try RawClient(daemon.socketPath)
        try await client.send(request(archive))
        try await client.waitUntilTaken()
        client.closeBoth()
        for _ in 0..<200 where try await !isHere("gantry/starter", daemon) {
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(try await isHere("gantry/starter", daemon))
        try await daemon.end()
    }
}
