import DockerAPI
import EngineAPI
import JSON
import Linux
import Synchronization
import Transport

/// Requests to one server of the Docker Engine API, in the version that both speak.
final class EngineClient: Sendable {
    /// What a ping tells of the server.
    struct Server: Hashable, Sendable {
        let version: APIVersion
        /// It has Gantry's own routes.
        let isGantry: Bool
        /// Podman's service, which is known by the name of its library.
        var isPodman = false
    }

    let http: HTTPClient
    private let known = Mutex<Server?>(nil)
    private static let answerLimitBytes = 64 << 20
    private let handshakeLimit: Duration

    /// - Parameter handshakeLimit: how long a server may take to give a connection up; ours starts an exec meanwhile.
    init(_ endpoint: HTTPEndpoint, tls: TLSSettings? = nil, handshakeLimit: Duration = .seconds(120)) {
        http = HTTPClient(endpoint, tls: tls)
        self.handshakeLimit = handshakeLimit
    }

    /// Whether the last ping's answer said that where the server went one comes again at once.
    var returns: Bool { hasReturning.load(ordering: .relaxed) }
    private let hasReturning = Atomic<Bool>(false)

    /// The server, asked once.
    func server() async throws(EngineError) -> Server {
        if let server = known.withLock({ $0 }) { return server }
        return try await ask()
    }

    /// The server, asked now.
    ///
    /// - Parameter limit: how long it may say nothing.
    @discardableResult
    func ask(within limit: Duration? = nil) async throws(EngineError) -> Server {
        var wanted = HTTPCall("GET", "/_ping", fields: Self.fields)
        wanted.silenceLimit = limit
        let ping = wanted
        let response = try await perform("ping") { client throws(TransportError) in try await client.send(ping) }
        let announced = response.fields["Api-Version"].flatMap { APIVersion($0) }
        let name = response.fields["Server"] ?? ""
        try await check(response, object: nil)
        _ = try await bytes(of: response)
        let server = Server(
            version: .negotiated(with: announced), isGantry: name.hasPrefix("Gantry/"),
            isPodman: name.hasPrefix("Libpod/"))
        known.withLock { $0 = server }
        hasReturning.store(response.fields[EngineVersion.returnsField] == "true", ordering: .relaxed)
        return server
    }

    /// Sends a request and throws for an answer that is not a success.
    ///
    /// - Parameter object: what the request is about, for errors.
    func send(
        _ method: String, _ path: String, _ query: QueryString = QueryString(), fields: HTTPFields = [:],
        body: HTTPCall.Body = .none, object: String? = nil
    ) async throws(EngineError) -> HTTPResponse {
        var call = try await call(method, path, query, body)
        for field in fields.list { call.fields[field.name] = field.value }
        let ready = call
        let response = try await perform(path) { client throws(TransportError) in try await client.send(ready) }
        try await check(response, object: object)
        return response
    }

    /// As `send`, with the answer read whole.
    func json(
        _ method: String, _ path: String, _ query: QueryString = QueryString(), fields: HTTPFields = [:],
        body: JSONValue? = nil, object: String? = nil
    ) async throws(EngineError) -> JSONValue {
        let content: HTTPCall.Body = body.map { .bytes($0.compactBytes) } ?? .none
        let response = try await send(method, path, query, fields: fields, body: content, object: object)
        return try Self.parse(try await bytes(of: response))
    }

    /// As `send`, for an answer whose body says nothing.
    func perform(
        _ method: String, _ path: String, _ query: QueryString = QueryString(), body: JSONValue? = nil,
        object: String?
    ) async throws(EngineError) {
        let content: HTTPCall.Body = body.map { .bytes($0.compactBytes) } ?? .none
        _ = try await bytes(of: try await send(method, path, query, body: content, object: object))
    }

    /// Sends a request that takes its connection over.
    func hijack(
        _ path: String, _ query: QueryString = QueryString(), body: HTTPCall.Body = .none, object: String
    ) async throws(EngineError) -> (fields: HTTPFields, connection: HijackedConnection) {
        var wanted = try await call("POST", path, query, body)
        wanted.silenceLimit = handshakeLimit
        let call = wanted
        let answer = try await perform(path) { client throws(TransportError) in try await client.hijack(call) }
        switch answer {
        case .hijacked(let fields, let connection): return (fields, connection)
        case .refused(let response):
            try await check(response, object: object)
            throw EngineError(.internal, "the engine did not give up the connection of \(path)", object: object)
        }
    }

