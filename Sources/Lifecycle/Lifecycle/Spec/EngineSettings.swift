import EngineAPI
import JSON
import Linux
import Snapshots
import Synchronization

/// What the engine's configuration file says, in docker's form (`daemon.json`).
package struct EngineSettings: Hashable, Sendable {
    package var runtimes: RuntimeTable
    /// `NAME=VALUE`, of the engine itself.
    package var labels: [String] = []
    /// `default`, `USER`, `USER:GROUP` or ids: whose subordinate ids containers have. Read once, when the engine opens.
    package var userRemap: String?
    /// How layers are kept; nil for what works. Read once, when the engine opens.
    package var storageDriver: StorageDriver?
    /// What is kept of the output of containers that say nothing of it.
    package var log = LogPolicy.standard
    /// What else they have.
    package var defaults = ContainerDefaults()
    /// Members of the file that mean nothing here.
    package private(set) var notOffered: [String] = []
    /// The daemon says more of what it does.
    package var isDebugging = false

    /// A file that is not there says nothing. Blocking.
    ///
    /// - Parameter runtimes: those that are known anyway.
    /// - Throws: `invalid` naming the file and what is wrong with it.
    package init(file: String, runtimes: RuntimeTable) throws(EngineError) {
        self.runtimes = runtimes
        let json: JSONValue
        do {
            json = try JSONValue(parsing: try FileContents.read(file, limitBytes: 1 << 20))
        } catch let error as KernelError where error.errno == .noSuchFile {
            return
        } catch { throw EngineError(.invalid, "\(file): \(error)", object: file) }
        do throws(SettingMistake) { try read(json) } catch {
            throw EngineError(.invalid, "\(file): \(error.reason)", object: file)
        }
    }

    private static let names: Set<String> = ContainerDefaults.names.union([
        "debug", "default-runtime", "labels", "log-driver", "log-opts", "runtimes", "storage-driver", "userns-remap",
    ])

    /// What is to be said of the file, for people.
    package var warnings: [String] {
        notOffered.map { "daemon.json: `\($0)` is not offered by this engine, and has no effect" }
    }

    private mutating func read(_ json: JSONValue) throws(SettingMistake) {
        try runtimes.read(json)
        if let value = json["labels"], value != .null {
            let texts = value.array.map { $0.compactMap(\.string) }
            guard let texts, texts.count == value.array?.count else {
                throw SettingMistake(reason: "labels must be an array of strings")
            }
            labels = try Self.checked(texts)
        }
        if let value = json["userns-remap"], value != .null {
            guard let text = value.string else { throw SettingMistake(reason: "userns-remap must be a string") }
            userRemap = text.isEmpty ? nil : text
        }
        if let value = json["storage-driver"], value != .null {
            guard let text = value.string else { throw SettingMistake(reason: "storage-driver must be a string") }
            storageDriver = StorageDriver(rawValue: text)
            if storageDriver == nil, !text.isEmpty {
                let known = StorageDriver.allCases.map(\.rawValue).joined(separator: ", ")
                throw SettingMistake(reason: "storage-driver: driver not supported: \(text) (one of \(known))")
            }
        }
        defaults = try ContainerDefaults(json)
        notOffered = (json.object?.members.map(\.name) ?? []).filter { !Self.names.contains($0) }.sorted()
        log = try Self.log(json["log-driver"] ?? .null, json["log-opts"] ?? .null)
        if let value = json["debug"], value != .null {
            guard let flag = value.bool else { throw SettingMistake(reason: "debug must be true or false") }
            isDebugging = flag
        }
    }

    private static func log(_ driver: JSONValue, _ options: JSONValue) throws(SettingMistake) -> LogPolicy {
        guard driver == .null || driver.string != nil else {
            throw SettingMistake(reason: "log-driver must be a string")
        }
        guard options == .null || options.object != nil else {
            throw SettingMistake(reason: "log-opts must be an object")
        }
        var words: [String: String] = [:]
        for (name, value) in options.object?.members ?? [] {
            guard let text = value.string else { throw SettingMistake(reason: "log-opts: \(name) must be a string") }
            words[name] = text
        }
        let name = driver.string.flatMap { $0.isEmpty ? nil : $0 } ?? LogPolicy.standard.driver.rawValue
        do throws(EngineError) { return try LogPolicy(driver: name, options: words) } catch {
            throw SettingMistake(reason: "failed to set log opts: \(error.message)")
        }
    }

    /// docker's rules: a name and a value, and a name once with one value.
    private static func checked(_ labels: [String]) throws(SettingMistake) -> [String] {
        var values: [Substring: Substring] = [:]
        var kept: [String] = []
        for label in labels {
            let parts = label.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw SettingMistake(reason: "bad attribute format: \(label)")
            }
            if let other = values[parts[0]] {
                guard other == parts[1] else {
                    throw SettingMistake(
                        reason: "conflict labels for \(parts[0])=\(parts[1]) and \(parts[0])=\(other)")
                }
                continue
            }
            values[parts[0]] = parts[1]
            kept.append(label)
        }
        return kept
    }
}

/// What is wrong in a configuration file.
struct SettingMistake: Error {
    let reason: String
}

/// The settings that hold now. Any thread may ask.
package final class CurrentSettings: Sendable {
    private let held: Mutex<EngineSettings>
    package let revision = Revision()

    package init(_ settings: EngineSettings) { held = Mutex(settings) }

    package var value: EngineSettings { held.withLock { $0 } }

    /// Others hold from here on; who has begun goes on with the former ones.
    package func replace(with settings: EngineSettings) {
        held.withLock { $0 = settings }
        revision.raise()
    }
}
