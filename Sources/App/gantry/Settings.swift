import CLI
import Glibc
import LocalEngine

/// What options and environment choose.
enum Settings {
    static func configuration(_ options: GlobalOptions) -> LocalEngineConfiguration {
        guard let root = options.root ?? variable("GANTRY_ROOT") else { return LocalEngineConfiguration() }
        return LocalEngineConfiguration(root: root)
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
