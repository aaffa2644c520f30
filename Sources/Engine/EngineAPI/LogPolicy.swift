/// How a container's output is kept, and where else it goes.
public struct LogPolicy: Hashable, Sendable, Codable {
    public enum Driver: String, Hashable, Sendable, Codable, CaseIterable {
        case jsonFile = "json-file"
        /// The engine's own compact form.
        case local
        /// systemd's journal.
        case journald
        /// The machine's syslog, or another's.
        case syslog
        /// Graylog's form.
        case gelf
        /// Fluentd's and Fluent Bit's `forward`.
        case fluentd
        case none

        /// Whether lines go elsewhere, and files are but a copy of them.
        public var sendsLines: Bool {
            switch self {
            case .journald, .syslog, .gelf, .fluentd: true
            case .jsonFile, .local, .none: false
            }
        }
    }

    public var driver = Driver.jsonFile
    /// Whether somebody has named the driver. Where nobody has, it is the engine's to choose (`log-driver`).
    public var namesDriver: Bool?
    /// The size at which a file is rotated; nil for never.
    public var maximumSizeBytes: Int64?
    /// How many files are kept, the current one included.
    public var maximumFiles = 1
    /// Whether old files are packed with gzip; nil for the driver's habit: `json-file` does not pack them, others do.
    public var compresses: Bool?
    /// Whether lines that go elsewhere are kept here, too, to be read: docker's "dual logging". Nil for no.
    public var keepsCopy: Bool?
    /// What lines are told with, docker's `labels`, `labels-regex`, `env`, `env-regex`, `tag`, `mode`; and the driver's own.
    public var options: [String: String] = [:]

    /// The options as they were said, by docker's names: told of so, since a client that finds `10m` written otherwise takes
    /// the container for another one. Nil where nobody has said them so.
    public var words: [String: String]?

    /// Whether the engine has files to read.
    public var keepsFiles: Bool { driver == .jsonFile || driver == .local || driver.sendsLines && keepsCopy == true }

    /// Whether they are in the engine's own form.
    public var filesAreCompact: Bool { driver != .jsonFile }

    public var packsOldFiles: Bool { keepsFiles && maximumFiles > 1 && (compresses ?? filesAreCompact) }

    /// Whether a process may be made to wait, for a moment, where lines cannot be sent as fast as they come.
    public var mayHoldUp: Bool { options["mode"] != "non-blocking" }

    /// Whether nobody has said anything of it.
    package var isLeftToEngine: Bool { self == LogPolicy() }

    public init() {}

    /// Docker's, where nobody says anything: files of JSON lines that are never rotated.
    package static let standard = {
        var policy = LogPolicy()
        policy.namesDriver = true
        return policy
    }()
}
