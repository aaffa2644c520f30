import Glibc
import JSON
import Linux

/// How registries are reached: mirrors, plain HTTP, authorities of one's own.
///
/// Read from `/etc/gantry/registries.json` and then `registries.json` in the data root, whose entries replace those of
/// the first with the same name:
///
/// ```json
/// {
///     "registries": {
///         "docker.io": { "mirrors": ["https://mirror.example:5000"] },
///         "registry.example:5000": { "ca": ["/etc/ssl/example.pem"], "cert": "/etc/…", "key": "/etc/…" },
///         "10.0.0.5:5000": { "plain-http": true },
///         "test.example": { "insecure": true }
///     },
///     "max-concurrent-downloads": 3,
///     "max-concurrent-uploads": 5,
///     "max-download-attempts": 5
/// }
/// ```
/// `insecure` believes any certificate, and falls back to plain HTTP, as docker's `insecure-registries` does. Beside it,
/// docker's own `/etc/docker/certs.d/HOST/` is honoured: `*.crt` are authorities, `NAME.cert` and `NAME.key` are shown.
package struct RegistryConfiguration: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        /// Tried in order before the registry itself, for pulls alone.
        package var mirrors: [WebAddress] = []
        package var isPlain = false
        package var isInsecure = false
        package var trust = WebTrust()

        package init() {}
    }

    /// By the registry's name in references: `docker.io`, `localhost:5000`.
    package var registries: [String: Entry] = [:]
    package var concurrentDownloads = 3
    package var concurrentUploads = 5
    package var attempts = 5
    /// Up to this size a blob is pushed in one request; above it in chunks, so that a break costs no more than one.
    package var uploadChunkBytes: Int64 = 32 << 20
    /// Docker's directory of certificates, `HOST/NAME.crt`; nil: none is looked at.
    package var certificatesDirectory: String?

    package init() {}

    /// Reads the files there are, later ones over earlier ones. Blocking.
    ///
    /// - Throws: `invalid`, naming the file and the member at fault: a registry that is not reached as its owner wrote
    ///   must not be reached at all.
    package init(files: [String], certificatesDirectory: String? = "/etc/docker/certs.d") throws(RegistryError) {
        self.certificatesDirectory = certificatesDirectory
        for path in files {
            let bytes: [UInt8]
            do throws(KernelError) { bytes = try FileContents.read(path, limitBytes: 4 << 20) } catch {
                if error.errno == .noSuchFile { continue }
                throw RegistryError(.invalid, "read the registries' configuration: \(error)")
            }
            let json: JSONValue
            do throws(JSONError) { json = try JSONValue(parsing: bytes) } catch {
                throw RegistryError(.invalid, "`\(path)`: \(error)")
            }
            do throws(ConfigurationMistake) { try merge(json) } catch {
                throw RegistryError(.invalid, "`\(path)`: \(error.member): \(error.reason)")
            }
        }
    }

    /// What is known of a registry, with what docker's directory of certificates adds. Blocking.
    package func entry(for registry: String) -> Entry {
        var entry = registries[registry] ?? Entry()
        guard let certificatesDirectory else { return entry }
        let directory = "\(certificatesDirectory)/\(registry)"
        // Most registries have no such directory.
        let names = ((try? Directory.list(directory)) ?? []).sorted()
        entry.trust.authorityFiles += names.filter { $0.hasSuffix(".crt") }.map { "\(directory)/\($0)" }
        let shown = names.first { $0.hasSuffix(".cert") && names.contains($0.dropLast(5) + ".key") }
        if let shown, entry.trust.certificateFile == nil {
            entry.trust.certificateFile = "\(directory)/\(shown)"
            entry.trust.keyFile = "\(directory)/\(shown.dropLast(5)).key"
        }
        return entry
    }
}

/// A member that is not as it must be.
private struct ConfigurationMistake: Error {
    let member: String
    let reason: String
}

extension RegistryConfiguration {
    private mutating func merge(_ json: JSONValue) throws(ConfigurationMistake) {
        guard let object = json.object else {
            throw ConfigurationMistake(member: "the file", reason: "must be an object")
        }
        for (name, value) in object.members {
            switch name {
            case "registries":
                guard let list = value.object else {
                    throw ConfigurationMistake(member: name, reason: "must be an object")
                }
                for (registry, value) in list.members {
                    registries[registry] = try Entry(value, member: "registries.\(registry)")
                }
            case "max-concurrent-downloads": concurrentDownloads = try Self.count(value, name)
            case "max-concurrent-uploads": concurrentUploads = try Self.count(value, name)
            case "max-download-attempts": attempts = try Self.count(value, name)
            default: throw ConfigurationMistake(member: name, reason: "is not known")
            }
        }
    }

    private static func count(_ value: JSONValue, _ member: String) throws(ConfigurationMistake) -> Int {
        guard let number = value.integer, (1...64).contains(number) else {
            throw ConfigurationMistake(member: member, reason: "must be a number from 1 to 64")
        }
        return Int(number)
    }
}

extension RegistryConfiguration.Entry {
    fileprivate init(_ json: JSONValue, member: String) throws(ConfigurationMistake) {
        guard let object = json.object else { throw ConfigurationMistake(member: member, reason: "must be an object") }
        for (name, value) in object.members {
            let member = "\(member).\(name)"
            switch name {
            case "mirrors":
                mirrors = try Self.texts(value, member).map { (text) throws(ConfigurationMistake) in
                    guard let address = WebAddress(text) else {
                        throw ConfigurationMistake(member: member, reason: "`\(text)` is not an http or https URL")
                    }
                    return address
                }
            case "plain-http": isPlain = try Self.flag(value, member)
            case "insecure": isInsecure = try Self.flag(value, member)
            case "ca": trust.authorityFiles = try Self.texts(value, member)
            case "cert": trust.certificateFile = try Self.text(value, member)
            case "key": trust.keyFile = try Self.text(value, member)
            default: throw ConfigurationMistake(member: member, reason: "is not known")
            }
        }
    }

    private static func text(_ value: JSONValue, _ member: String) throws(ConfigurationMistake) -> String {
        guard let text = value.string else { throw ConfigurationMistake(member: member, reason: "must be a string") }
        return text
    }

    private static func texts(_ value: JSONValue, _ member: String) throws(ConfigurationMistake) -> [String] {
        let list = value.array ?? [value]
        return try list.map { (element) throws(ConfigurationMistake) in try text(element, member) }
    }

    private static func flag(_ value: JSONValue, _ member: String) throws(ConfigurationMistake) -> Bool {
        guard let flag = value.bool else { throw ConfigurationMistake(member: member, reason: "must be true or false") }
        return flag
    }
}
