import Glibc
import JSON
import Linux
import OCI

/// docker's config.json: credentials of registries, in the file itself or with helper programs. Blocking.
///
/// What other programs keep in the file stays.
package struct CredentialFile: Sendable {
    package let path: String
    /// Finds and runs helpers; a test gives a directory of its own.
    var environment: [String: String]

    /// Docker's key for its own registry, older than registries with names.
    static let dockerHubKey = "https://index.docker.io/v1/"
    private static let limitBytes = 4 << 20

    package init(path: String, environment: [String: String]) {
        self.path = path
        self.environment = environment
    }

    /// `$DOCKER_CONFIG/config.json`, or `~/.docker/config.json`.
    package static func usual(environment: [String: String]) -> CredentialFile {
        let directory = environment["DOCKER_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        let home = environment["HOME"] ?? "/root"
        return CredentialFile(path: (directory ?? "\(home)/.docker") + "/config.json", environment: environment)
    }

    /// The credentials for a registry, as references name it (`docker.io`, `localhost:5000`); nil where there are none.
    package func credentials(for registry: String) throws(RegistryError) -> RegistryCredentials? {
        let file = try read()
        if let helper = Self.helper(for: registry, in: file) {
            return try helper.get(Self.key(registry), environment)
        }
        guard let auths = file["auths"]?.object else { return nil }
        let wanted = Self.hostName(Self.key(registry))
        let exact = auths[Self.key(registry)]
        let entry = exact ?? auths.members.first { Self.hostName($0.name) == wanted }?.value
        return entry.flatMap { RegistryCredentials($0) }
    }

    /// Keeps credentials; returns whether they stand readable in the file, of which a person should be told.
    package func store(_ credentials: RegistryCredentials, for registry: String) throws(RegistryError) -> Bool {
        var file = try read()
        let key = Self.key(registry)
        var auths = file["auths"]?.object ?? JSONObject()
        let helper = Self.helper(for: registry, in: file)
        if let helper {
            try helper.store(credentials, key, environment)
            auths[key] = [:]
        } else {
            auths[key] = credentials.entry
        }
        file["auths"] = .object(auths)
        try write(file)
        return helper == nil
    }

    /// Forgets credentials; false where there were none.
    package func erase(_ registry: String) throws(RegistryError) -> Bool {
        var file = try read()
        let key = Self.key(registry)
        let helper = Self.helper(for: registry, in: file)
        if let helper { try helper.erase(key, environment) }
        guard var auths = file["auths"]?.object else { return helper != nil }
        let names = auths.members.map(\.name).filter { Self.hostName($0) == Self.hostName(key) }
        for name in names { auths[name] = nil }
        file["auths"] = .object(auths)
        if !names.isEmpty { try write(file) }
        return helper != nil || !names.isEmpty
    }

    static func key(_ registry: String) -> String { registry == Reference.defaultDomain ? dockerHubKey : registry }

    /// `https://index.docker.io/v1/` and `index.docker.io` mean one registry.
    static func hostName(_ key: String) -> String {
        var name = key[...]
        for scheme in ["https://", "http://"] where name.hasPrefix(scheme) { name = name.dropFirst(scheme.count) }
        return String(name.prefix { $0 != "/" })
    }

    private static func helper(for registry: String, in file: JSONObject) -> CredentialProgram? {
        let own = file["credHelpers"]?[registry]?.string ?? file["credHelpers"]?[key(registry)]?.string
        guard let name = own ?? file["credsStore"]?.string, !name.isEmpty else { return nil }
        return CredentialProgram(name: name)
    }

    private func read() throws(RegistryError) -> JSONObject {
        let bytes: [UInt8]
        do throws(KernelError) { bytes = try FileContents.read(path, limitBytes: Self.limitBytes) } catch {
            if error.errno == .noSuchFile { return JSONObject() }
            throw RegistryError(.invalid, "read the credentials: \(error)")
        }
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: bytes) } catch {
            throw RegistryError(.invalid, "read the credentials: `\(path)`: \(error)")
        }
        guard let object = value.object else {
            throw RegistryError(.invalid, "read the credentials: `\(path)` does not hold a JSON object")
        }
        return object
    }

    private func write(_ file: JSONObject) throws(RegistryError) {
        do throws(KernelError) {
            try Directory.create(PathName.split(path).parent, mode: 0o700)
            try FileContents.replaceLinked(path, with: JSONValue.object(file).compactBytes + [10])
        } catch { throw RegistryError(.invalid, "keep the credentials: \(error)") }
    }
}
