import NIOCore
import NIOHTTP1

/// The life of one connection of the server: request after request, each with its handler, until one side has enough.
struct ServerSession: Sendable {
    let link: ServerLink
    let configuration: HTTPServer.Configuration
    /// The socket's file, whose permissions say who may use it; nil where it has none.
    let socketPath: String?
    let handler: HTTPServer.Handler
    /// What the body of a request without a reader is drained by, so that the answer is not lost with it.
    static let drainLimitBytes = 1 << 20
    /// How long, and how much, a client that is answered before it has sent all may go on sending. Closed at once, the
    /// connection would be reset by what still comes, and the answer be lost with it (RFC 9112, 9.6).
    static let partingTime: Duration = .milliseconds(500)
    static let partingLimitBytes = 16 << 20

    /// What comes after a request.
    private enum Next {
        case request
        case sequel(ResponseWriter.Sequel)
        /// Answered, with more of the request on its way than is waited for.
        case parting
        case end
    }

    func run() async {
        let peer = await PeerCredentials(of: link.channel)
        var next = Next.request
        do throws(TransportError) {
            while case .request = next { next = try await serveRequest(peer) }
        } catch {
            next = .end
            await refuse(error)
        }
        switch next {
        case .sequel(let body): await link.goOn(body)
        case .parting: await part()
        case .request, .end: await close()
        }
    }

    private func close() async {
        // Closed by the peer already: nothing to do.
        try? await link.channel.close().value()
    }

    /// Says no more, and reads and forgets until the client has heard that, or the time is over.
    private func part() async {
        // As above.
        try? await link.channel.close(mode: .output).value()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await link.forget(atMost: Self.partingLimitBytes) }
            // Cancelled: the server stops, or the client is gone.
            group.addTask { try? await Task.sleep(for: Self.partingTime) }
            await group.next()
            group.cancelAll()
            // Ends the reading, too.
            await close()
        }
    }

    private func serveRequest(_ peer: PeerCredentials?) async throws(TransportError) -> Next {
        let isTrusted = peer.map { PeerAccess.admitsAlways($0) } ?? true
        let item = try await link.awaitRequest(within: configuration.idleTime, isTrusted: isTrusted)
        guard case .head(let head) = item else { return .end }
        link.registration.setBusy(true)
        defer { link.registration.setBusy(false) }
        let isAdmitted = admits(peer)
        let isBrief = isAdmitted && configuration.isBrief(head.method.rawValue, head.path)
        let expectsContinue = head.headers.contains(name: "expect")
        // A small body has come with its head: who handles the request, on another thread, need not come back for it.
        var held = link.takeHeldBody()
        if isBrief, !expectsContinue, head.hasSmallBody { await link.takeBody(&held) }
        let incoming = IncomingBody(link, held: held, expectsContinue: expectsContinue)
        let mayHijack = head.headers.contains(name: "upgrade") || configuration.takesOver(head)
        let writer = ResponseWriter(link, incoming, head: head, mayHijack: mayHijack)
        let request = HTTPRequest(
            method: head.method.rawValue, target: head.uri, fields: HTTPFields(head.headers),
            body: HTTPBody { () async throws(TransportError) in try await incoming.next() },
            peer: peer)
        link.registration.setWriter(writer)
        if !isAdmitted {
            await refuse(writer)
        } else if held.isWhole, isBrief {
            await handler(request, writer)
        } else {
            await withTaskExecutorPreference(globalConcurrentExecutor) { await handler(request, writer) }
        }
        return await finish(writer, incoming)
    }

    /// Whoever the kernel does not tell of has been asked for a certificate, or needs none.
    private func admits(_ peer: PeerCredentials?) -> Bool {
        guard let peer, let socketPath else { return true }
        return PeerAccess.admits(peer, socketPath: socketPath)
    }

    /// The words are docker's form of an error, because docker's API is what is served.
    private func refuse(_ writer: ResponseWriter) async {
        let body = Array(#"{"message":"permission denied: the socket's owner and group alone may use it"}"#.utf8)
        // The client may be gone: then nobody is left to tell.
        try? await writer.send(403, ["Content-Type": "application/json"], body: body)
    }

    private func finish(_ writer: ResponseWriter, _ incoming: IncomingBody) async -> Next {
        switch writer.phase {
        case .hijacked: return writer.sequel.map { Next.sequel($0) } ?? .end
        case .streaming, .waiting: return .end
        case .ended: break
        }
        guard await incoming.drain(limitBytes: Self.drainLimitBytes) else { return .parting }
        return writer.keepsAlive && !link.registration.isStopping ? .request : .end
    }

    /// Tells a client whose request cannot be read what is wrong with it.
    private func refuse(_ error: TransportError) async {
        guard case .malformed(let reason) = error else { return }
        let status: HTTPResponseStatus =
            reason.contains("too long") ? .requestHeaderFieldsTooLarge : .badRequest
        let text = ByteBuffer(string: "\(status.code) \(status.reasonPhrase): \(reason)\n")
        let head = HTTPResponseHead(
            version: .http1_1, status: status,
            headers: [
                "Content-Type": "text/plain", "Content-Length": String(text.readableBytes), "Connection": "close",
            ])
        // The client may be gone: then nobody is left to tell.
        try? await link.write(.head(head))
        try? await link.write(.body(.byteBuffer(text)))
        try? await link.write(.end(nil))
    }
}

extension HTTPRequestHead {
    /// The target up to the query.
    var path: String { uri.firstIndex(of: "?").map { String(uri[..<$0]) } ?? uri }

    /// So little that it is waited for before anything is done: clients write it behind the head, in a piece of its own.
    fileprivate var hasSmallBody: Bool {
        headers.first(name: "content-length").flatMap { Int($0) }.map { $0 <= 64 << 10 } ?? false
    }
}

extension [ServerConnection.Item] {
    /// The end of what they are a part of is among them.
    var isWhole: Bool {
        if case .end? = last { true } else { false }
    }
}

/// The body of the request in hand. One task at a time reads it.
actor IncomingBody {
    private let link: ServerLink
    /// What has come of it, and is yet to be given.
    private var held: ArraySlice<ServerConnection.Item>
    private var expectsContinue: Bool
    private var isAtEnd = false

    init(_ link: ServerLink, held: [ServerConnection.Item], expectsContinue: Bool) {
        self.link = link
        self.held = held[...]
        // Who sends it unasked does not wait.
        self.expectsContinue = expectsContinue && held.isEmpty
    }

    func next() async throws(TransportError) -> [UInt8]? {
        if isAtEnd { return nil }
        if expectsContinue {
            expectsContinue = false
            try await link.write(.head(HTTPResponseHead(version: .http1_1, status: .continue)))
        }
        guard case .bytes(let bytes) = try await take() else {
            isAtEnd = true
            return nil
        }
        return bytes
    }

    private func take() async throws(TransportError) -> ServerConnection.Item? {
        if let item = held.popFirst() { return item }
        return try await link.take()
    }

    /// Reads and forgets what is left; false where that is too much, or the client is gone.
    func drain(limitBytes: Int) async -> Bool {
        if expectsContinue { return false }
        var left = limitBytes
        while left > 0 {
            do throws(TransportError) {
                guard let bytes = try await next() else { return true }
                left -= bytes.count
            } catch {
                return false
            }
        }
        return false
    }
}
