import EngineAPI
import Glibc
import JSON
import Linux

/// The OCI runtimes that containers may name.
package struct RuntimeTable: Hashable, Sendable {
    /// The one for containers that name none.
    package private(set) var defaultName: String
    private var paths: [String: String]

    /// - Parameter path: the default runtime's program, whose file name becomes its name.
    package init(path: String) {
        defaultName = PathName.split(path).name
        paths = [defaultName: path]
    }

    package var names: [String] { paths.keys.sorted() }

    package mutating func add(_ name: String, path: String) { paths[name] = path }

    /// Adds the known runtimes that the machine has, where their names are free. Blocking, shortly.
    package mutating func addInstalled() {
        for name in ["runc", "crun"] where paths[name] == nil {
            let places = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
            if let place = places.first(where: { access("\($0)/\(name)", X_OK) == 0 }) {
                paths[name] = "\(place)/\(name)"
            }
        }
    }

    /// Adds what docker's configuration names: `{"runtimes": {"NAME": {"path": "/…"}}, "default-runtime": "NAME"}`.
    mutating func read(_ json: JSONValue) throws(SettingMistake) {
        for (name, value) in json["runtimes"]?.object?.members ?? [] {
            guard let path = value["path"]?.string, path.hasPrefix("/") else {
                throw SettingMistake(reason: "runtimes.\(name).path must be an absolute path")
            }
            paths[name] = path
        }
        guard let wanted = json["default-runtime"]?.string else { return }
        guard paths[wanted] != nil else {
            throw SettingMistake(reason: "the default runtime `\(wanted)` is not among the runtimes")
        }
        defaultName = wanted
    }

    /// As docker's events tell of them: `NAME:PATH`, by their names.
    package var text: String { names.map { "\($0):\(paths[$0] ?? "")" }.joined(separator: " ") }

    /// - Throws: `invalid` for a name that is not among them.
    package func path(_ name: String?) throws(EngineError) -> String {
        guard let path = paths[name ?? defaultName] else {
            throw EngineError(.invalid, "unknown or invalid runtime name: \(name ?? defaultName)")
        }
        return path
    }
}
