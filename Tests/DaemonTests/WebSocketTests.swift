import EngineAPI
import JSON
import RawClients
import Testing
import Transport

@testable import Daemon

@Suite struct WebSocketTests {
    /// A client's frame, masked.
    static func frame(_ opcode: UInt8, _ payload: [UInt8], isLast: Bool = true) -> [UInt8] {
        let mask: [UInt8] = [1, 2, 3, 4]
        var bytes: [UInt8] = [(isLast ? 0x80 : 0) | opcode]
        switch payload.count {
        case 0...125: bytes.append(0x80 | UInt8(payload.count))
        case 126...0xFFFF: bytes += [0xFE, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        default: bytes += [0xFF] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
        }
        return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 & 3] }
    }

    @Test("Frames are read however the bytes are cut", arguments: [1, 2, 3, 7, 1000])
    func pieces(size: Int) throws {
        let long = [UInt8](repeating: 7, count: 70_000)
        let all =
            Self.frame(1, Array("hé".utf8), isLast: false) + Self.frame(9, [5]) + Self.frame(0, Array("y".utf8))
            + Self.frame(2, []) + Self.frame(2, long) + Self.frame(10, []) + Self.frame(8, [3, 232])
        var frames = WebSocketFrames()
        var data: [UInt8] = []
        var others: [WebSocketFrames.Item] = []
        for start in stride(from: 0, to: all.count, by: size) {
            for item in try frames.feed(Array(all[start..<min(all.count, start + size)])) {
                if case .data(let bytes) = item { data += bytes } else { others.append(item) }
            }
        }
        #expect(data == Array("héy".utf8) + long)
        #expect(others == [.ping([5]), .pong, .close])
    }

    @Test(
        "What no client may send is refused",
        arguments: [
            [0x82, 0x01, 0x00, 0, 0, 0, 0],  // not masked
            [0xC2, 0x80, 0, 0, 0, 0], [0x83, 0x80, 0, 0, 0, 0], [0x09, 0x80, 0, 0, 0, 0],
            [0x89, 0xFE, 0, 126, 0, 0, 0, 0], [0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ] as [[UInt8]])
    func refused(bytes: [UInt8]) {
        #expect(throws: WebSocketFrames.Failure.self) {
            var frames = WebSocketFrames()
            _ = try frames.feed(bytes)
        }
    }

    @Test(
        "A server's frames have the shortest head that holds their length",
        arguments: [
            (0, [0x82, 0]), (125, [0x82, 125]), (126, [0x82, 126, 0, 126]), (65_535, [0x82, 126, 255, 255]),
            (65_536, [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] as [(Int, [UInt8])])
    func encoding(count: Int, head: [UInt8]) {
        let bytes = WebSocketFrames.encode(.binary, [UInt8](repeating: 1, count: count))
        #expect(Array(bytes.prefix(head.count)) == head && bytes.count == head.count + count)
    }

    @Test("The handshake's answer is the one of RFC 6455's example")
    func acceptance() {
        #expect(Exchange.acceptance(ofKey: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    @Test("A container is attached to by websocket: input, output, a ping, and a farewell at the end")
    func attach() async throws {
        let served = try await Served()
        _ = try await served.run("cat", name: "c", #","OpenStdin":true,"Tty":true"#)
        let raw = try RawClient(served.socketPath)
        try await raw.send(
            "GET /v1.51/containers/c/attach/ws?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n"
                + "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        let head = try await raw.receive { $0.hasSuffix("\r\n\r\n") }
        #expect(head.hasPrefix("HTTP/1.1 101 ") && head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
        try await raw.send(Self.frame(2, Array("hi".utf8)))
        #expect(try await raw.receiveBytes { $0.count >= 4 } == [0x82, 2, 104, 105])
        try await raw.send(Self.frame(9, [9]))
        #expect(try await raw.receiveBytes { $0.count >= 3 } == [0x8A, 1, 9])
        // docker's detach keys work here, too.
        try await raw.send(Self.frame(2, [16, 17]))
        #expect(try await raw.receiveBytes { $0.count >= 4 } == WebSocketFrames.normalClosure)
        #expect(try await served.call("GET", "/containers/c/json").json["State"]?["Running"] == true)
        await served.stop()
    }

    @Test("A request for a websocket that shakes no hands is refused, and nothing stays attached")
    func refusedHandshake() async throws {
        let served = try await Served()
        _ = try await served.run("cat", name: "c", #","OpenStdin":true"#)
        let answer = try await served.call("GET", "/containers/c/attach/ws?stream=1&stdout=1")
        #expect(answer.status == 400)
        #expect(try await served.call("GET", "/containers/none/attach/ws").status == 404)
        await served.stop()
    }
}
