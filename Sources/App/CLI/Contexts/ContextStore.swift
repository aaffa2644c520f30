import Content
import DockerAPI
import EngineAPI
import Glibc
import JSON
import Linux
import OCI

/// Docker's store of contexts: a directory for each below `~/.docker/contexts/meta`, named by the hash of the context's
/// name, and one of the same name below `tls` for its certificates. Blocking.
package struct ContextStore: Sendable {
    /// `~/.docker`, or `$DOCKER_CONFIG`.
    package let directory: String

    package init(directory: String) { self.directory = directory }

    package init(environment: [String: String]) {
        let named = environment["DOCKER_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        self.init(directory: named ?? "\(environment["HOME"] ?? "/root")/.docker")
    }

    /// The engine of this program where nothing else is chosen.
    package static let defaultName = "default"

    private func folder(_ kind: String, _ name: String) -> String {
        "\(directory)/contexts/\(kind)/\(Digest.sha256(of: Array(name.utf8)).hex)"
    }

    package func metadataPath(_ name: String) -> String { folder("meta", name) }
    package func tlsPath(_ name: String) -> String { folder("tls", name) }

    /// All of them, by name.
    package func all() throws(EngineError) -> [StoredContext] {
        let root = "\(directory)/contexts/meta"
        let names: [String]
        do throws(KernelError) { names = try Directory.list(root) } catch {
            if error.errno == .noSuchFile { return [] }
            throw EngineError(.internal, "read the contexts: \(error)")
        }
        var found: [StoredContext] = []
        for name in names {
            if let context = try read("\(root)/\(name)/meta.json") { found.append(context) }
        }
        return found.sorted { $0.name < $1.name }
    }

    /// - Throws: `notFound` where there is none of that name.
    package func find(_ name: String) throws(EngineError) -> StoredContext {
        guard let context = try read("\(metadataPath(name))/meta.json") else {
            throw EngineError(.notFound, "context \"\(name)\": context not found", object: name)
        }
        return context
    }

    private func read(_ path: String) throws(EngineError) -> StoredContext? {
        let bytes: [UInt8]
        do throws(KernelError) { bytes = try FileContents.read(path, limitBytes: 1 << 20) } catch {
            if error.errno == .noSuchFile || error.errno.rawValue == ENOTDIR { return nil }
            throw EngineError(.internal, "read a context: \(error)")
        }
        do throws(JSONError) { return StoredContext(try JSONValue(parsing: bytes)) } catch {
            throw EngineError(.invalid, "`\(path)` cannot be read: \(error)")
        }
    }

    /// The certificates of a context, by docker's names for them: `ca.pem`, `cert.pem`, `key.pem`.
    package func certificateFiles(_ name: String) -> [String: String] {
        let folder = "\(tlsPath(name))/docker"
        var files: [String: String] = [:]
        for file in ["ca.pem", "cert.pem", "key.pem"] where access("\(folder)/\(file)", F_OK) == 0 {
            files[file] = "\(folder)/\(file)"
        }
        return files
    }

    /// The contents of all files that a context has for TLS, by `ENDPOINT/FILE`.
    package func secrets(_ name: String) throws(EngineError) -> [String: [UInt8]] {
        let folder = tlsPath(name)
        guard access(folder, F_OK) == 0 else { return [:] }
        do throws(KernelError) {
            var secrets: [String: [UInt8]] = [:]
            for endpoint in try Directory.list(folder) {
                for file in try Directory.list("\(folder)/\(endpoint)") {
                    let path = "\(endpoint)/\(file)"
                    secrets[path] = try FileContents.read("\(folder)/\(path)", limitBytes: 1 << 20)
                }
            }
            return secrets
        } catch { throw EngineError(.internal, "read the certificates of the context `\(name)`: \(error)") }
    }

    /// Keeps a context with the certificates given, each the content of a file of docker's name for it.
    package func write(_ context: StoredContext, certificates: [String: [UInt8]]) throws(EngineError) {
        let pairs = certificates.map { ("docker/\($0.key)", $0.value) }
        try write(context, secrets: Dictionary(uniqueKeysWithValues: pairs))
    }

    /// Keeps a context with files for TLS, by `ENDPOINT/FILE`, each part of which is a plain name.
    package func write(_ context: StoredContext, secrets: [String: [UInt8]]) throws(EngineError) {
        do throws(KernelError) {
            for (path, bytes) in secrets.sorted(by: { $0.key < $1.key }) {
                let file = "\(tlsPath(context.name))/\(path)"
                try Directory.create(PathName.split(file).parent, mode: 0o700)
                try FileContents.replace(file, with: bytes, mode: 0o600)
            }
            // Last: a context is there once its own file is.
            let folder = metadataPath(context.name)
            try Directory.create(folder, mode: 0o755)
            try FileContents.replace("\(folder)/meta.json", with: context.body.compactBytes, mode: 0o644)
        } catch { throw EngineError(.internal, "keep the context `\(context.name)`: \(error)") }
    }

    package func remove(_ name: String) throws(EngineError) {
        do throws(KernelError) {
            for folder in [metadataPath(name), tlsPath(name)] where access(folder, F_OK) == 0 {
                try Directory.removeTree(folder)
            }
        } catch { throw EngineError(.internal, "remove the context `\(name)`: \(error)") }
    }
}

/// Which context is used where nothing names another: a member of docker's `config.json`, whose others stay.
extension ContextStore {
    private var configPath: String { "\(directory)/config.json" }

    /// Nil for the default.
    package func current() throws(EngineError) -> String? {
        let name = try config()["currentContext"]?.string ?? ""
        return name.isEmpty || name == Self.defaultName ? nil : name
    }

    package func use(_ name: String?) throws(EngineError) {
        var file = try config()
        guard file["currentContext"]?.string != name else { return }
        file["currentContext"] = name.map { .string($0) }
        do throws(KernelError) {
            try Directory.create(directory, mode: 0o700)
            try FileContents.replaceLinked(configPath, with: JSONValue.object(file).compactBytes + [10])
        } catch { throw EngineError(.internal, "keep the choice of a context: \(error)") }
    }

    private func config() throws(EngineError) -> JSONObject {
        let bytes: [UInt8]
        do throws(KernelError) { bytes = try FileContents.read(configPath, limitBytes: 4 << 20) } catch {
            if error.errno == .noSuchFile { return JSONObject() }
            throw EngineError(.internal, "read docker's configuration: \(error)")
        }
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: bytes) } catch {
            throw EngineError(.invalid, "`\(configPath)`: \(error)")
        }
        guard let object = value.object else { throw EngineError(.invalid, "`\(configPath)` is no JSON object") }
        return object
    }
}

/// One context of docker's store. What other programs keep in it stays.
package struct StoredContext: Hashable, Sendable {
    package var body: JSONValue

    init(_ body: JSONValue) { self.body = body }

    package init(name: String, description: String, host: String, skipsVerification: Bool) {
        body = [
            "Name": .string(name), "Metadata": description.isEmpty ? [:] : ["Description": .string(description)],
            "Endpoints": ["docker": ["Host": .string(host), "SkipTLSVerify": .bool(skipsVerification)]],
        ]
    }

    package var name: String { body["Name"]?.string ?? "" }
    package var description: String { body["Metadata"]?["Description"]?.string ?? "" }
    package var host: String { body["Endpoints"]?["docker"]?["Host"]?.string ?? "" }
    package var skipsVerification: Bool { body["Endpoints"]?["docker"]?["SkipTLSVerify"]?.bool ?? false }

    /// Letters, digits and `_.+-`, the first of them a letter or a digit.
    package static func isName(_ text: String) -> Bool {
        let plain: (UInt8) -> Bool = { (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) }
        guard let first = text.utf8.first, plain(first), text.utf8.count > 1 else { return false }
        return text.utf8.allSatisfy { plain($0) || [95, 46, 43, 45].contains($0) }
    }
}
