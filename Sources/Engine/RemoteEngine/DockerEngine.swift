import DockerAPI
import EngineAPI
import JSON
import Linux
import Transport

/// Any engine behind the Docker Engine API: another Gantry, dockerd, podman.
///
/// Nothing is sent before the first call; the version of the API is agreed on by a ping then. Where the server is
/// Gantry, routes of its own serve what the Docker API cannot tell.
package final class DockerEngine: Engine {
    let client: EngineClient

    /// - Parameter host: `unix:///path` or `tcp://host:port`, as docker's `-H` and `DOCKER_HOST` have it.
    package init(host: String) throws(EngineError) {
        client = EngineClient(try Self.endpoint(host))
    }

    /// The engine that serves a Unix socket.
    package init(socketPath: String) { client = EngineClient(.unix(path: socketPath)) }

    private static func endpoint(_ host: String) throws(EngineError) -> HTTPEndpoint {
        let parts = host.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, parts[1].hasPrefix("//") else {
            throw EngineError(.invalid, "unable to parse docker host `\(host)`", object: host)
        }
        let rest = String(parts[1].dropFirst(2))
        switch parts[0] {
        case "unix" where !rest.isEmpty: return .unix(path: rest)
        case "tcp", "http":
            guard let colon = rest.lastIndex(of: ":"), let port = Int(rest[rest.index(after: colon)...]) else {
                return .tcp(host: rest, port: 2375)
            }
            return .tcp(host: String(rest[..<colon]), port: port)
        case "ssh", "https", "npipe":
            throw EngineError(.unsupported, "connecting by \(parts[0]) is not supported yet: `\(host)`", object: host)
        default: throw EngineError(.invalid, "unable to parse docker host `\(host)`", object: host)
        }
    }

    package func version() async throws(EngineError) -> EngineVersion {
        EngineVersion(dockerBody: try await client.json("GET", "/version"))
    }

    package func info() async throws(EngineError) -> EngineInfo {
        EngineInfo(dockerBody: try await client.json("GET", "/info"))
    }

    package func events(_ request: EventRequest) async throws(EngineError) -> EngineStream<EngineEvent> {
        let lines = client.lines(of: try await client.send("GET", "/events", request.dockerQuery))
        return lines.compactMapped { EngineEvent(dockerBody: $0) }
    }
}

extension EngineStream {
    /// The elements for which there is a result.
    func compactMapped<Result: Sendable>(
        _ transform: @escaping @Sendable (Element) throws -> Result?
    ) -> EngineStream<Result> {
        let source = self
        return EngineStream<Result> {
            var iterator = source.makeAsyncIterator()
            while let element = try await iterator.next() {
                if let result = try transform(element) { return result }
            }
            return nil
        }
    }
}
