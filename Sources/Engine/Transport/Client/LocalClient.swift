import Linux
import Synchronization

/// The exchanges of an `HTTPClient` with a server on a Unix socket whose requests are small: the same rules of what may
/// be sent over a connection that was used before, and no event loop.
final class LocalClient: Sendable {
    private let endpoint: HTTPEndpoint
    private let dialer: ClientDialer
    private let path: String
    private let kept = Mutex(Kept())
    private static let keptLimit = 4

    private struct Kept {
        var isOpen = true
        var links: [(link: LocalConnection, since: ContinuousClock.Instant)] = []
    }

    init(path: String, dialer: ClientDialer) {
        self.path = path
        self.dialer = dialer
        endpoint = dialer.endpoint
    }

    func close() {
        let links = kept.withLock { state in
            defer { state = Kept(isOpen: false) }
            return state.links
        }
        for (link, _) in links { link.close() }
    }

    func send(_ call: HTTPCall) async throws(TransportError) -> HTTPResponse {
        if let link = takeKept(for: call) {
            do throws(TransportError) {
                return try await exchange(call, over: link)
            } catch .closed where !Task.isCancelled && call.isRepeatable {
                // The server gave up the connection while it lay here.
            }
        }
        return try await exchange(call, over: try await connect())
    }

    /// Sends a request that asks for the connection itself: over one of its own.
    func hijack(_ call: HTTPCall) async throws(TransportError) -> HijackAnswer {
        let link = try await connect()
        let limit = call.silenceLimit ?? dialer.silenceLimit
        let head = try await link.exchange(call, host: endpoint.hostField, silenceLimit: limit)
        guard head.status == 101 || head.status == 200 else {
            return .refused(response(head, link, keeps: false, silenceLimit: limit))
        }
        return .hijacked(head.fields, HijackedConnection(link.takeOver()))
    }

    /// Whether a connection lies here that has just carried an answer, and whose server has not hung up since.
    var isFresh: Bool {
        guard let (link, since) = kept.withLock({ $0.links.last }) else { return false }
        return ContinuousClock.now - since < HTTPClient.freshness && link.isReusable
    }

    private func connect() async throws(TransportError) -> LocalConnection {
        do {
            return try LocalConnection(Descriptor(rawValue: try await dialer.connectedSocket(path)))
        } catch let error as KernelError {
            throw .cannotConnect(endpoint: "\(endpoint)", reason: "\(error)", errno: error.errno)
        } catch let error as TransportError {
            throw error
        } catch {
            throw .closed
        }
    }

    private func takeKept(for call: HTTPCall) -> LocalConnection? {
        while true {
            let link = kept.withLock { state -> LocalConnection? in
                guard let (_, since) = state.links.last else { return nil }
                guard call.isRepeatable || ContinuousClock.now - since < HTTPClient.freshness else { return nil }
                return state.links.popLast()?.link
            }
            guard let link else { return nil }
            if link.isReusable { return link }
            link.close()
        }
    }

    private func exchange(_ call: HTTPCall, over link: LocalConnection) async throws(TransportError) -> HTTPResponse {
        let limit = call.silenceLimit ?? dialer.silenceLimit
        let head = try await link.exchange(call, host: endpoint.hostField, silenceLimit: limit)
        return response(head, link, keeps: head.keepsAlive, silenceLimit: limit)
    }

    private func response(
        _ head: ResponseReader.Head, _ link: LocalConnection, keeps: Bool, silenceLimit: Duration?
    ) -> HTTPResponse {
        let exchange = LocalExchange(link, silenceLimit: silenceLimit) { [weak self] in
            if keeps { self?.keep(link) } else { link.close() }
        }
        let body = HTTPBody { () async throws(TransportError) in
            try await exchange.next()
        } whenDropped: {
            exchange.abandon()
        }
        return HTTPResponse(status: head.status, fields: head.fields, body: body)
    }

    private func keep(_ link: LocalConnection) {
        let isKept = kept.withLock { state in
            guard state.isOpen, state.links.count < Self.keptLimit else { return false }
            state.links.append((link, .now))
            return true
        }
        if !isKept { link.close() }
    }
}

/// The rest of an exchange, after the answer's head: its connection goes back to the client once, or is closed.
private final class LocalExchange: Sendable {
    private let link: LocalConnection
    private let silenceLimit: Duration?
    private let whenDone: @Sendable () -> Void
    private let isDone = Atomic<Bool>(false)

    init(_ link: LocalConnection, silenceLimit: Duration?, whenDone: @escaping @Sendable () -> Void) {
        self.link = link
        self.silenceLimit = silenceLimit
        self.whenDone = whenDone
    }

    /// The next bytes of the answer's body.
    func next() async throws(TransportError) -> [UInt8]? {
        if isDone.load(ordering: .acquiring) { return nil }
        switch try await link.next(silenceLimit: silenceLimit) {
        case .bytes(let bytes): return bytes
        case .end:
            if !isDone.exchange(true, ordering: .acquiringAndReleasing) { whenDone() }
            return nil
        case .head: throw .malformed("two answers to one request")
        }
    }

    func abandon() {
        if !isDone.exchange(true, ordering: .acquiringAndReleasing) { link.close() }
    }
}
