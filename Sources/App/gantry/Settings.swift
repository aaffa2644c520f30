import CLI
import Glibc
import LocalEngine
import Rootless

/// What options and environment choose.
enum Settings {
    /// - Parameter session: an ordinary user's; nil for root.
    static func configuration(_ options: GlobalOptions, _ session: RootlessSession?) -> LocalEngineConfiguration {
        let root = options.root ?? variable("GANTRY_ROOT")
        if let session { return LocalEngineConfiguration(session, root: root) }
        return root.map { LocalEngineConfiguration(root: $0) } ?? LocalEngineConfiguration()
    }

    static func variable(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    /// All variables that the program was started with.
    static var environment: [String: String] {
        var variables: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let sides = String(cString: entry).split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false
            ).map(String.init)
            if sides.count == 2 { variables[sides[0]] = sides[1] }
            next += 1
        }
        return variables
    }

    /// This program's own path.
    static var executable: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        return count > 0 ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
    }
}
