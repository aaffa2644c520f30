import Linux
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// An HTTP/1.1 client of one server.
///
/// Connections are kept for further `GET` and `HEAD` requests, which may be sent again when a kept one turns out to be
/// closed; a request that changes something always goes over a fresh connection, so that it is never sent twice.
package final class HTTPClient: Sendable {
    package let endpoint: HTTPEndpoint
    private let connectLimit: Duration
    private let kept = Mutex<(isOpen: Bool, links: [ClientLink])>((true, []))
    private static let keptLimit = 4

    package init(_ endpoint: HTTPEndpoint, connectLimit: Duration = .seconds(5)) {
        self.endpoint = endpoint
        self.connectLimit = connectLimit
    }

    deinit { close() }

    /// Closes the kept connections; exchanges under way go on.
    package func close() {
        let links = kept.withLock { state in
            defer { state = (false, []) }
            return state.links
        }
        for link in links { link.close() }
    }

    /// Sends a request and returns with the answer's head.
    package func send(_ call: HTTPCall) async throws(TransportError) -> HTTPResponse {
        if Self.isRepeatable(call), let link = kept.withLock({ $0.links.popLast() }) {
            do throws(TransportError) {
                return try await exchange(call, over: link)
            } catch .closed where !Task.isCancelled {
                // The server gave up the connection while it lay here.
            }
        }
        return try await exchange(call, over: try await connect())
    }

    /// Sends a request that asks for the connection itself (`Upgrade: tcp`).
    package func hijack(_ call: HTTPCall) async throws(TransportError) -> HijackAnswer {
        let link = try await connect()
        try await link.expectHijack()
        var call = call
        call.fields["Connection"] = "Upgrade"
        call.fields["Upgrade"] = "tcp"
        let (head, _) = try await sendAndAwaitHead(call, over: link)
        guard head.status == .switchingProtocols || head.status == .ok else {
            return .refused(response(head, link, keeps: false, nil))
        }
        let connection = HijackedConnection(
            link.channel, tellsGoneFromDone: false,
            take: { () async throws(TransportError) in
                guard case .bytes(let bytes) = try await link.take() else { return nil }
                return bytes
            },
            put: { link.channel.writeAndFlush(HTTPClientRequestPart.body(.byteBuffer($0))) })
        return .hijacked(HTTPFields(head.headers), connection)
    }

    private static func isRepeatable(_ call: HTTPCall) -> Bool { call.method == "GET" || call.method == "HEAD" }

    private func exchange(_ call: HTTPCall, over link: ClientLink) async throws(TransportError) -> HTTPResponse {
        let (head, upload) = try await sendAndAwaitHead(call, over: link)
        return response(head, link, keeps: head.isKeepAlive && Self.isRepeatable(call), upload)
    }

    /// Sends a request and waits for the answer's head. A streamed body goes on being sent meanwhile, and afterwards:
    /// a server may answer while it reads.
    private func sendAndAwaitHead(
        _ call: HTTPCall, over link: ClientLink
    ) async throws(TransportError) -> (HTTPResponseHead, Upload?) {
        var upload: Upload?
        do throws(TransportError) {
            if case .stream(let next) = call.body {
                link.channel.write(HTTPClientRequestPart.head(head(of: call)), promise: nil)
                upload = Upload(next, to: link)
            } else {
                try await write(call, to: link)
            }
        } catch {
            // A server that refuses a body may answer and close before it has read all: the answer says why.
        }
        do throws(TransportError) {
            guard case .head(let head) = try await link.take() else { throw .closed }
            return (head, upload)
        } catch {
            link.close()
            throw await upload?.failure ?? error
        }
    }

    private func head(of call: HTTPCall) -> HTTPRequestHead {
        var fields = call.fields
        fields["Host"] = endpoint.hostField
        switch call.body {
        case .none: if !Self.isRepeatable(call) { fields["Content-Length"] = "0" }
        case .bytes(let bytes): fields["Content-Length"] = String(bytes.count)
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
        let isKept = kept.withLock { state in
            guard state.isOpen, state.links.count < Self.keptLimit, link.channel.isActive else { return false }
            state.links.append(link)
            return true
        }
        if !isKept { link.close() }
    }
}

extension HTTPClient {
    private func connect() async throws(TransportError) -> ClientLink {
        let bootstrap = ClientBootstrap(group: EventLoops.group)
            .channelOption(ChannelOptions.autoRead, value: false)
            .channelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
            .connectTimeout(TimeAmount(connectLimit))
            .channelInitializer { channel in Self.initialize(channel) }
        do {
            let channel =
                switch endpoint {
                case .unix(let path): try await bootstrap.withConnectedSocket(try await connectedSocket(path)).get()
                case .tcp(let host, let port): try await bootstrap.connect(host: host, port: port).get()
                }
            return try await channel.eventLoop.submit {
                let connection = try channel.pipeline.syncOperations.handler(type: ClientConnection.self)
                return ClientLink(channel: channel, connection: NIOLoopBound(connection, eventLoop: channel.eventLoop))
            }.get()
        } catch let error as KernelError {
            throw .cannotConnect(endpoint: "\(endpoint)", reason: "\(error)")
        } catch let error as TransportError {
            throw error
        } catch {
            throw .cannotConnect(endpoint: "\(endpoint)", reason: "\(error)")
        }
    }

    /// A connected socket; waits a little where the server's queue is full, as connect(2) does not when it must not
    /// block.
    private func connectedSocket(_ path: String) async throws -> Int32 {
        let deadline = ContinuousClock.now + connectLimit
        while true {
            do throws(KernelError) {
                return try UnixSocketPath(path: path).connect().rawValue
            } catch {
                guard error.errno == .wouldBlock else { throw error }
                guard ContinuousClock.now < deadline else { throw TransportError.timedOut("connect to `\(path)`") }
            }
            try await ContinuousClock().sleep(for: .milliseconds(5))
        }
    }

    private static func initialize(_ channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            var encoding = HTTPRequestEncoder.Configuration()
            encoding.automaticallySetFramingHeaders = false
            let connection = ClientConnection()
            try channel.pipeline.syncOperations.addHandlers(
                HTTPRequestEncoder(configuration: encoding),
                RawGate(httpBytesLeft: { connection.httpBytesLeft }, receiveRaw: { connection.receiveRaw($0) }),
                ByteToMessageHandler(HTTPResponseDecoder()), connection)
        }
    }
}
