import NIOCore
import NIOHTTP1
import Synchronization

/// The one answer to a request: whole, in pieces, or by giving the connection up to raw bytes.
///
/// Every write returns when the kernel has taken the bytes, so a client that does not read holds its handler back and
/// nothing piles up. Once the client is gone all writes throw `closed`, and the handler's task is cancelled.
package final class ResponseWriter: Sendable {
    enum Phase: Sendable { case waiting, streaming, ended, hijacked }

    private let link: ServerLink
    private let incoming: IncomingBody
    private let method: String
    private let version: HTTPVersion
    private let mayHijack: Bool
    private struct State {
        var phase = Phase.waiting
        var keepsAlive: Bool
        var status = 0
        var sequel: Sequel?
    }

    /// What outlives the request, and where it begins.
    struct Sequel: Sendable {
        let isOnWaitingThread: Bool
        let run: @Sendable () async -> Void
    }

    private let state: Mutex<State>

    init(_ link: ServerLink, _ incoming: IncomingBody, head: HTTPRequestHead, mayHijack: Bool) {
        self.link = link
        self.incoming = incoming
        self.mayHijack = mayHijack
        method = head.method.rawValue
        version = head.version
        state = Mutex(State(keepsAlive: head.isKeepAlive && !mayHijack))
    }

    var phase: Phase { state.withLock { $0.phase } }
    var keepsAlive: Bool { state.withLock { $0.keepsAlive } }
    var sequel: Sequel? { state.withLock { $0.sequel } }

    /// Nothing of an answer has been sent yet.
    package var isUnanswered: Bool { phase == .waiting }

    /// The answer's status; 0 while there is none.
    package var status: Int { state.withLock { $0.status } }

    /// A whole answer. For `HEAD` only its length is sent.
    package func send(_ status: Int, _ fields: HTTPFields = [:], body: [UInt8] = []) async throws(TransportError) {
        var fields = fields
        if status >= 200, status != 204, status != 304 { fields["Content-Length"] = String(body.count) }
        // One system call for all of it: only the last part flushes.
        link.channel.write(HTTPServerResponsePart.head(head(status, fields, next: .ended)), promise: nil)
        if method != "HEAD", !body.isEmpty {
            link.channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil)
        }
        try await link.write(.end(nil))
    }

    /// The head of an answer whose body comes in pieces: chunked, or up to the end of an HTTP/1.0 connection.
    package func begin(_ status: Int, _ fields: HTTPFields) async throws(TransportError) {
        var fields = fields
        if version == .http1_1 {
            fields["Transfer-Encoding"] = "chunked"
        } else {
            state.withLock { $0.keepsAlive = false }
        }
        try await writeHead(status, fields, next: .streaming)
    }

    /// A piece of the body.
    package func write(_ bytes: [UInt8]) async throws(TransportError) {
        guard method != "HEAD", !bytes.isEmpty else { return }
        try await link.write(.body(.byteBuffer(ByteBuffer(bytes: bytes))))
    }

    /// The end of the body.
    package func end() async throws(TransportError) {
        state.withLock { $0.phase = .ended }
        try await link.write(.end(nil))
    }

    /// Gives the connection up to raw bytes, after the head of an answer: 101 with the fields of an upgrade, or 200.
    ///
    /// Only for requests for which the server was told so before (`HTTPServer.Configuration.mayHijack`).
    ///
    /// - Parameter hasSeveralWriters: more than one task is to write: what each writes goes one behind the other then, and
    ///   all by the event loop.
    package func hijack(
        _ status: Int, _ fields: HTTPFields, hasSeveralWriters: Bool = false
    ) async throws(TransportError) -> HijackedConnection {
        guard mayHijack else { throw .malformed("this request cannot be hijacked") }
        let link = link
        let wire = try await link.together { () async throws(TransportError) -> SocketWire? in
            // Raw bytes begin after the request's end, which a handler without need of a body has not read up to.
            guard await incoming.drain(limitBytes: ServerSession.drainLimitBytes) else { throw .closed }
            try await writeHead(status, fields, next: .hijacked)
            try await link.becomeRaw()
            return hasSeveralWriters ? nil : try await link.partWithSocket()
        }
        if let wire { return HijackedConnection(wire) }
        return HijackedConnection(
            ChannelWire(
                link.channel, tellsGoneFromDone: true,
                take: { () async throws(TransportError) in
                    guard case .bytes(let bytes) = try await link.take() else { return nil }
                    return bytes
                },
                put: { link.channel.writeAndFlush($0) }))
    }

    /// Has a connection that was given up live on after the handler: `body` runs in a task of its own then, which is
    /// cancelled when the client goes away, and closes the connection.
    ///
    /// A task keeps the memory of its deepest call as long as it lives. What it took to answer the request is given back
    /// this way, and of a thousand clients that are attached and idle each holds a few kilobytes only.
    ///
    /// - Parameter onWaitingThread: it begins where a `SocketWire` is waited for, which saves a change of threads; a task that
    ///   prefers a thread holds a little more as long as it lives.
    package func goOn(onWaitingThread: Bool = false, _ body: @escaping @Sendable () async -> Void) {
        state.withLock { $0.sequel = Sequel(isOnWaitingThread: onWaitingThread, run: body) }
    }

    private func writeHead(_ status: Int, _ fields: HTTPFields, next: Phase) async throws(TransportError) {
        try await link.write(.head(head(status, fields, next: next)))
    }

    private func head(_ status: Int, _ fields: HTTPFields, next: Phase) -> HTTPResponseHead {
        let keepsAlive = state.withLock { state in
            state.phase = next
            state.status = status
            return state.keepsAlive
        }
        var fields = fields
        if !keepsAlive, next != .hijacked { fields["Connection"] = "close" }
        return HTTPResponseHead(
            version: version, status: HTTPResponseStatus(statusCode: status), headers: fields.headers)
    }
}
