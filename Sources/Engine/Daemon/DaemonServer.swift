import DockerAPI
import EngineAPI
import Transport

/// Serves an engine by the Docker Engine API on a Unix socket.
///
/// ```
/// let server = try await DaemonServer.start(engine: engine, socketPath: "/run/gantry/gantry.sock")
/// …
/// await server.stop()
/// ```
package final class DaemonServer: Sendable {
    private let server: HTTPServer

    private init(_ server: HTTPServer) { self.server = server }

    /// Listens and serves; returns once clients can connect.
    ///
    /// The socket's file has mode 0660 and the group `gantry` where the machine has one. A file left behind by a dead
    /// server is replaced.
    ///
    /// - Parameter report: is told of defects: errors that no client can be blamed for.
    /// - Throws: `unavailable` where the socket cannot be made, also because another server answers there.
    package static func start(
        engine: any Engine, socketPath: String, report: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws(EngineError) -> DaemonServer {
        let version = try await engine.version()
        let dispatcher = Dispatcher(engine: engine, version: version, report: report)
        var configuration = HTTPServer.Configuration()
        configuration.mayHijack = { method, path in Dispatcher.mayHijack(method, path) }
        do throws(TransportError) {
            let server = try await HTTPServer.start(socketPath: socketPath, configuration) { request, writer in
                await dispatcher.serve(request, writer)
            }
            return DaemonServer(server)
        } catch {
            throw EngineError(.unavailable, "\(error)", object: socketPath)
        }
    }

    /// Serves on until no client is connected any more, at most for so long.
    package func drain(atMost limit: Duration) async { await server.drain(atMost: limit) }

    /// Takes no more clients and removes the socket's file; streams are cut, other requests get `grace` to be answered.
    package func stop(grace: Duration = .seconds(5)) async { await server.stop(grace: grace) }
}

/// Finds the route of a request and turns what it throws into an answer.
struct Dispatcher: Sendable {
    private let engine: any Engine
    private let commonFields: HTTPFields
    private let report: @Sendable (String) -> Void

    init(engine: any Engine, version: EngineVersion, report: @escaping @Sendable (String) -> Void) {
        self.engine = engine
        self.report = report
        commonFields = [
            "Api-Version": APIVersion.current.description, "Docker-Experimental": "false", "Ostype": "linux",
            "Server": "Gantry/\(version.version) (linux)",
        ]
    }

    /// Whether a request may give its connection up, by its route alone.
    static func mayHijack(_ method: String, _ path: String) -> Bool {
        let segments = VersionedPath(path).path.split(separator: "/")
        guard method == "POST", segments.count == 3 else { return false }
        return segments[0] == "containers" && segments[2] == "attach" || segments[0] == "exec" && segments[2] == "start"
    }

    func serve(_ request: HTTPRequest, _ writer: ResponseWriter) async {
        let versioned = VersionedPath(request.path)
        let match = RouteTable.docker.find(request.method, versioned.path)
        let exchange = Exchange(
            engine: engine, request: request, writer: writer, version: versioned.version ?? .current,
            parameters: match?.parameters ?? [:], query: QueryString(parsing: request.query),
            commonFields: commonFields)
        do {
            try versioned.version?.check()
            guard let match else { throw EngineError(.notFound, "page not found") }
            try await match.route.handler(exchange)
        } catch {
            await answer(error, exchange)
        }
    }

    private func answer(_ error: any Error, _ exchange: Exchange) async {
        let failure: EngineError
        switch error {
        case let error as EngineError: failure = error
        // The client is gone, or gives up: nobody waits for an answer.
        case is TransportError, is CancellationError: return
        default: failure = EngineError(.internal, "\(error)")
        }
        if failure.kind == .internal { report("\(exchange.request.method) \(exchange.request.path): \(failure)") }
        // Where the answer has begun, its missing end tells the client that it was cut.
        guard exchange.writer.isUnanswered else { return }
        // As above: an answer that cannot be sent has nobody to read it.
        try? await exchange.send(failure)
    }
}
