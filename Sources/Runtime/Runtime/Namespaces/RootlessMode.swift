import Glibc
import Linux

/// `--rootless`: whether a container may do without what an ordinary user is refused.
enum RootlessMode: Hashable {
    case auto, on, off

    init(_ text: String) throws(RuntimeError) {
        switch text {
        case "", "auto": self = .auto
        case "true", "1", "t", "T", "TRUE", "True": self = .on
        case "false", "0", "f", "F", "FALSE", "False": self = .off
        default: throw RuntimeError("strconv.ParseBool: parsing \"\(text)\": invalid syntax")
        }
    }

    var ignoresCgroupRefusals: Bool {
        switch self {
        case .auto: geteuid() != 0 || Self.isInUserNamespace
        case .on: true
        case .off: false
        }
    }

    /// Whether this process's ids are others than the machine's.
    static let isInUserNamespace: Bool = {
        // Without the file there are no user namespaces.
        guard let bytes = try? FileContents.read("/proc/self/uid_map", limitBytes: 4096) else { return false }
        // Zero, zero, and all there are.
        return !bytes.filter { $0 != 32 && $0 != 10 }.elementsEqual("004294967295".utf8)
    }()
}