    private static let fields: HTTPFields = ["User-Agent": "Gantry/0.1.0"]

    private func call(
        _ method: String, _ path: String, _ query: QueryString, _ body: HTTPCall.Body
    ) async throws(EngineError) -> HTTPCall {
        let version = try await server().version
        var call = HTTPCall(method, "/v\(version)\(path)\(query.encoded)", fields: Self.fields, body: body)
        if case .bytes = body { call.fields["Content-Type"] = "application/json" }
        return call
    }

    private func check(_ response: HTTPResponse, object: String?) async throws(EngineError) {
        if (200..<300).contains(response.status) { return }
        let body = try await bytes(of: response)
        throw EngineError(
            status: response.status, kindField: response.fields[EngineError.kindField], body: body, object: object)
    }

    func bytes(of response: HTTPResponse) async throws(EngineError) -> [UInt8] {
        try await perform("read the answer") { _ throws(TransportError) in
            try await response.body.collect(limitBytes: Self.answerLimitBytes)
        }
    }

    static func parse(_ bytes: [UInt8]) throws(EngineError) -> JSONValue {
        if bytes.isEmpty { return .null }
        do throws(JSONError) {
            return try JSONValue(parsing: bytes)
        } catch {
            throw EngineError(.internal, "the engine's answer cannot be read: \(error)")
        }
    }
}

extension EngineClient {
    /// Runs an exchange and puts a failure of the connection into words.
    func perform<Value>(
        _ what: String, _ body: (HTTPClient) async throws(TransportError) -> Value
    ) async throws(EngineError) -> Value {
        do throws(TransportError) {
            return try await body(http)
        } catch {
            throw engineError(error, what)
        }
    }

    func engineError(_ error: TransportError, _ what: String) -> EngineError {
        if Task.isCancelled { return EngineError(.cancelled, "\(what): cancelled") }
        let endpoint = http.endpoint.description
        switch error {
        case .cannotConnect(_, _, .accessDenied):
            return EngineError(
                .denied, "permission denied while trying to connect to the container engine's socket at \(endpoint)")
        case .cannotConnect(_, let reason, _) where endpoint.hasPrefix("ssh:"):
            known.withLock { $0 = nil }
            return EngineError(
                .unavailable, "Cannot connect to the container engine at \(endpoint): \(reason)", object: endpoint)
        case .untrusted(let reason):
            return EngineError(
                .unavailable, "Cannot connect to the container engine at \(endpoint): \(reason)", object: endpoint)
        case .cannotConnect, .timedOut:
            known.withLock { $0 = nil }
            return EngineError(
                .unavailable, "Cannot connect to the container engine at \(endpoint). Is the daemon running?",
                object: endpoint)
        case .closed:
            known.withLock { $0 = nil }
            return EngineError(
                .unavailable, "the container engine at \(endpoint) closed the connection", object: endpoint)
        default: return EngineError(.internal, "\(what) at \(endpoint): \(error)", object: endpoint)
        }
    }

    /// The lines of an answer as JSON values, pulled as they are needed.
    func lines(of response: HTTPResponse) -> EngineStream<JSONValue> {
        let reader = LineReader(response.body, self)
        return EngineStream { try await reader.next() }
    }
}

/// Pulls the lines of a body. One consumer at a time, as of every `EngineStream`.
private actor LineReader {
    private let body: HTTPBody
    private let client: EngineClient
    private var splitter = LineSplitter()
    private var ready: [[UInt8]] = []

    init(_ body: HTTPBody, _ client: EngineClient) {
        self.body = body
        self.client = client
    }

    func next() async throws(EngineError) -> JSONValue? {
        while ready.isEmpty {
            let body = body
            let bytes = try await client.perform("read the stream") { _ throws(TransportError) in try await body.next()
            }
            guard let bytes else {
                let rest = splitter.finish()
                return rest.isEmpty ? nil : try EngineClient.parse(rest)
            }
            ready = splitter.feed(bytes)
        }
        return try EngineClient.parse(ready.removeFirst())
    }
}
