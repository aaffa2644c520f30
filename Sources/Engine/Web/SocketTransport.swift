import Linux
import Registry
import Synchronization
import Transport

/// `WebTransport` over sockets: a pool of connections for each origin, TLS where the address says so, and the proxies of
/// the environment.
package final class SocketTransport: WebTransport {
    private struct Key: Hashable {
        let origin: WebOrigin
        let trust: WebTrust
    }

    private let proxies: WebProxies
    private let connectLimit: Duration
    private let silenceLimit: Duration
    private let clients = Mutex<[Key: HTTPClient]>([:])
    private static let clientLimit = 64

    /// - Parameter silenceLimit: how long a server may send nothing while something is awaited of it.
    package init(
        proxies: WebProxies = WebProxies(), connectLimit: Duration = .seconds(10), silenceLimit: Duration = .seconds(60)
    ) {
        self.proxies = proxies
        self.connectLimit = connectLimit
        self.silenceLimit = silenceLimit
    }

    package func send(_ request: WebRequest) async throws(WebFailure) -> WebResponse {
        let proxy = try proxies.proxy(for: request.address.origin)
        var call = HTTPCall(request.method, request.address.target)
        for field in request.fields { call.fields.add(field.name, field.value) }
        call.fields["Host"] = request.address.origin.authority
        // A proxy for plain HTTP is sent the whole address.
        if let proxy, request.address.origin.scheme == .http {
            call.target = request.address.description
            if let authorization = proxy.authorization { call.fields["Proxy-Authorization"] = authorization }
        }
        switch request.body {
        case .none: break
        case .bytes(let bytes): call.body = .bytes(bytes)
        case .stream(let length, let open):
            do { call.body = .sized(lengthBytes: length, try await open()) } catch { throw .body("\(error)") }
        }
        let client = client(for: request, proxy)
        do throws(TransportError) {
            let response = try await client.send(call)
            return WebResponse(status: response.status, fields: response.fields.web) { () throws(WebFailure) in
                do throws(TransportError) { return try await response.body.next() } catch { throw WebFailure(error) }
            }
        } catch { throw WebFailure(error) }
    }

    private func client(for request: WebRequest, _ proxy: HTTPProxy?) -> HTTPClient {
        let origin = request.address.origin
        let key = Key(origin: origin, trust: origin.scheme == .https ? request.trust : WebTrust())
        return clients.withLock { clients in
            if let client = clients[key] { return client }
            // Signed addresses of a storage's many hosts must not pile up.
            if clients.count >= Self.clientLimit { clients.removeAll() }
            let client = make(key, proxy)
            clients[key] = client
            return client
        }
    }

    private func make(_ key: Key, _ proxy: HTTPProxy?) -> HTTPClient {
        let own = HTTPEndpoint.tcp(host: key.origin.host, port: key.origin.port)
        switch key.origin.scheme {
        case .http:
            let endpoint = proxy.map { HTTPEndpoint.tcp(host: $0.host, port: $0.port) } ?? own
            return HTTPClient(endpoint, connectLimit: connectLimit, silenceLimit: silenceLimit)
        case .https:
            return HTTPClient(
                own, tls: TLSSettings(key.trust), proxy: proxy, connectLimit: connectLimit, silenceLimit: silenceLimit)
        }
    }
}

extension TLSSettings {
    fileprivate init(_ trust: WebTrust) {
        self.init()
        authorityFiles = trust.authorityFiles
        certificateFile = trust.certificateFile
        keyFile = trust.keyFile
        skipsVerification = trust.skipsVerification
    }
}

extension HTTPFields {
    fileprivate var web: [WebField] { list.map { WebField($0.name, $0.value) } }
}

extension WebFailure {
    fileprivate init(_ error: TransportError) {
        switch error {
        case _ where Task.isCancelled: self = .cancelled
        case .closed: self = .closed
        case .cannotConnect(_, let reason, .connectionRefused): self = .refused(reason)
        case .cannotConnect(_, let reason, _): self = .cannotConnect(reason)
        case .timedOut: self = .stalled
        case .untrusted(let reason): self = .untrusted(reason)
        case .malformed(let reason) where reason.hasPrefix("the request's body"): self = .body(reason)
        case .tooLarge, .malformed, .cannotListen: self = .malformed("\(error)")
        }
    }
}
