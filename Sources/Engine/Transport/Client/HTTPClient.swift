import NIOCore
import NIOHTTP1
import Synchronization

/// An HTTP/1.1 client of one server.
///
/// Connections are kept for further `GET` and `HEAD` requests, which may be sent again when a kept one turns out to be
/// closed. A request that changes something is never sent twice: it goes over a new connection, or over one that has
/// carried an answer a moment ago, which is as likely to hold.
package final class HTTPClient: Sendable {
    package let endpoint: HTTPEndpoint
    private let dialer: ClientDialer
    /// For small requests to a Unix socket.
    private let local: LocalClient?
    private let kept = Mutex<(isOpen: Bool, links: [(link: ClientLink, since: NIODeadline)])>((true, []))
    private static let keptLimit = 4
    /// How long after an answer a connection is as good as a new one.
    static let freshness = Duration.milliseconds(100)
    /// How long a connection over the network is kept unused. One to a local socket costs nobody anything.
    private static let idleLimit = TimeAmount.seconds(30)

    /// - Parameters:
    ///   - tls: speak TLS, and whom to believe; nil for plain HTTP.
    ///   - proxy: a proxy that is asked for a connection to the endpoint.
    ///   - connectLimit: how long a connection may take until requests can be sent.
    ///   - silenceLimit: how long the server may send nothing while something is awaited of it; nil for ever.
    package init(
        _ endpoint: HTTPEndpoint, tls: TLSSettings? = nil, proxy: HTTPProxy? = nil,
        connectLimit: Duration = .seconds(5), silenceLimit: Duration? = nil
    ) {
        self.endpoint = endpoint
        dialer = ClientDialer(
            endpoint: endpoint, tls: tls, proxy: proxy, limit: connectLimit, silenceLimit: silenceLimit)
        local = if case .unix(let path) = endpoint { LocalClient(path: path, dialer: dialer) } else { nil }
    }

    deinit { close() }

    /// Closes the kept connections; exchanges under way go on.
    package func close() {
        local?.close()
        let links = kept.withLock { state in
            defer { state = (false, []) }
            return state.links
        }
        for (link, _) in links { link.close() }
    }

    /// Whether a connection has just carried an answer and the server, on a Unix socket, has not hung up since: then it
    /// lives. A request that is sent now goes over it.
    package var isFresh: Bool { local?.isFresh ?? false }

    /// Sends a request and returns with the answer's head.
    package func send(_ call: HTTPCall) async throws(TransportError) -> HTTPResponse {
        if let local, call.isSmall { return try await local.send(call) }
        if let link = takeKept(for: call) {
            do throws(TransportError) {
                return try await exchange(call, over: link)
            } catch .closed where !Task.isCancelled && call.isRepeatable {
                // The server gave up the connection while it lay here.
            }
        }
        return try await exchange(call, over: try await dialer.connect())
    }

    /// Sends a request that asks for the connection itself (`Upgrade: tcp`). Once it is given up the server may say nothing
    /// for as long as it likes.
    package func hijack(_ call: HTTPCall) async throws(TransportError) -> HijackAnswer {
        var call = call
        call.fields["Connection"] = "Upgrade"
        call.fields["Upgrade"] = "tcp"
        if let local, call.isSmall { return try await local.hijack(call) }
        var link = try await dialer.connect()
        link.silenceLimit = (call.silenceLimit ?? dialer.silenceLimit).map { TimeAmount($0) }
        try await link.expectHijack()
        let (head, _) = try await sendAndAwaitHead(call, over: link)
        guard head.status == .switchingProtocols || head.status == .ok else {
            return .refused(response(head, link, keeps: false, nil))
        }
        link.silenceLimit = nil
        let raw = link
        let wire = ChannelWire(
            raw.channel, tellsGoneFromDone: false,
            take: { () async throws(TransportError) in
                guard case .bytes(let bytes) = try await raw.take() else { return nil }
                return bytes
            },
            put: { raw.channel.writeAndFlush(HTTPClientRequestPart.body(.byteBuffer($0))) })
        return .hijacked(HTTPFields(head.headers), HijackedConnection(wire))
    }

    private func takeKept(for call: HTTPCall) -> ClientLink? {
        kept.withLock { state in
            guard let (_, since) = state.links.last else { return nil }
            let isFresh = NIODeadline.now() - since < TimeAmount(Self.freshness)
            guard call.isRepeatable || call.isSmall && isFresh else { return nil }
            return state.links.popLast()?.link
        }
    }

    private func exchange(_ call: HTTPCall, over link: ClientLink) async throws(TransportError) -> HTTPResponse {
        var link = link
        link.silenceLimit = (call.silenceLimit ?? dialer.silenceLimit).map { TimeAmount($0) }
        let (head, upload) = try await sendAndAwaitHead(call, over: link)
        return response(head, link, keeps: head.isKeepAlive && call.isSmall, upload)
    }

    /// Sends a request and waits for the answer's head. A streamed body goes on being sent meanwhile, and afterwards:
    /// a server may answer while it reads.
    private func sendAndAwaitHead(
        _ call: HTTPCall, over link: ClientLink
    ) async throws(TransportError) -> (HTTPResponseHead, Upload?) {
        var upload: Upload?
        do throws(TransportError) {
            switch call.body {
            case .stream(let next): upload = beginUpload(call, next, lengthBytes: nil, over: link)
            case .sized(let length, let next): upload = beginUpload(call, next, lengthBytes: length, over: link)
            case .none, .bytes: try await write(call, to: link)
            }
        } catch {
            // A server that refuses a body may answer and close before it has read all: the answer says why.
        }
        do throws(TransportError) {
            guard case .head(let head) = try await link.take() else { throw .closed }
            return (head, upload)
        } catch {
            link.close()
            if let complaint = link.command?.complaint, !complaint.isEmpty {
                throw .cannotConnect(endpoint: "\(endpoint)", reason: complaint)
            }
            throw await upload?.failure ?? error
        }
    }

    private func beginUpload(
        _ call: HTTPCall, _ next: @escaping @Sendable () async throws -> [UInt8]?, lengthBytes: Int64?,
        over link: ClientLink
    ) -> Upload {
        link.channel.write(HTTPClientRequestPart.head(head(of: call)), promise: nil)
        return Upload(next, lengthBytes: lengthBytes, to: link)
    }

    private func head(of call: HTTPCall) -> HTTPRequestHead {
        var fields = call.fields
        if fields["Host"] == nil { fields["Host"] = endpoint.hostField }
        switch call.body {
        case .none: if !call.isRepeatable { fields["Content-Length"] = "0" }
        case .bytes(let bytes): fields["Content-Length"] = String(bytes.count)
        case .sized(let length, _): fields["Content-Length"] = String(length)
        case .stream: fields["Transfer-Encoding"] = "chunked"
        }
        return HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: call.method), uri: call.target, headers: fields.headers)
    }

    private func write(_ call: HTTPCall, to link: ClientLink) async throws(TransportError) {
        // One system call for a small request: only its end flushes.
        link.channel.write(HTTPClientRequestPart.head(head(of: call)), promise: nil)
        if case .bytes(let bytes) = call.body {
            link.channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: bytes))), promise: nil)
        }
        try await link.write(.end(nil))
    }

    private func response(_ head: HTTPResponseHead, _ link: ClientLink, keeps: Bool, _ upload: Upload?) -> HTTPResponse
    {
        let exchange = ClientExchange(link, upload) { [weak self] in
            if keeps { self?.keep(link) } else { link.close() }
        }
        let body = HTTPBody { () async throws(TransportError) in
            try await exchange.next()
        } whenDropped: {
            exchange.abandon()
        }
        return HTTPResponse(status: Int(head.status.code), fields: HTTPFields(head.headers), body: body)
    }

    private func keep(_ link: ClientLink) {
        let since = NIODeadline.now()
        let isKept = kept.withLock { state in
            guard state.isOpen, state.links.count < Self.keptLimit, link.channel.isActive else { return false }
            state.links.append((link, since))
            return true
        }
        guard isKept else { return link.close() }
        guard case .tcp = endpoint else { return }
        link.channel.eventLoop.scheduleTask(in: Self.idleLimit) { [weak self] in
            self?.drop(link, keptSince: since)
        }
    }

    /// Closes a connection that has lain here ever since; one that was taken meanwhile and came back has its own time.
    private func drop(_ link: ClientLink, keptSince since: NIODeadline) {
        let isHere = kept.withLock { state in
            let place = state.links.firstIndex { $0.link.channel === link.channel && $0.since == since }
            guard let index = place else { return false }
            state.links.remove(at: index)
            return true
        }
        if isHere { link.close() }
    }
}

extension HTTPCall {
    /// Changes nothing, so that it may be sent a second time.
    var isRepeatable: Bool { method == "GET" || method == "HEAD" }

    /// Sent before its answer is looked at: nothing of it can still be on its way when that is there.
    var isSmall: Bool {
        switch body {
        case .none, .bytes: true
        case .stream, .sized: false
        }
    }
}
