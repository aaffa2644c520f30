import AsyncIO
import DockerAPI
import EngineAPI
import Linux
import OCI
import Registry

/// The credentials in docker's config.json of the person who runs the command: the engine may be another's.
package enum StoredCredentials {
    static func file() throws(EngineError) -> CredentialFile {
        .usual(environment: try ProcessEnvironment.current())
    }

    /// Those for an image's registry; nil where there are none.
    package static func find(for image: String) async throws(EngineError) -> ImageCredentials? {
        let reference: Reference
        // What is no name is refused by the engine, in its own words.
        do throws(ReferenceError) { reference = try Reference(image) } catch { return nil }
        return try await find(at: reference.domain)
    }

    /// Those for a registry, as references name it.
    private static func find(at registry: String) async throws(EngineError) -> ImageCredentials? {
        let found = try await blocking { (file) throws(RegistryError) in try file.credentials(for: registry) }
        return found.map {
            ImageCredentials(
                user: $0.user, password: $0.password, identityToken: $0.identityToken, registryToken: $0.registryToken)
        }
    }

    /// Those for a transfer, which begins without them where they cannot be had, as docker's client does: most images are
    /// everybody's. Why is told, for who is denied one of the others.
    static func findForTransfer(of image: String) async -> ImageCredentials? {
        await orWarn { () throws(EngineError) in try await find(for: image) }
    }

    /// The same for what else is asked of a registry.
    static func findForTransfer(at registry: String) async -> ImageCredentials? {
        await orWarn { () throws(EngineError) in try await find(at: registry) }
    }

    private static func orWarn(_ find: () async throws(EngineError) -> ImageCredentials?) async -> ImageCredentials? {
        do throws(EngineError) { return try await find() } catch {
            Console.error("WARNING: \(error.message)\n")
            return nil
        }
    }

    /// Keeps credentials; returns whether they stand readable in the file.
    static func keep(_ credentials: ImageCredentials, for registry: String) async throws(EngineError) -> Bool {
        let kept = RegistryCredentials(
            user: credentials.user, password: credentials.password, identityToken: credentials.identityToken)
        return try await blocking { (file) throws(RegistryError) in try file.store(kept, for: registry) }
    }

    /// False where there were none.
    static func forget(_ registry: String) async throws(EngineError) -> Bool {
        try await blocking { (file) throws(RegistryError) in try file.erase(registry) }
    }

    /// The registry that an argument means, as references name it.
    static func registry(_ argument: String?) -> String { ImageCredentials.registry(serverAddress: argument ?? "") }

    private static func blocking<Value: Sendable>(
        _ body: @escaping @Sendable (CredentialFile) throws(RegistryError) -> Value
    ) async throws(EngineError) -> Value {
        let file = try file()
        do throws(RegistryError) {
            return try await BlockingPool.shared.run { () throws(RegistryError) in try body(file) }
        } catch { throw EngineError(.invalid, error.message) }
    }
}

/// The variables that the program was started with.
enum ProcessEnvironment {
    static func current() throws(EngineError) -> [String: String] {
        let bytes: [UInt8]
        do throws(KernelError) { bytes = try FileContents.read("/proc/self/environ", limitBytes: 16 << 20) } catch {
            throw EngineError(.internal, "\(error)")
        }
        var variables: [String: String] = [:]
        for line in bytes.split(separator: 0) {
            let sides = line.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2 else { continue }
            variables[String(decoding: sides[0], as: UTF8.self)] = String(decoding: sides[1], as: UTF8.self)
        }
        return variables
    }
}
