import AsyncIO
import EngineAPI
import Glibc
import Images
import OCI
import Registry
import Synchronization
import Web

/// The engine's way to registries: the client with the configuration that the files give now.
final class RegistryAccess: Sendable {
    private let files: [String]
    private let transport: SocketTransport
    private let held = Mutex<RegistryClient?>(nil)

    /// - Parameter dataRoot: holds a `registries.json` over the machine's own in `/etc/gantry`.
    init(dataRoot: String) {
        files = ["/etc/gantry/registries.json", "\(dataRoot)/registries.json"]
        var environment: [String: String] = [:]
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"] {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        transport = SocketTransport(proxies: WebProxies(environment: environment))
    }

    /// Reads the files anew: a change counts from the next pull on. While they stay as they are, so does the client, with
    /// its tokens and connections.
    func client() async throws(EngineError) -> RegistryClient {
        let files = files
        let configuration: RegistryConfiguration
        do throws(RegistryError) {
            configuration = try await BlockingPool.shared.run { () throws(RegistryError) in
                try RegistryConfiguration(files: files)
            }
        } catch { throw EngineError(error) }
        return held.withLock { held in
            if let client = held, client.configuration == configuration { return client }
            let client = RegistryClient(transport: transport, configuration: configuration)
            held = client
            return client
        }
    }

    func session(
        _ reference: Reference, for purpose: RegistrySession.Purpose, _ credentials: ImageCredentials?
    ) async throws(EngineError) -> RegistrySession {
        RegistrySession(
            try await client(), reference, purpose: purpose, credentials: credentials.map { RegistryCredentials($0) })
    }
}
