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
    /// Whoever uses this engine goes on with attachments and execs at another server of the same data, should this one go;
    /// it is told so.
    let resumesSessions: Bool

    /// - Parameter host: `unix:///path`, `tcp://host:port` or `ssh://host`, as docker's `-H` and `DOCKER_HOST` have it.
    package convenience init(host: String) throws(EngineError) { self.init(address: try EngineAddress(host)) }

    package init(address: EngineAddress) {
        resumesSessions = false
        let tls = address.certificates.map { files in
            var settings = TLSSettings()
            settings.authorityFiles = files.authorityFile.map { [$0] } ?? []
            settings.believesFilesAlone = files.authorityFile != nil
            settings.certificateFile = files.certificateFile
            settings.keyFile = files.keyFile
            settings.skipsVerification = files.skipsVerification
            return settings
        }
        switch address.endpoint {
        case .unix(let path): client = EngineClient(.unix(path: path))
        case .tcp(let host, let port): client = EngineClient(.tcp(host: host, port: port), tls: tls)
        case .ssh(let target): client = EngineClient(.command(target.command, name: address.host))
        }
    }

    /// The engine that serves a Unix socket.
    package init(socketPath: String, resumesSessions: Bool = false) {
        client = EngineClient(.unix(path: socketPath))
        self.resumesSessions = resumesSessions
    }

    package func version() async throws(EngineError) -> EngineVersion {
        EngineVersion(dockerBody: try await client.json("GET", "/version"))
    }

    /// Whether the engine answers a ping within `limit`. One whose process is stopped takes connections and says nothing.
    package func answers(within limit: Duration) async -> Bool {
        do throws(EngineError) { try await client.ask(within: limit) } catch { return false }
        return true
    }

    /// Whether it has just answered over a connection that still stands, so that there is no need to ask it whether it
    /// does.
    package var hasJustAnswered: Bool { client.http.isFresh }

    /// Whether the server has said that where it went one comes again at once: a daemon. Known from the first ping on.
    package var returns: Bool { client.returns }

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
    package func compactMapped<Result: Sendable>(
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
