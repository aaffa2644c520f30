import CCrypto
import EngineAPI
import JSON
import Linux
import Transport

/// Both directions of a connection's bytes, whatever they are wrapped in.
protocol ByteLink: Sendable {
    /// The next bytes of the client; nil when it sends no more. Throws `closed` where it is gone.
    func read() async throws(TransportError) -> [UInt8]?
    /// Returns when the kernel has taken `head` and `bytes` behind it.
    func send(_ bytes: [UInt8], after head: [UInt8]) async throws(TransportError)
    /// A duplicate of the socket by which the client's bytes come as they are; nil where they do not. As of
    /// `HijackedConnection`.
    func lend() -> Descriptor?
    /// The same for who writes what the client is to get as it is.
    func lendForOutput() -> Descriptor?
    /// Runs `body`, which reads and passes on, where the client's bytes arrive.
    func onReadingThread(_ body: () async -> Void) async
    /// Tells the client that no more comes.
    func closeOutput() async
    func close() async
    /// Reads and forgets until the client has closed its side, or the time is over, and closes; false, and nothing is
    /// done, where that is left to who reads.
    func part(within limit: Duration) async -> Bool
    /// What comes from the client is not its input alone: it has to be read even where nobody wants that.
    var mustBeRead: Bool { get }
}

extension ByteLink {
    func part(within limit: Duration) async -> Bool { false }
}

extension HijackedConnection: ByteLink {
    var mustBeRead: Bool { false }
}

/// A hijacked connection whose bytes travel in the frames of a websocket (RFC 6455).
///
/// One task reads, one writes; answers to pings are whole frames between those that are written.
actor WebSocketLink: ByteLink {
    private let connection: HijackedConnection
    private var frames = WebSocketFrames()
    private var ready: [WebSocketFrames.Item] = []

    init(_ connection: HijackedConnection) { self.connection = connection }

    func read() async throws(TransportError) -> [UInt8]? {
        while true {
            while !ready.isEmpty {
                switch ready.removeFirst() {
                case .data(let bytes): return bytes
                case .ping(let payload): try await connection.write(WebSocketFrames.encode(.pong, payload))
                case .pong: break
                // There is no half-closed websocket: who says goodbye is gone.
                case .close: throw .closed
                }
            }
            guard let bytes = try await connection.read() else { throw .closed }
            do throws(WebSocketFrames.Failure) { ready = try frames.feed(bytes) } catch {
                throw .malformed(error.reason)
            }
        }
    }

    nonisolated var mustBeRead: Bool { true }

    nonisolated func lend() -> Descriptor? { nil }
    nonisolated func lendForOutput() -> Descriptor? { nil }

    nonisolated func send(_ bytes: [UInt8], after head: [UInt8]) async throws(TransportError) {
        guard !head.isEmpty || !bytes.isEmpty else { return }
        try await connection.write(WebSocketFrames.encode(.binary, head + bytes))
    }

    nonisolated func onReadingThread(_ body: () async -> Void) async { await connection.onReadingThread(body) }

    nonisolated func closeOutput() async {
        // The client is gone already: nobody is left to say goodbye to.
        try? await connection.write(WebSocketFrames.normalClosure)
        await connection.closeOutput()
    }

    nonisolated func close() async { await connection.close() }
}

extension Exchange {
    /// Gives the connection up to a websocket.
    ///
    /// - Throws: `invalid` for a request that is no websocket's handshake of version 13.
    func webSocket() async throws -> WebSocketLink {
        guard request.fields.has("websocket", in: "Upgrade"), request.fields.has("upgrade", in: "Connection"),
            let key = request.fields["Sec-WebSocket-Key"], Base64Text.decoded(key)?.count == 16,
            request.fields["Sec-WebSocket-Version"] == "13"
        else { throw EngineError(.invalid, "this is no handshake of a websocket of version 13") }
        var fields = commonFields
        fields["Connection"] = "Upgrade"
        fields["Upgrade"] = "websocket"
        fields["Sec-WebSocket-Accept"] = Self.acceptance(ofKey: key)
        // Who reads answers pings.
        return WebSocketLink(try await writer.hijack(101, fields, hasSeveralWriters: true))
    }

    /// What proves to a client that the server has understood its handshake (RFC 6455, 4.2.2).
    static func acceptance(ofKey key: String) -> String {
        let text = Array("\(key)258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8)
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard EVP_Digest(text, text.count, &digest, &count, EVP_sha1(), nil) == 1 else {
            preconditionFailure("libcrypto does not give SHA-1")
        }
        return Base64Text.encoded(Array(digest.prefix(Int(count))))
    }
}
